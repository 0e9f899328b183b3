import fc from 'fast-check';
import type { Endpoint, EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import type { Service } from '../../../src/objects/service.ts';
import { DEFAULT_FEATURE_GATES, type ProxyRulesConfig } from '../../../src/proxy/config-types.ts';
import type { DesiredRules } from '../../../src/proxy/iptables/rules.ts';
import { desiredFor } from '../support.ts';

export function rulesConfig(over: Partial<ProxyRulesConfig> = {}): ProxyRulesConfig {
  const four = (over.ipFamily ?? 'IPv4') === 'IPv4';
  return {
    ipFamily: 'IPv4',
    nodeName: 'n1',
    nodeIP: four ? '192.168.0.2' : '2001:db8::2',
    zone: '',
    masqueradeAll: false,
    masqueradeMark: '0x00004000',
    localDetector: { mode: 'ClusterCIDR', value: four ? '10.0.0.0/8' : 'fd00:10::/64' },
    localhostNodePorts: four,
    nodePortAddresses: [],
    nodeAddresses: [],
    randomFully: true,
    conntrackTCPLiberal: false,
    nfacctCounters: { ctStateInvalidDropped: false, localhostNodePortsAccepted: false },
    featureGates: DEFAULT_FEATURE_GATES,
    ...over,
  };
}

/** One Service of a made-up cluster and its endpoints, in few enough words that two clusters often share some. */
interface Sketch {
  id: number;
  kind: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'externalIPs';
  protocol: 'TCP' | 'UDP' | 'SCTP';
  ports: 1 | 2;
  affinity: boolean;
  internalLocal: boolean;
  externalLocal: boolean;
  ranges: boolean;
  /** Endpoint number -> state. */
  endpoints: { id: number; state: 'ready' | 'unready' | 'terminating'; local: boolean }[];
}

const sketches: fc.Arbitrary<Sketch[]> = fc.uniqueArray(
  fc.record({
    id: fc.integer({ min: 1, max: 9 }),
    kind: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'externalIPs'),
    protocol: fc.constantFrom('TCP', 'TCP', 'UDP', 'SCTP'),
    ports: fc.constantFrom(1, 2),
    affinity: fc.boolean(),
    internalLocal: fc.boolean(),
    externalLocal: fc.boolean(),
    ranges: fc.boolean(),
    endpoints: fc.uniqueArray(
      fc.record({
        id: fc.integer({ min: 1, max: 5 }),
        state: fc.constantFrom('ready', 'ready', 'unready', 'terminating'),
        local: fc.boolean(),
      }),
      { selector: (e) => e.id, maxLength: 5 },
    ),
  }),
  { selector: (s) => s.id, maxLength: 8 },
);

/** The desired rules of made-up clusters of up to 8 Services, over all kinds of Service and policy. */
export function desiredRules(config: ProxyRulesConfig): fc.Arbitrary<DesiredRules> {
  return fc
    .tuple(
      sketches,
      fc.constantFrom(config, { ...config, nodePortAddresses: NODE_CIDRS, nodeAddresses: NODE_ADDRESSES }),
    )
    .map(([list, variant]) => {
      const objects = list.map((sketch) => objectsOf(sketch, config.ipFamily));
      return desiredFor(
        objects.map((o) => o.service),
        objects.flatMap((o) => o.slices),
        variant,
      ).desired;
    });
}

const NODE_CIDRS = ['192.168.0.0/16', '2001:db8::/64'];
const NODE_ADDRESSES = ['192.168.0.2', '192.168.1.2', '2001:db8::2'];

function objectsOf(s: Sketch, family: IPFamily): { service: Service; slices: EndpointSlice[] } {
  const ip = (four: string, six: string) => (family === 'IPv4' ? four : six);
  const ports = [
    { name: 'a', protocol: s.protocol, port: 80 },
    { name: 'b', protocol: s.protocol, port: 81 },
  ].slice(0, s.ports);
  const metadata = { namespace: 'ns', name: `svc-${s.id}` };
  const external = s.kind === 'NodePort' || s.kind === 'LoadBalancer';
  const service: Service = {
    metadata,
    spec: {
      type: s.kind === 'externalIPs' ? 'ClusterIP' : s.kind,
      clusterIP: ip(`172.30.0.${s.id}`, `fd00:172::${s.id}`),
      ports: ports.map((p) => (external ? { ...p, nodePort: 30_000 + s.id * 10 + p.port } : p)),
      internalTrafficPolicy: s.internalLocal ? 'Local' : 'Cluster',
      externalTrafficPolicy: s.externalLocal ? 'Local' : 'Cluster',
      ...(s.affinity && { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 90 } } }),
      ...(s.kind === 'externalIPs' && { externalIPs: [ip(`198.51.100.${s.id}`, `2001:db8:1::${s.id}`)] }),
      ...(s.kind === 'LoadBalancer' && s.externalLocal && { healthCheckNodePort: 31_000 + s.id }),
      ...(s.ranges && { loadBalancerSourceRanges: [ip('192.168.0.0/24', '2001:db8::/64')] }),
    },
    ...(s.kind === 'LoadBalancer' && {
      status: { loadBalancer: { ingress: [{ ip: ip(`203.0.113.${s.id}`, `2001:db8:2::${s.id}`) }] } },
    }),
  };
  const endpoints: Endpoint[] = s.endpoints.map((e) => ({
    addresses: [ip(`10.1.${s.id}.${e.id}`, `fd00:10::${s.id}:${e.id}`)],
    nodeName: e.local ? 'n1' : 'n2',
    conditions: {
      ready: e.state === 'ready',
      serving: e.state !== 'unready',
      terminating: e.state === 'terminating',
    },
  }));
  const slice: EndpointSlice = {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
    addressType: family,
    endpoints,
    ports: ports.map(({ name, protocol, port }) => ({ name, protocol, port: port + 8000 })),
  };
  return { service, slices: [slice] };
}
