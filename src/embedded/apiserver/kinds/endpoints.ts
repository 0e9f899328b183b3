import type { Cause, KindDefinition, RawObject } from '../kind.ts';
import { ageCell, ageColumn, column, firstOf, nameCell, nameColumn } from './columns.ts';
import { decoderOf } from './schema/decode.ts';
import { strategyOf } from './strategy.ts';
import { familyOf, validateAddress, validateReachable } from './validation/addresses.ts';
import { eachInvalid, invalid, notSupported, required } from './validation/causes.ts';
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from './validation/names.ts';

interface EndpointsObject extends RawObject {
  subsets?: Subset[];
}

interface Subset {
  addresses?: Address[];
  notReadyAddresses?: Address[];
  ports?: { name?: string; port: number; protocol?: string; appProtocol?: string }[];
}

interface Address {
  ip: string;
  hostname?: string;
  nodeName?: string;
}

const protocols = ['SCTP', 'TCP', 'UDP'];
const cellLength = 3;

export const endpointsKind: KindDefinition = {
  group: '',
  version: 'v1',
  plural: 'endpoints',
  singular: 'endpoints',
  kind: 'Endpoints',
  namespaced: true,
  shortNames: ['ep'],
  categories: [],
  subresources: [],
  createOnUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  decode: decoderOf('V1Endpoints'),
  strategy: strategyOf('V1Endpoints', {
    setDefaults(object) {
      for (const { ports = [] } of subsetsOf(object)) for (const port of ports) port.protocol ||= 'TCP';
    },
    validate: (object) => subsetsOf(object).flatMap(validateSubset),
    validateUpdate: (object) => subsetsOf(object).flatMap(validateSubset),
    columns: [nameColumn, column('Endpoints', 'Addresses with ports.'), ageColumn],
    row: (object, now) => [nameCell(object), endpointsCell(subsetsOf(object)), ageCell(object, now)],
  }),
};

function subsetsOf(object: RawObject): Subset[] {
  return (object as EndpointsObject).subsets ?? [];
}

function endpointsCell(subsets: Subset[]): string {
  if (subsets.length === 0) return '<none>';
  const cells = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) =>
          addresses.map(({ ip }) => (familyOf(ip) === 'IPv6' ? `[${ip}]:${port}` : `${ip}:${port}`)),
        ),
  );
  return firstOf(cells, cellLength);
}

function validateSubset({ addresses = [], notReadyAddresses = [], ports = [] }: Subset, i: number): Cause[] {
  const at = `subsets[${i}]`;
  const causes: Cause[] = [];
  if (addresses.length + notReadyAddresses.length === 0) {
    causes.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
  }
  addresses.forEach((address, j) => {
    causes.push(...validateEndpointAddress(address, `${at}.addresses[${j}]`));
  });
  notReadyAddresses.forEach((address, j) => {
    causes.push(...validateEndpointAddress(address, `${at}.notReadyAddresses[${j}]`));
  });
  ports.forEach(({ name = '', port, protocol = '', appProtocol }, j) => {
    const field = `${at}.ports[${j}]`;
    if (name) causes.push(...eachInvalid(`${field}.name`, name, dns1123Label(name)));
    else if (ports.length > 1) causes.push(required(`${field}.name`));
    causes.push(...eachInvalid(`${field}.port`, port, portNumber(port)));
    if (!protocols.includes(protocol)) causes.push(notSupported(`${field}.protocol`, protocol, protocols));
    if (appProtocol !== undefined) {
      causes.push(...eachInvalid(`${field}.appProtocol`, appProtocol, qualifiedName(appProtocol)));
    }
  });
  return causes;
}

function validateEndpointAddress({ ip, hostname, nodeName }: Address, at: string): Cause[] {
  const field = `${at}.ip`;
  const causes = validateAddress(ip, field);
  if (causes.length > 0 && familyOf(ip) === undefined) causes.push(invalid(field, ip, 'must be a valid IP address'));
  if (hostname) causes.push(...eachInvalid(`${at}.hostname`, hostname, dns1123Label(hostname)));
  if (nodeName !== undefined) causes.push(...eachInvalid(`${at}.nodeName`, nodeName, dns1123Subdomain(nodeName)));
  return [...causes, ...validateReachable(ip, field)];
}
