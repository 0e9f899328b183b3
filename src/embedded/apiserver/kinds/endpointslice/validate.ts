import type { Cause } from '../../kind.ts';
import { addressSyntax, canonicalAddress, familyOf, validateReachable } from '../validation/addresses.ts';
import { duplicate, eachInvalid, invalid, notSupported, required, tooMany } from '../validation/causes.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../validation/names.ts';
import type { SliceEndpoint, SliceObject, SlicePort } from './types.ts';

/** The API documentation says 100 ports; the server has always let more pass. */
const limits = { endpoints: 1000, addresses: 100, ports: 20_000, hints: 8 };
const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const protocols = ['SCTP', 'TCP', 'UDP'];

/** `spec/endpointslice-controller.md` section 9. */
export function validateSlice({ addressType, endpoints, ports }: SliceObject): Cause[] {
  return [
    ...validateAddressType(addressType),
    ...validatePorts(ports ?? []),
    ...validateEndpoints(endpoints ?? [], addressType),
  ];
}

function validateAddressType(type: string): Cause[] {
  if (type === '') return [required('addressType')];
  return addressTypes.includes(type) ? [] : [notSupported('addressType', type, addressTypes)];
}

function validatePorts(ports: SlicePort[]): Cause[] {
  if (ports.length > limits.ports) return [tooMany('ports', ports.length, limits.ports)];
  const names = new Set<string>();
  return ports.flatMap(({ name = '', protocol, appProtocol }, i) => {
    const at = `ports[${i}]`;
    const causes = name === '' ? [] : eachInvalid(`${at}.name`, name, dns1123Label(name));
    if (names.has(name)) causes.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (protocol === undefined) causes.push(required(`${at}.protocol`));
    else if (!protocols.includes(protocol)) causes.push(notSupported(`${at}.protocol`, protocol, protocols));
    if (appProtocol !== undefined) {
      causes.push(...eachInvalid(`${at}.appProtocol`, appProtocol, qualifiedName(appProtocol)));
    }
    return causes;
  });
}

function validateEndpoints(endpoints: SliceEndpoint[], type: string): Cause[] {
  if (endpoints.length > limits.endpoints) return [tooMany('endpoints', endpoints.length, limits.endpoints)];
  return endpoints.flatMap((endpoint, i) => {
    const at = `endpoints[${i}]`;
    const { nodeName, hostname, hints } = endpoint;
    return [
      ...validateAddresses(endpoint.addresses ?? [], `${at}.addresses`, type),
      ...(nodeName === undefined ? [] : eachInvalid(`${at}.nodeName`, nodeName, dns1123Subdomain(nodeName))),
      ...(hostname === undefined ? [] : eachInvalid(`${at}.hostname`, hostname, dns1123Label(hostname))),
      ...validateHints(hints?.forZones ?? [], `${at}.hints.forZones`, labelValue),
      ...validateHints(hints?.forNodes ?? [], `${at}.hints.forNodes`, dns1123Subdomain),
    ];
  });
}

function validateAddresses(addresses: string[], at: string, type: string): Cause[] {
  if (addresses.length === 0) return [required(at, 'must contain at least 1 address')];
  if (addresses.length > limits.addresses) return [tooMany(at, addresses.length, limits.addresses)];
  return addresses.flatMap((address, i) => {
    const field = `${at}[${i}]`;
    if (type === 'IPv4' || type === 'IPv6') return validateIp(address, at, field, type);
    return type === 'FQDN' ? eachInvalid(field, address, fullDomain(address)) : [];
  });
}

function validateIp(address: string, list: string, field: string, type: 'IPv4' | 'IPv6'): Cause[] {
  const syntax = addressSyntax(address);
  if (syntax.length > 0) return eachInvalid(field, address, syntax);
  const canonical = canonicalAddress(address);
  const causes: Cause[] = [];
  if (canonical !== address) causes.push(invalid(field, address, `must be in canonical form ("${canonical}")`));
  if (familyOf(address) !== type) causes.push(invalid(list, address, `must be an ${type} address`));
  return [...causes, ...validateReachable(address, field)];
}

function fullDomain(name: string): string[] {
  const syntax = dns1123Subdomain(name);
  if (syntax.length > 0) return syntax;
  return name.includes('.') ? [] : ['should be a domain with at least two segments separated by dots'];
}

function validateHints(hints: { name: string }[], at: string, syntax: (name: string) => string[]): Cause[] {
  if (hints.length > limits.hints) return [tooMany(at, hints.length, limits.hints)];
  const names = new Set<string>();
  return hints.flatMap(({ name }, i) => {
    const field = `${at}[${i}].name`;
    const isDuplicate = names.has(name);
    names.add(name);
    return [...(isDuplicate ? [duplicate(field, name)] : []), ...eachInvalid(field, name, syntax(name))];
  });
}
