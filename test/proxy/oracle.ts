import type { Packet } from '../../src/explain/rule-match.ts';
import type { Endpoint } from '../../src/objects/endpointslice.ts';
import type { Service, ServicePort } from '../../src/objects/service.ts';
import { type Cluster, NODE, PLAN } from './arbitrary.ts';

/**
 * What the semantics of Services say should become of a packet, written without a look at rules: the KEPs' words as a table.
 * Addresses of the generated clusters are unlike each other, so at most one Service port is meant.
 */
export interface Verdict {
  /** The endpoints it may reach, each with the same chance. */
  endpoints: string[];
  /** When there are none to reach. `ignored`: no rule is about this packet. */
  otherwise: 'REJECT' | 'DROP' | 'ignored';
  /** The source address that the endpoint sees is this node's; hairpin traffic comes on top. */
  masquerade: boolean;
}

export function verdictFor(cluster: Cluster, packet: Packet): Verdict {
  for (const service of cluster.services) {
    for (const port of service.spec.ports ?? []) {
      if ((port.protocol ?? 'TCP') !== packet.protocol) continue;
      const way = wayIn(cluster, service, port, packet);
      if (way) return judge(cluster, service, port, packet, way);
    }
  }
  return { endpoints: [], otherwise: 'ignored', masquerade: false };
}

type Way = 'cluster' | 'external' | 'balancer' | 'node';

function wayIn(cluster: Cluster, { spec, status }: Service, port: ServicePort, packet: Packet): Way | undefined {
  const { destination, destinationPort } = packet;
  if (destination === PLAN[cluster.config.ipFamily].nodeIP)
    return destinationPort === port.nodePort ? 'node' : undefined;
  if (destinationPort !== port.port) return undefined;
  if (destination === spec.clusterIP) return 'cluster';
  if (spec.externalIPs?.includes(destination)) return 'external';
  return status?.loadBalancer?.ingress?.some((point) => point.ip === destination) ? 'balancer' : undefined;
}

function judge(cluster: Cluster, service: Service, port: ServicePort, packet: Packet, way: Way): Verdict {
  const { spec } = service;
  const { config } = cluster;
  const all = endpointsOf(cluster, service);
  const everywhere = usable(all, (ready) => hinted(ready, cluster));
  const here = usable(
    all.filter((e) => e.nodeName === NODE),
    (ready) => ready,
  );
  const target = { TCP: 8080, UDP: 5353, SCTP: 9999 }[port.protocol ?? 'TCP'];
  const fromHost = packet.inInterface === undefined;
  const fromPod =
    config.localDetector?.mode === 'ClusterCIDR' ? isPod(packet) : (packet.inInterface ?? '').startsWith('veth');
  const to = (chosen: Endpoint[], masquerade: boolean): Verdict => ({
    endpoints: chosen.map(({ addresses: [ip = ''] }) => (ip.includes(':') ? `[${ip}]:${target}` : `${ip}:${target}`)),
    otherwise: usable(all, (ready) => ready).length > 0 ? 'DROP' : 'REJECT',
    masquerade,
  });

  if (way === 'cluster') {
    const masquerade = config.masqueradeAll || (config.localDetector !== undefined && !fromPod);
    return to(spec.internalTrafficPolicy === 'Local' ? here : everywhere, masquerade);
  }
  if (way === 'balancer' && everywhere.length > 0 && !admitted(cluster, service, packet)) {
    return { endpoints: [], otherwise: 'DROP', masquerade: false };
  }
  // Nothing refuses what the host itself sends to an outside address that has no endpoints: filter OUTPUT does not look.
  const outside = (verdict: Verdict): Verdict => (fromHost ? { ...verdict, otherwise: 'ignored' } : verdict);
  const isLocal =
    spec.externalTrafficPolicy === 'Local' && (spec.type !== 'ClusterIP' || (spec.externalIPs?.length ?? 0) > 0);
  if (!isLocal) return outside(to(everywhere, true));
  if (config.localDetector && fromPod) return outside(to(everywhere, false));
  if (packet.source === PLAN[config.ipFamily].nodeIP) return outside(to(everywhere, true));
  return outside(to(here, false));
}

function endpointsOf({ slices }: Cluster, { metadata }: Service): Endpoint[] {
  return slices
    .filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === metadata.name)
    .flatMap((s) => s.endpoints);
}

/** Ready ones as far as `admit` lets them, else those that still serve while they terminate. */
function usable(endpoints: Endpoint[], admit: (ready: Endpoint[]) => Endpoint[]): Endpoint[] {
  const ready = admit(endpoints.filter((e) => e.conditions?.ready ?? true));
  if (ready.length > 0) return ready;
  return endpoints.filter((e) => (e.conditions?.serving ?? true) && e.conditions?.terminating);
}

function hinted(ready: Endpoint[], { config }: Cluster): Endpoint[] {
  for (const [key, own] of [
    ['forNodes', NODE],
    ['forZones', config.zone],
  ] as const) {
    const all = ready.every((e) => (e.hints?.[key]?.length ?? 0) > 0);
    const mine = ready.filter((e) => e.hints?.[key]?.some(({ name }) => name === own));
    if (all && mine.length > 0) return mine;
  }
  return ready;
}

/** The ranges of `PLAN`, which the sources used in tests are plainly in or out of. */
function admitted({ config }: Cluster, { spec, status }: Service, packet: Packet): boolean {
  const six = config.ipFamily === 'IPv6';
  const own = (spec.loadBalancerSourceRanges ?? []).filter((range) => range.includes(':') === six);
  if (own.length === 0) return true;
  const [outside, aroundNode, pods] = PLAN[config.ipFamily].ranges;
  const inRange = (ip: string) =>
    (own.includes(outside) && /^(203\.0\.113\.|2001:db8:113:)/.test(ip)) ||
    (own.includes(aroundNode) && /^(192\.168\.|2001:db8:)/.test(ip)) ||
    (own.includes(pods) && isPodAddress(ip));
  const nodeMayUseVIP = own.includes(aroundNode) && status?.loadBalancer?.ingress?.some((p) => p.ip === packet.source);
  return inRange(packet.source) || nodeMayUseVIP === true;
}

function isPod({ source }: Packet): boolean {
  return isPodAddress(source);
}

function isPodAddress(ip: string): boolean {
  return ip.startsWith('10.') || ip.startsWith('fd00:10:');
}
