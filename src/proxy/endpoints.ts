import { type Endpoint, type EndpointPort, type EndpointSlice, SERVICE_NAME_LABEL } from '../objects/endpointslice.ts';
import type { IPFamily } from '../objects/meta.ts';
import { objectKey } from '../objects/meta.ts';
import { joinHostPort, parseAddress } from './addresses.ts';
import {
  isPortNumber,
  isProtocol,
  isSafeName,
  type ServiceKey,
  type ServicePortName,
  servicePortName,
} from './names.ts';

/** One address behind one service port. */
export interface ProxyEndpoint {
  readonly ip: string;
  readonly port: number;
  /** `ip:port`, `[ip]:port` for IPv6. */
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Runs on this proxier's node. */
  readonly isLocal: boolean;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

/** Service port -> its endpoints, sorted by `address` byte by byte (so `10.0.0.10:80` comes before `10.0.0.2:80`). */
export type EndpointsMap = ReadonlyMap<ServicePortName, readonly ProxyEndpoint[]>;

export interface SliceEndpoints {
  readonly endpoints: EndpointsMap;
  /** One line for each part that was left out although it was set; for the log. */
  readonly problems: readonly string[];
}

/** Who reads the slices: decides which of them count and which endpoints are local. */
export interface EndpointReader {
  readonly ipFamily: IPFamily;
  readonly nodeName: string;
}

/** The Service that a slice of this family belongs to; `undefined` for a slice that a proxier ignores. */
export function serviceOfSlice(slice: EndpointSlice, family: IPFamily): ServiceKey | undefined {
  const service = slice.metadata.labels?.[SERVICE_NAME_LABEL];
  if (slice.addressType !== family || !service || !slice.metadata.namespace || !slice.metadata.name) return undefined;
  return objectKey({ namespace: slice.metadata.namespace, name: service });
}

/**
 * The endpoints of one Service from all its slices (which the caller has picked with `serviceOfSlice`).
 *
 * The same `ip:port` may appear twice while an address moves from a terminating pod to a new one: a copy that is not
 * terminating wins over one that is (kubernetes/kubernetes#135593). Between equals the one in the slice with the greater name
 * wins, where upstream leaves it to chance.
 */
export function endpointsOfService(slices: Iterable<EndpointSlice>, reader: EndpointReader): SliceEndpoints {
  const problems: string[] = [];
  const byPort = new Map<ServicePortName, Map<string, ProxyEndpoint>>();
  for (const slice of [...slices].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    readSlice(slice, reader, byPort, problems);
  }
  const endpoints = new Map<ServicePortName, readonly ProxyEndpoint[]>();
  for (const [name, found] of byPort) endpoints.set(name, [...found.values()].sort(byAddress));
  return { endpoints, problems };
}

export function byAddress(a: ProxyEndpoint, b: ProxyEndpoint): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}

function readSlice(
  slice: EndpointSlice,
  reader: EndpointReader,
  byPort: Map<ServicePortName, Map<string, ProxyEndpoint>>,
  problems: string[],
): void {
  const { namespace = '', labels = {} } = slice.metadata;
  const service = labels[SERVICE_NAME_LABEL] ?? '';
  const report = (field: string, value: unknown, why: string) =>
    problems.push(
      `EndpointSlice ${JSON.stringify(objectKey(slice.metadata))}: ${field} ${JSON.stringify(value)} ${why}`,
    );
  if (!isSafeName(namespace) || !isSafeName(service)) {
    report('service', `${namespace}/${service}`, 'cannot stand in a rule; the slice is left out');
    return;
  }
  for (const port of slice.ports) {
    const flaw = portFlaw(port);
    if (flaw || port.port === undefined) {
      report('ports', port, `${flaw}; the port is left out`);
      continue;
    }
    const name = servicePortName(namespace, service, port.name, port.protocol ?? 'TCP');
    const found = byPort.get(name) ?? new Map<string, ProxyEndpoint>();
    byPort.set(name, found);
    for (const endpoint of slice.endpoints) {
      const read = readEndpoint(endpoint, port.port, reader);
      if (!read) {
        if (endpoint.addresses.length > 0)
          report('addresses', endpoint.addresses, `is not an ${reader.ipFamily} address`);
        continue;
      }
      if (!found.has(read.address) || !read.terminating) found.set(read.address, read);
    }
  }
}

function readEndpoint(endpoint: Endpoint, port: number, reader: EndpointReader): ProxyEndpoint | undefined {
  const parsed = parseAddress(endpoint.addresses[0] ?? '');
  if (parsed?.family !== reader.ipFamily) return undefined;
  const { conditions, hints } = endpoint;
  return {
    ip: parsed.ip,
    port,
    address: joinHostPort(parsed.ip, port),
    ready: conditions?.ready ?? true,
    serving: conditions?.serving ?? true,
    terminating: conditions?.terminating ?? false,
    isLocal: reader.nodeName !== '' && endpoint.nodeName === reader.nodeName,
    zoneHints: namesOf(hints?.forZones),
    nodeHints: namesOf(hints?.forNodes),
  };
}

const NO_NAMES: readonly string[] = [];

function namesOf(hints: { name: string }[] | undefined): readonly string[] {
  return hints && hints.length > 0 ? hints.map((hint) => hint.name) : NO_NAMES;
}

/** A slice port without a name, or without a number ("all ports"), cannot be matched to a service port. */
function portFlaw(port: EndpointPort): string | undefined {
  if (port.name === undefined || port.name === null) return 'has no name';
  if (port.name !== '' && !isSafeName(port.name)) return 'has a name that cannot stand in a rule';
  if (!isProtocol(port.protocol ?? 'TCP')) return 'has a protocol that is not TCP, UDP or SCTP';
  if (!isPortNumber(port.port ?? 0)) return 'has no port in 1..65535';
  return undefined;
}
