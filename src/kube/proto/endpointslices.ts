import type {
  AddressType,
  Endpoint,
  EndpointConditions,
  EndpointHints,
  EndpointPort,
  EndpointSlice,
} from '../../objects/endpointslice.ts';
import type { ObjectReference, Protocol } from '../../objects/meta.ts';
import type { MetaParts } from '../projections/meta.ts';
import { readEntry, readMeta } from './meta.ts';
import { append, ProtoReader } from './reader.ts';

/**
 * discovery.k8s.io/v1 EndpointSlice (field numbers: `generated.proto` of k8s.io/api/discovery/v1), for readers only: fields that are not
 * listed here are lost, so what comes from here must never be written back.
 */
export function decodeEndpointSlice(bytes: Buffer): EndpointSlice {
  return readSlice(new ProtoReader(bytes), { annotations: true, owners: true });
}

/** The same with all fields but `managedFields`, so that it may be written back. @throws UnknownFieldError when it has one that is not known */
export function decodeWholeEndpointSlice(bytes: Buffer): EndpointSlice {
  return readSlice(new ProtoReader(bytes, 0, bytes.length, { exact: true }), { whole: true });
}

function readSlice(reader: ProtoReader, parts: MetaParts): EndpointSlice {
  const { end } = reader;
  let metadata: EndpointSlice['metadata'] | undefined;
  let addressType = 'IPv4';
  const endpoints: Endpoint[] = [];
  const ports: EndpointPort[] = [];
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        metadata = readMeta(reader, reader.message(), 'EndpointSlice', parts);
        break;
      case 2:
        endpoints.push(readEndpoint(reader, reader.message()));
        break;
      case 3:
        ports.push(readPort(reader, reader.message()));
        break;
      case 4:
        addressType = reader.shared();
        break;
      default:
        reader.unknown();
    }
  }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata ?? readMeta(reader, end, 'EndpointSlice'),
    addressType: addressType as AddressType,
    endpoints,
    ports,
  };
}

/** All but `addresses` are pointers in the API: what is there was set, be it empty. */
function readEndpoint(reader: ProtoReader, end: number): Endpoint {
  const endpoint: Endpoint = { addresses: [] };
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        endpoint.addresses.push(reader.string());
        break;
      case 2:
        endpoint.conditions = readConditions(reader, reader.message());
        break;
      case 3:
        endpoint.hostname = reader.string();
        break;
      case 4:
        endpoint.targetRef = readReference(reader, reader.message());
        break;
      case 5:
        endpoint.deprecatedTopology ??= {};
        readEntry(reader, reader.message(), endpoint.deprecatedTopology);
        break;
      case 6:
        endpoint.nodeName = reader.shared();
        break;
      case 7:
        endpoint.zone = reader.shared();
        break;
      case 8:
        endpoint.hints = readHints(reader, reader.message());
        break;
      default:
        reader.unknown();
    }
  }
  return endpoint;
}

function readConditions(reader: ProtoReader, end: number): EndpointConditions {
  const conditions: EndpointConditions = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) conditions.ready = reader.bool();
    else if (field === 2) conditions.serving = reader.bool();
    else if (field === 3) conditions.terminating = reader.bool();
    else reader.unknown();
  }
  return conditions;
}

const REFERENCE_FIELDS = [
  'kind',
  'namespace',
  'name',
  'uid',
  'apiVersion',
  'resourceVersion',
  'fieldPath',
] as const satisfies (keyof ObjectReference)[];

function readReference(reader: ProtoReader, end: number): ObjectReference {
  const reference: ObjectReference = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    const name = REFERENCE_FIELDS[field - 1];
    if (name === undefined) {
      reader.unknown();
      continue;
    }
    const value = field <= 2 ? reader.shared() : reader.string();
    if (value !== '') reference[name] = value;
  }
  return reference;
}

function readHints(reader: ProtoReader, end: number): EndpointHints {
  const hints: EndpointHints = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) hints.forZones = append(hints.forZones, readName(reader, reader.message()));
    else if (field === 2) hints.forNodes = append(hints.forNodes, readName(reader, reader.message()));
    else reader.unknown();
  }
  return hints;
}

function readName(reader: ProtoReader, end: number): { name: string } {
  let name = '';
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) name = reader.shared();
    else reader.unknown();
  }
  return { name };
}

function readPort(reader: ProtoReader, end: number): EndpointPort {
  const port: EndpointPort = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        port.name = reader.shared();
        break;
      case 2:
        port.protocol = reader.shared() as Protocol;
        break;
      case 3:
        port.port = reader.int();
        break;
      case 4:
        port.appProtocol = reader.shared();
        break;
      default:
        reader.unknown();
    }
  }
  return port;
}
