import fc from 'fast-check';
import type { AnyObject } from './object-server.ts';
import { NODE, type Snapshot } from './pair.ts';

const ZONES = ['za', 'zb'];

/** One of these more often than one of those. */
function mostly<T>(usual: readonly T[], odd: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
}

function some<T>(items: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> {
  return fc.array(items, { maxLength });
}

// Few addresses, so that Services often claim the same ones.
const externalIPs = some(
  mostly(
    ['198.51.100.1', '198.51.100.2', '2001:db8:100::1'],
    [
      '198.051.100.003',
      '2001:DB8:100:0::2',
      '::ffff:198.51.100.4',
      'no address',
      '',
      ' ',
      '1.2.3',
      '198.51.100.5 ',
      '2001:db8::1%eth0',
    ],
  ),
  3,
);

const ingress = some(
  fc.record(
    {
      ip: mostly(['203.0.113.1', '203.0.113.2', '2001:db8:113::1'], ['203.0.0113.03', '', 'no address']),
      hostname: fc.constant('lb.example'),
      ipMode: fc.constantFrom('VIP', 'VIP', 'Proxy'),
    },
    { requiredKeys: [] },
  ),
  3,
);

const sourceRanges = some(
  mostly(
    ['198.18.0.0/24', '198.18.1.0/24', '192.0.2.0/24', '2001:db8:18::/64', '2001:db8::/64'],
    [
      ' 198.18.2.0/24 ',
      '198.18.3.77/24',
      '198.018.004.0/24',
      '0.0.0.0/0',
      '::/0',
      'no range',
      '',
      '198.18.5.1',
      '2001:db8:19::5/64',
      '::ffff:198.18.6.0/120',
      '198.18.7.0/024',
      '198.18.7.0/33',
    ],
  ),
  3,
);

const portList = fc.subarray(['', 'web', 'dns', 'dns-tcp', 'sctp'], { minLength: 1, maxLength: 3 }).chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc.record({
        name: fc.constant(name),
        protocol: fc.constant(name === 'dns' ? 'UDP' : name === 'sctp' ? 'SCTP' : 'TCP'),
        port: fc.constantFrom(53, 80, 81, 443),
        nodePort: fc.constantFrom(0, 0, 30053, 30080, 30081, 30443),
      }),
    ),
  ),
);

/** `i` decides the name and the cluster IPs. */
function service(i: number): fc.Arbitrary<AnyObject> {
  const [four, six] = [`172.30.0.${i + 1}`, `fd00:30::${i + 1}`];
  const addresses = mostly<object>(
    [
      { clusterIP: four, clusterIPs: [four], ipFamilies: ['IPv4'] },
      { clusterIP: four, clusterIPs: [four, six], ipFamilies: ['IPv4', 'IPv6'] },
      { clusterIP: six, clusterIPs: [six, four], ipFamilies: ['IPv6', 'IPv4'] },
    ],
    [
      { clusterIP: six, clusterIPs: [six], ipFamilies: ['IPv6'] },
      { clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4', 'IPv6'] },
      { clusterIP: '' },
      {},
      { clusterIP: four },
      { clusterIP: six },
      { clusterIP: four, clusterIPs: [four], ipFamilies: ['IPv4', 'IPv6'] },
      { clusterIP: `172.030.000.00${i + 1}`, clusterIPs: [`172.030.000.00${i + 1}`], ipFamilies: ['IPv4'] },
    ],
  );
  return fc
    .record({
      addresses,
      labels: mostly<Record<string, string>>(
        [{}, { app: 'x' }],
        [{ 'service.kubernetes.io/service-proxy-name': 'another' }, { 'service.kubernetes.io/headless': '' }],
      ),
      spec: fc.record(
        {
          type: mostly(['ClusterIP', 'NodePort', 'LoadBalancer', 'LoadBalancer'], ['ExternalName']),
          ports: portList,
          externalIPs,
          loadBalancerSourceRanges: sourceRanges,
          internalTrafficPolicy: fc.constantFrom('Cluster', 'Cluster', 'Local'),
          externalTrafficPolicy: fc.constantFrom('Cluster', 'Local', ''),
          healthCheckNodePort: fc.constantFrom(0, 32000 + i, 32000 + i),
          loadBalancerClass: fc.constant('example.com/lb'),
          trafficDistribution: fc.constantFrom('PreferClose', 'PreferSameNode'),
        },
        { requiredKeys: ['type', 'ports'] },
      ),
      affinity: fc.constantFrom(undefined, undefined, 1, 10800),
      ingress,
    })
    .map(({ addresses: ips, labels, spec, affinity, ingress: points }) => ({
      metadata: { namespace: `ns${i % 2}`, name: `svc${i}`, labels },
      spec: {
        ...spec,
        ...ips,
        sessionAffinity: affinity === undefined ? 'None' : 'ClientIP',
        ...(affinity !== undefined && { sessionAffinityConfig: { clientIP: { timeoutSeconds: affinity } } }),
      },
      status: { loadBalancer: { ingress: points } },
    }));
}

const conditions = fc.record(
  { ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() },
  { requiredKeys: [] },
);
const goodConditions = fc.constantFrom({}, { ready: true }, { ready: true, serving: true, terminating: false });

function endpoint(addresses: string[], hinted: boolean, state: fc.Arbitrary<object | undefined>): fc.Arbitrary<object> {
  return fc
    .record(
      {
        conditions: state,
        nodeName: fc.constantFrom(NODE, NODE, 'n2', 'n3'),
        zone: fc.constantFrom(...ZONES),
        hints: fc.record(
          {
            forZones: some(fc.constantFrom(...ZONES.map((name) => ({ name }))), 2),
            forNodes: some(fc.constantFrom({ name: NODE }, { name: 'n2' }), 2),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ['conditions'] },
    )
    .map(({ hints, ...rest }) => ({ addresses, ...rest, ...(hinted && hints && { hints }) }));
}

/**
 * Parts 0 and 2 of a Service share their addresses, as when a new Pod gets the address of one that still terminates. Which of two
 * equal copies wins is left to chance by kube-proxy, so one of them always terminates and the other never.
 */
const STATES = [
  fc.oneof(goodConditions, goodConditions, conditions).map((state) => ({ ...state, terminating: false })),
  fc.oneof(goodConditions, goodConditions, conditions, fc.constant(undefined)),
  conditions.map((state) => ({ ...state, terminating: true })),
];

function slice(i: number, part: number): fc.Arbitrary<AnyObject> {
  const net = i * 2 + (part % 2);
  const address = (family: string, n: number) => (family === 'IPv6' ? `fd00:244::${net}:${n}` : `10.244.${net}.${n}`);
  const state = STATES[part] ?? conditions;
  return fc
    .record({
      addressType: mostly(['IPv4', 'IPv4', 'IPv6'], ['FQDN']),
      named: fc.integer({ min: 0, max: 30 }).map((n) => n > 0),
      headless: fc.integer({ min: 0, max: 30 }).map((n) => n === 0),
      hinted: fc.boolean(),
      count: fc.integer({ min: 0, max: 12 }),
      ports: fc.subarray(
        [
          { name: '', protocol: 'TCP', port: 8000 },
          { name: 'web', protocol: 'TCP', port: 8080 },
          { name: 'dns', protocol: 'UDP', port: 5353 },
          { name: 'dns-tcp', protocol: 'TCP', port: 5353 },
          { name: 'sctp', protocol: 'SCTP', port: 9999 },
        ],
        { minLength: 4 },
      ),
      oddPort: mostly<object | undefined>(
        [undefined],
        [
          { protocol: 'TCP', port: 1234 },
          { name: 'web', protocol: 'UDP' },
          { name: 'other', protocol: 'TCP', port: 1 },
        ],
      ),
    })
    .chain(({ addressType, named, headless, hinted, count, ports, oddPort }) =>
      fc
        .tuple(
          ...Array.from({ length: count }, (_, n) =>
            mostly(
              [[address(addressType, n + 1)], [address(addressType, n + 1), address(addressType, n + 101)]],
              // Not an address of another family: kube-proxy would write rules that its kernel refuses, all of them.
              [[], [addressType === 'IPv4' ? `010.244.${net}.0${n + 1}` : address(addressType, n + 1)]],
            ).chain((addresses) => endpoint(addressType === 'FQDN' ? ['host.example'] : addresses, hinted, state)),
          ),
        )
        .map((endpoints) => ({
          metadata: {
            namespace: `ns${i % 2}`,
            // Of one name these two never change: an API server forbids the one, and kube-proxy forgets to follow the other.
            name: `svc${i}-${part}-${addressType.toLowerCase()}${named ? '' : '-nameless'}`,
            labels: {
              ...(named && { 'kubernetes.io/service-name': `svc${i}` }),
              ...(headless && { 'service.kubernetes.io/headless': '' }),
            },
          },
          addressType,
          ports: oddPort === undefined ? ports : [...ports, oddPort],
          endpoints,
        })),
    );
}

/** Up to six Services with up to three slices each; both may be missing at any moment. */
export const snapshots: fc.Arbitrary<Snapshot & { zone: string }> = fc
  .record({
    zone: fc.constantFrom(...ZONES, ...ZONES, ''),
    services: fc.tuple(...[0, 1, 2, 3, 4, 5].map((i) => fc.option(service(i), { freq: 4 }))),
    slices: fc.tuple(
      ...[0, 1, 2, 3, 4, 5].flatMap((i) =>
        [0, 1, 2].map((part) => fc.option(slice(i, part), { freq: part === 2 ? 2 : 5 })),
      ),
    ),
  })
  .map(({ zone, services, slices }) => ({
    zone,
    services: services.filter((s) => s !== null),
    slices: slices.filter((s) => s !== null),
  }));
