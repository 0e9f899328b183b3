import type { NodeAddresses, Topology } from './topology.ts';

/** What to tell the kernel, as plain data: the order is the order of execution. */
export type NetStep =
  | { kind: 'namespace'; name: string }
  /** Lines for `ip -batch` inside a namespace. `@NAME` stands for the namespace NAME. */
  | { kind: 'ip'; host: string; lines: string[] }
  /** Written below /proc/sys/net inside a namespace; keys that the kernel lacks are left out. */
  | { kind: 'sysctl'; host: string; values: Record<string, string> }
  | { kind: 'remove'; name: string };

/** Interface names have at most 15 characters, and Pod names have more: hosts are numbered. */
export function nodePort(index: number): string {
  return `node${index}`;
}

export function podVeth(index: number): string {
  return `veth${index}`;
}

const LOOPBACK_UP = 'link set lo up';

/**
 * Routers as Kubernetes nodes are. Reverse path filtering is off because a masqueraded or hairpin packet may come back by
 * another way than routing would expect; redirects are off because a hairpin packet leaves by the interface it came in.
 */
const ROUTER: Record<string, string> = {
  'ipv4/ip_forward': '1',
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/default/rp_filter': '0',
  'ipv4/conf/all/send_redirects': '0',
  'ipv4/conf/default/send_redirects': '0',
  'ipv6/conf/all/forwarding': '1',
};

const IPV6_HOST: Record<string, string> = {
  'ipv6/conf/all/disable_ipv6': '0',
  'ipv6/conf/default/disable_ipv6': '0',
  'ipv6/conf/default/accept_ra': '0',
  // Every address here is planned; looking for duplicates would cost the first packets a second.
  'ipv6/conf/all/accept_dad': '0',
  'ipv6/conf/default/accept_dad': '0',
};

/**
 * The wire, the nodes and the client. The wire does not forward: what no rule on a node has redirected to a Pod dies there,
 * as a packet to an unknown ClusterIP does in a data centre.
 */
export function fabricPlan(topology: Topology, ipv6: boolean): NetStep[] {
  const { wire, client, nodes } = topology;
  const v6 = <T>(...items: T[]): T[] => (ipv6 ? items : []);
  const steps: NetStep[] = [
    { kind: 'sysctl', host: wire.name, values: IPV6_HOST },
    {
      kind: 'ip',
      host: wire.name,
      lines: [
        LOOPBACK_UP,
        'link add wire0 type bridge',
        'link set wire0 up',
        `addr add ${wire.ipv4}/24 dev wire0`,
        ...v6(`addr add ${wire.ipv6}/64 dev wire0 nodad`),
      ],
    },
  ];
  for (const [index, host] of [...nodes, client].entries()) {
    const isNode = host !== client;
    steps.push(
      { kind: 'namespace', name: host.name },
      { kind: 'sysctl', host: host.name, values: isNode ? { ...IPV6_HOST, ...ROUTER } : IPV6_HOST },
      {
        kind: 'ip',
        host: wire.name,
        lines: [
          `link add ${nodePort(index)} type veth peer name eth0 netns @${host.name}`,
          `link set ${nodePort(index)} master wire0`,
          `link set ${nodePort(index)} up`,
        ],
      },
      {
        kind: 'ip',
        host: host.name,
        lines: [
          LOOPBACK_UP,
          `addr add ${host.ipv4}/24 dev eth0`,
          ...v6(`addr add ${host.ipv6}/64 dev eth0 nodad`),
          'link set eth0 up',
          ...(isNode ? nodeRoutes(topology, host.name, ipv6) : []),
        ],
      },
    );
  }
  return steps;
}

function nodeRoutes(topology: Topology, name: string, ipv6: boolean): string[] {
  const lines = [`route add default via ${topology.wire.ipv4}`];
  if (ipv6) lines.push(`route add ::/0 via ${topology.wire.ipv6}`);
  for (const node of topology.nodes) {
    // A Pod address of this node that no Pod has: refuse it here instead of sending it in circles.
    const own = node.name === name;
    lines.push(
      own ? `route add unreachable ${node.podCIDR}` : `route add ${node.podCIDR} via ${node.ipv4}`,
      ...(ipv6 ? [own ? `route add unreachable ${node.podCIDR6}` : `route add ${node.podCIDR6} via ${node.ipv6}`] : []),
    );
  }
  return lines;
}

/**
 * One Pod on a routed veth pair of its own, without a bridge on the node: each packet between Pods is then routed, so it
 * meets the node's rules even where br_netfilter is absent, and a Pod can reach itself through its Service.
 */
export function podPlan(
  node: NodeAddresses,
  pod: { host: string; index: number; ipv4: string; ipv6?: string | undefined },
): NetStep[] {
  const veth = podVeth(pod.index);
  // The gateway of IPv6 must be an address of the interface itself; link-local addresses may repeat on each.
  const gateway6 = 'fe80::1';
  const v6 = (...lines: string[]) => (pod.ipv6 ? lines : []);
  return [
    { kind: 'namespace', name: pod.host },
    { kind: 'sysctl', host: pod.host, values: IPV6_HOST },
    {
      kind: 'ip',
      host: node.name,
      lines: [
        `link add ${veth} type veth peer name eth0 netns @${pod.host}`,
        `addr add ${node.podGateway}/32 dev ${veth}`,
        ...v6(`addr add ${gateway6}/64 dev ${veth} nodad`),
        `link set ${veth} up`,
      ],
    },
    {
      kind: 'ip',
      host: pod.host,
      lines: [
        LOOPBACK_UP,
        `addr add ${pod.ipv4}/32 dev eth0`,
        ...v6(`addr add ${pod.ipv6}/128 dev eth0 nodad`),
        'link set eth0 up',
        `route add ${node.podGateway} dev eth0 scope link`,
        `route add default via ${node.podGateway}`,
        ...v6(`route add ::/0 via ${gateway6} dev eth0`),
      ],
    },
    {
      kind: 'ip',
      host: node.name,
      lines: [
        `route add ${pod.ipv4}/32 dev ${veth} src ${node.podGateway}`,
        ...v6(`route add ${pod.ipv6}/128 dev ${veth}`),
      ],
    },
  ];
}

export function podRemovalPlan(node: NodeAddresses, pod: { host: string; index: number }): NetStep[] {
  return [
    // Deletes both ends at once; waiting for the kernel to take the namespace down would leave the route a while.
    { kind: 'ip', host: node.name, lines: [`link del ${podVeth(pod.index)}`] },
    { kind: 'remove', name: pod.host },
  ];
}
