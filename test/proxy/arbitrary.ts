import fc from 'fast-check';
import type { Endpoint, EndpointSlice } from '../../src/objects/endpointslice.ts';
import type { IPFamily } from '../../src/objects/meta.ts';
import type { Service } from '../../src/objects/service.ts';
import { DEFAULT_FEATURE_GATES, type ProxyRulesConfig } from '../../src/proxy/config-types.ts';

export interface Cluster {
  config: ProxyRulesConfig;
  services: Service[];
  slices: EndpointSlice[];
}

/** How a family writes the addresses that the generated clusters use. */
export const PLAN = {
  IPv4: {
    nodeIP: '192.168.0.2',
    podCIDR: '10.0.0.0/8',
    ranges: ['203.0.113.0/24', '192.168.0.0/16', '10.0.0.0/8', '2001:db8::/64'],
    clusterIP: (i: number) => `172.30.0.${i + 1}`,
    external: (i: number) => `198.51.100.${i + 1}`,
    vip: (i: number) => `198.51.101.${i + 1}`,
    pod: (i: number) => `10.180.0.${i + 1}`,
  },
  IPv6: {
    nodeIP: '2001:db8::2',
    podCIDR: 'fd00:10::/32',
    ranges: ['2001:db8:113::/64', '2001:db8::/32', 'fd00:10::/32', '203.0.113.0/24'],
    clusterIP: (i: number) => `fd00:172::${i + 1}`,
    external: (i: number) => `2001:db8:100::${i + 1}`,
    vip: (i: number) => `2001:db8:101::${i + 1}`,
    pod: (i: number) => `fd00:10::${i + 1}`,
  },
} as const;

export const NODE = 'node-1';
const ZONES = ['zone-a', 'zone-b'];

export function configs(family: IPFamily): fc.Arbitrary<ProxyRulesConfig> {
  const { nodeIP, podCIDR } = PLAN[family];
  return fc.record({
    ipFamily: fc.constant(family),
    nodeName: fc.constant(NODE),
    nodeIP: fc.constant(nodeIP),
    zone: fc.constantFrom('', ...ZONES),
    masqueradeAll: fc.boolean(),
    masqueradeMark: fc.constant('0x00004000'),
    localDetector: fc.constantFrom(
      undefined,
      { mode: 'ClusterCIDR', value: podCIDR } as const,
      {
        mode: 'InterfaceNamePrefix',
        value: 'veth',
      } as const,
    ),
    localhostNodePorts: fc.constant(family === 'IPv4'),
    nodePortAddresses: fc.constant([]),
    nodeAddresses: fc.constant([nodeIP]),
    randomFully: fc.boolean(),
    conntrackTCPLiberal: fc.boolean(),
    nfacctCounters: fc.record({ ctStateInvalidDropped: fc.boolean(), localhostNodePortsAccepted: fc.boolean() }),
    featureGates: fc.constant(DEFAULT_FEATURE_GATES),
  });
}

const conditions = fc.constantFrom(
  { ready: true, serving: true, terminating: false },
  { ready: false, serving: true, terminating: true },
  { ready: false, serving: false, terminating: true },
  { ready: false, serving: false, terminating: false },
  { ready: false, serving: true, terminating: false },
);

/** Endpoint number `i` of its Service; its address is its own in the whole cluster. */
function endpoint(address: string): fc.Arbitrary<Endpoint> {
  return fc.record(
    {
      addresses: fc.constant([address]),
      conditions: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, conditions),
      nodeName: fc.constantFrom(NODE, 'node-2', 'node-3'),
      hints: fc.record(
        {
          forZones: fc.subarray(ZONES.map((name) => ({ name }))),
          forNodes: fc.subarray([{ name: NODE }, { name: 'node-2' }]),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['addresses', 'conditions', 'nodeName'] },
  );
}

/** Service number `index`, with one to three ports, everything about it unlike any other Service's. */
export function serviceOf(index: number, family: IPFamily): fc.Arbitrary<Service> {
  const plan = PLAN[family];
  const port = (i: number, nodePort: boolean) => ({
    name: `p${i}`,
    protocol: (['TCP', 'UDP', 'SCTP'] as const)[i] ?? 'TCP',
    port: 80 + i,
    ...(nodePort && { nodePort: 30000 + index * 3 + i }),
  });
  return fc
    .record({
      ports: fc.integer({ min: 1, max: 3 }),
      nodePorts: fc.boolean(),
      external: fc.integer({ min: 0, max: 1 }),
      vips: fc.integer({ min: 0, max: 2 }),
      ranges: fc.option(fc.subarray([...plan.ranges]), { freq: 2, nil: [] }),
      internalLocal: fc.boolean(),
      externalLocal: fc.boolean(),
      affinity: fc.boolean(),
      healthCheck: fc.boolean(),
    })
    .map((draw) => ({
      metadata: { namespace: `ns${index % 2}`, name: `svc${index}` },
      spec: {
        type: draw.vips > 0 ? 'LoadBalancer' : draw.nodePorts ? 'NodePort' : 'ClusterIP',
        clusterIP: plan.clusterIP(index),
        ports: Array.from({ length: draw.ports }, (_, i) => port(i, draw.nodePorts)),
        externalIPs: Array.from({ length: draw.external }, () => plan.external(index)),
        internalTrafficPolicy: draw.internalLocal ? 'Local' : 'Cluster',
        externalTrafficPolicy: draw.externalLocal ? 'Local' : 'Cluster',
        loadBalancerSourceRanges: draw.ranges,
        sessionAffinity: draw.affinity ? 'ClientIP' : 'None',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } },
        ...(draw.healthCheck && { healthCheckNodePort: 32000 + index }),
      },
      status: {
        loadBalancer: { ingress: Array.from({ length: draw.vips }, (_, i) => ({ ip: plan.vip(index * 2 + i) })) },
      },
    }));
}

/** One slice of Service `index`, with 0 to 5 endpoints for its three ports. */
export function sliceOf(index: number, part: number, family: IPFamily): fc.Arbitrary<EndpointSlice> {
  const addresses = Array.from({ length: 5 }, (_, i) => PLAN[family].pod(index * 10 + part * 5 + i));
  return fc
    .record({
      count: fc.integer({ min: 0, max: 5 }),
      endpoints: fc.tuple(...addresses.map(endpoint)),
      hinted: fc.boolean(),
    })
    .map(({ count, endpoints, hinted }) => ({
      metadata: {
        namespace: `ns${index % 2}`,
        name: `svc${index}-${part}`,
        labels: { 'kubernetes.io/service-name': `svc${index}` },
      },
      addressType: family,
      endpoints: endpoints.slice(0, count).map(({ hints, ...rest }) => (hinted && hints ? { ...rest, hints } : rest)),
      ports: [
        { name: 'p0', protocol: 'TCP', port: 8080 },
        { name: 'p1', protocol: 'UDP', port: 5353 },
        { name: 'p2', protocol: 'SCTP', port: 9999 },
      ],
    }));
}

export function clusters(family: IPFamily): fc.Arbitrary<Cluster> {
  return fc.integer({ min: 1, max: 4 }).chain((count) => {
    const indexes = Array.from({ length: count }, (_, i) => i);
    return fc
      .record({
        config: configs(family),
        services: fc.tuple(...indexes.map((i) => serviceOf(i, family))),
        slices: fc.tuple(...indexes.flatMap((i) => [sliceOf(i, 0, family), sliceOf(i, 1, family)])),
      })
      .map((cluster) => cluster);
  });
}
