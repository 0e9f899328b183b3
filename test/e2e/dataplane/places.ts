import type { Hosts, PodAddresses } from '../../../src/embedded/hosts/hosts.ts';
import { type NodeAddresses, planTopology } from '../../../src/embedded/hosts/topology.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import { parseAddress } from '../../../src/proxy/addresses.ts';

/** Who is where: two nodes with Pods that serve, one node whose only Pod is never an endpoint, and machines outside. */
export const TOPOLOGY = planTopology([
  { name: 'one', zone: 'zone-a' },
  { name: 'two', zone: 'zone-b' },
  { name: 'bare', zone: 'zone-c' },
]);

export type NodeName = 'one' | 'two' | 'bare';
export type PodName = 'a' | 'b' | 'c' | 'd';
/** Two more addresses of the client's machine. What the wire answers to `wanderer` does not pass node one. */
const ALIASES = ['stranger', 'wanderer'] as const;
export type Place = NodeName | PodName | 'client' | (typeof ALIASES)[number];

export const NODES: readonly NodeName[] = ['one', 'two', 'bare'];
export const NODE_OF: Readonly<Record<PodName, NodeName>> = { a: 'one', b: 'one', c: 'two', d: 'bare' };
export const PODS = Object.keys(NODE_OF) as PodName[];
export const CLUSTER_CIDR: Readonly<Record<IPFamily, string>> = {
  IPv4: TOPOLOGY.clusterCIDR,
  IPv6: TOPOLOGY.clusterCIDR6,
};
export const SERVICE_CIDR: Readonly<Record<IPFamily, string>> = { IPv4: '10.96.0.0/16', IPv6: 'fd00:10:96::/112' };

export function nodeOf(name: NodeName): NodeAddresses {
  const found = TOPOLOGY.nodes.find((node) => node.name === name);
  if (!found) throw new RangeError(`no node "${name}"`);
  return found;
}

export function podAddresses(name: PodName): PodAddresses {
  const node = NODES.indexOf(NODE_OF[name]);
  const number = PODS.indexOf(name) + 10;
  const ipv6 = parseAddress(`fd00:10:244:${node}::${number}`)?.ip ?? '';
  return { pod: `default/${name}`, ipv4: `10.244.${node}.${number}`, ipv6 };
}

/** The name that a host has among `Hosts`. */
export function hostOf(place: Place): string {
  if (isAlias(place)) return 'client';
  return isPod(place) ? `default/${place}` : place;
}

function isAlias(place: Place): place is (typeof ALIASES)[number] {
  return ALIASES.includes(place as (typeof ALIASES)[number]);
}

export function isPod(place: string): place is PodName {
  return place in NODE_OF;
}

/** The address by which a place is known; nodes have a second one towards their Pods. */
export function addressOf(place: Place, family: IPFamily): string {
  const of = ({ ipv4, ipv6 = '' }: { ipv4: string; ipv6?: string }) => (family === 'IPv4' ? ipv4 : ipv6);
  if (place === 'client') return of(TOPOLOGY.client);
  if (isAlias(place)) return crowd(family, ALIASES.length)[ALIASES.indexOf(place)] ?? '';
  return of(isPod(place) ? podAddresses(place) : nodeOf(place));
}

/** More addresses of the client's machine. */
export function crowd(family: IPFamily, size: number): string[] {
  return Array.from({ length: size }, (_, i) =>
    family === 'IPv4' ? `172.18.0.${201 + i}` : `fd00:172:18::${201 + i}`,
  );
}

export const CROWD = 40;

/** The place that an address belongs to; the address itself when nobody has it. */
export function placeAt(address: string): string {
  for (const place of [...NODES, ...PODS, 'client', ...ALIASES] as Place[]) {
    if (addressOf(place, 'IPv4') === address || addressOf(place, 'IPv6') === address) return place;
  }
  return TOPOLOGY.nodes.find((node) => node.podGateway === address)?.name ?? address;
}

/** Addresses outside of any host whose packets the client sends to one of the nodes, as a router in front of it would. */
export function blockOf(
  kind: 'vip' | 'externalIP',
  node: NodeName,
  family: IPFamily,
): { cidr: string; prefix: string } {
  const index = NODES.indexOf(node) + 1;
  if (family === 'IPv4') {
    const prefix = `198.${kind === 'vip' ? 18 : 19}.${index}.`;
    return { cidr: `${prefix}0/24`, prefix };
  }
  const prefix = `2001:db8:${kind === 'vip' ? 1 : 2}:${index}::`;
  return { cidr: `${prefix}/64`, prefix };
}

/** Routes and settings that make each outcome visible. */
export async function prepareNetwork(hosts: Hosts, families: readonly IPFamily[]): Promise<void> {
  const kinds = ['vip', 'externalIP'] as const;
  const run = async (host: string, argv: string[], input: string) => {
    const { code, stderr } = await hosts.exec(host, argv, { input });
    if (code !== 0) throw new Error(`${argv.join(' ')} on ${host}: ${stderr}`);
  };
  for (const family of families) {
    const ip = family === 'IPv4' ? 'ip' : 'ip -6';
    const argv = [...ip.split(' '), '-batch', '-'];
    const towards = (node: NodeName) => addressOf(node, family);
    const client = [
      `route add ${SERVICE_CIDR[family]} via ${towards('one')}`,
      ...kinds.flatMap((kind) =>
        NODES.map((node) => `route add ${blockOf(kind, node, family).cidr} via ${towards(node)}`),
      ),
      ...crowd(family, CROWD).map((address) =>
        family === 'IPv4' ? `addr add ${address}/24 dev eth0` : `addr add ${address}/64 dev eth0 nodad`,
      ),
    ];
    // The wire answers for every address that no node has taken care of, so that such packets differ from dropped ones.
    const wire = [
      `route add local ${SERVICE_CIDR[family]} dev lo`,
      ...kinds.flatMap((kind) => NODES.map((node) => `route add local ${blockOf(kind, node, family).cidr} dev lo`)),
      // Back by the way that the question came, or connection tracking on node one would see half of a connection.
      ...(['client', 'stranger'] as const).map(
        (place) => `route add ${addressOf(place, family)} via ${towards('one')}`,
      ),
      ...TOPOLOGY.nodes.map(
        ({ name, podCIDR, podCIDR6 }) =>
          `route add ${family === 'IPv4' ? podCIDR : podCIDR6} via ${towards(name as NodeName)}`,
      ),
    ];
    await run('client', argv, `${client.join('\n')}\n`);
    await run('wire', argv, `${wire.join('\n')}\n`);
  }
  const everywhere = ['wire', 'client', ...NODES, ...PODS.map(hostOf)];
  await Promise.all(everywhere.map((host) => run(host, ['sh', '-e'], settings(host))));
}

/** The kernel sends only a few refusals a second by default, too few for a test that provokes hundreds. */
function settings(host: string): string {
  const values: Record<string, number> = {
    'ipv4/icmp_ratelimit': 0,
    'ipv4/icmp_ratemask': 0,
    'ipv6/icmp/ratelimit': 0,
    ...(NODES.includes(host as NodeName) && { 'ipv4/conf/all/route_localnet': 1 }),
  };
  const lines = Object.entries(values).map(([key, value]) => `[ ! -e ${key} ] || echo ${value} > ${key}`);
  return ['cd /proc/sys/net', ...lines].join('\n');
}
