import type { Endpoint, EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import type { Service } from '../../../src/objects/service.ts';
import { SERVED_PORT } from './agent-protocol.ts';
import { addressOf, blockOf, isPod, NODE_OF, type NodeName, type PodName } from './places.ts';

/** What a test says of one Service and its endpoints; addresses and ports come from its number. */
export interface Draft {
  name: string;
  /** From 1 to 250, its own among the Services that exist at the same time. */
  number: number;
  /** Everything else of the spec. */
  spec?: Partial<Service['spec']>;
  labels?: Record<string, string>;
  /** Has a node port. */
  nodePort?: boolean;
  /** Has external IPs and load balancer VIPs, by the node to which the world outside sends them. */
  externalIPs?: readonly NodeName[];
  vips?: readonly NodeName[];
  ipMode?: 'VIP' | 'Proxy';
  /** The load balancer is known by a name only; its addresses are still those of `vips`. */
  byHostname?: boolean;
  endpoints: readonly EndpointDraft[];
}

/** A Pod, or a process in a node's own network, that is ready; or one in another state. */
export type EndpointDraft = PodName | NodeName | (Partial<Endpoint> & { at: PodName | NodeName });

export interface Cluster {
  services: Service[];
  slices: EndpointSlice[];
}

export const SERVICE_PORT = 80;
/** A port that no Service has. */
export const OTHER_PORT = 81;

export function nodePortOf(number: number): number {
  return 30000 + number;
}

export function clusterIPOf(number: number, family: IPFamily): string {
  return family === 'IPv4' ? `10.96.0.${number}` : `fd00:10:96::${number.toString(16)}`;
}

export function externalOf(kind: 'vip' | 'externalIP', number: number, node: NodeName, family: IPFamily): string {
  return `${blockOf(kind, node, family).prefix}${family === 'IPv4' ? number : number.toString(16)}`;
}

/** The objects as one family's proxier would see them. Each Service has the same port number for TCP and for UDP. */
export function clusterOf(drafts: readonly Draft[], family: IPFamily): Cluster {
  return {
    services: drafts.map((draft) => serviceOf(draft, family)),
    slices: drafts.map((draft) => sliceOf(draft, family)),
  };
}

function serviceOf(draft: Draft, family: IPFamily): Service {
  const { name, number, vips = [], externalIPs = [] } = draft;
  const clusterIP = clusterIPOf(number, family);
  const mode = draft.ipMode && { ipMode: draft.ipMode };
  return {
    metadata: { namespace: 'e2e', name, ...(draft.labels && { labels: draft.labels }) },
    spec: {
      type: vips.length > 0 ? 'LoadBalancer' : draft.nodePort ? 'NodePort' : 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [family],
      ports: (['TCP', 'UDP'] as const).map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: SERVICE_PORT,
        ...(draft.nodePort && { nodePort: nodePortOf(number) }),
      })),
      ...(externalIPs.length > 0 && {
        externalIPs: externalIPs.map((node) => externalOf('externalIP', number, node, family)),
      }),
      ...(vips.length > 0 && draft.spec?.externalTrafficPolicy === 'Local' && { healthCheckNodePort: 31000 + number }),
      ...draft.spec,
    },
    status: {
      loadBalancer: {
        ingress: draft.byHostname
          ? [{ hostname: 'balancer.example' }]
          : vips.map((node) => ({ ip: externalOf('vip', number, node, family), ...mode })),
      },
    },
  };
}

function sliceOf({ name, endpoints }: Draft, family: IPFamily): EndpointSlice {
  return {
    metadata: { namespace: 'e2e', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: family,
    endpoints: endpoints.map((draft) => {
      const { at, ...rest } = typeof draft === 'string' ? { at: draft } : draft;
      return { addresses: [addressOf(at, family)], nodeName: isPod(at) ? NODE_OF[at] : at, ...rest };
    }),
    ports: [
      { name: 'tcp', protocol: 'TCP', port: SERVED_PORT },
      { name: 'udp', protocol: 'UDP', port: SERVED_PORT },
    ],
  };
}
