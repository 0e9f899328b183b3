import type { IPFamily } from '../objects/meta.ts';
import { isLoopback, type Network, networkContains, parseAddress, parseNetwork } from './addresses.ts';

/** Where NodePorts answer: on every local address, or on those listed. */
export type NodePortMatch = { readonly all: true } | { readonly all: false; readonly ips: readonly string[] };

/**
 * `nodePortAddresses` without any CIDR of the family, or with a /0 of it, means every local address: a list of one family
 * leaves the other wide open. @throws RangeError for an entry that is not a CIDR.
 *
 * @param nodeAddresses the addresses of the node's interfaces, of either family
 */
export function nodePortMatch(
  nodePortAddresses: readonly string[],
  nodeAddresses: readonly string[],
  family: IPFamily,
): NodePortMatch {
  const networks = networksOf(nodePortAddresses, family);
  if (networks.length === 0 || networks.some((net) => net.prefixLength === 0)) return { all: true };
  const ips = nodeAddresses
    .map(parseAddress)
    .filter((address) => address?.family === family)
    .map((address) => address?.ip ?? '')
    .filter((ip) => networks.some((net) => networkContains(net, ip)));
  return { all: false, ips: [...new Set(ips)] };
}

/**
 * Whether NodePorts answer on 127.0.0.0/8: when configured, for IPv4 only, and only if `nodePortAddresses` does not exclude
 * loopback. When true, sysctl `net/ipv4/conf/all/route_localnet` has to be 1.
 */
export function effectiveLocalhostNodePorts(
  configured: boolean,
  nodePortAddresses: readonly string[],
  family: IPFamily,
): boolean {
  if (!configured || family !== 'IPv4') return false;
  const networks = networksOf(nodePortAddresses, family);
  const coversLoopback = (net: Network) => isLoopback(net.cidr) || networkContains(net, '127.0.0.0');
  return networks.length === 0 || networks.some(coversLoopback);
}

/** KubeProxyConfiguration's word `primary` stands for the node's own addresses; a loopback node IP is left out. */
export function expandNodePortAddresses(nodePortAddresses: readonly string[], nodeIPs: readonly string[]): string[] {
  return nodePortAddresses.flatMap((entry) => {
    if (entry !== 'primary') return [entry];
    return nodeIPs.filter((ip) => !isLoopback(ip)).map((ip) => `${ip}/${ip.includes(':') ? 128 : 32}`);
  });
}

function networksOf(cidrs: readonly string[], family: IPFamily): Network[] {
  return cidrs.flatMap((text) => {
    const net = parseNetwork(text);
    if (!net) throw new RangeError(`nodePortAddresses: ${JSON.stringify(text)} is not a CIDR`);
    return net.family === family ? [net] : [];
  });
}
