import { dualStack, node, patchService, pod, pods, poke, report, seen, service } from '../actions.ts';
import type { Action, Scenario } from '../scenario.ts';

/** There are three nodes in three zones that count, `n1` to `n3`, with as many CPUs each. */
const spread = (i: number) => ({ node: `n${(i % 3) + 1}` });
const mode = 'service.kubernetes.io/topology-mode';
const oldMode = 'service.kubernetes.io/topology-aware-hints';
const annotate = (annotations: Record<string, string | null>) => patchService({ metadata: { annotations } });
const auto = { annotations: { [mode]: 'Auto' } };
const distribute = (trafficDistribution: string | null) => patchService({ spec: { trafficDistribution } });

/** Hints by hand on every endpoint. */
const plantHints = (zone: string): Action => ({
  op: 'edit slices',
  service: 'web',
  patch: ({ endpoints }) => ({
    endpoints: endpoints?.map((endpoint) => ({ ...endpoint, hints: { forZones: [{ name: zone }] } })),
  }),
});

export const DISTRIBUTION: Scenario[] = [
  {
    name: 'traffic distribution',
    steps: [
      {
        step: 'the Pods',
        do: [
          ...pods(3, spread),
          ...node('zoneless', { controlPlane: true }),
          ...pod('zoneless', { ips: ['10.1.7.1'], node: 'zoneless' }),
          ...pod('down', { ips: ['10.1.7.2'], ready: false }),
        ],
      },
      { step: 'the Service', do: [service('web', { trafficDistribution: 'PreferClose' })] },
      { step: 'a Pod is no longer ready', do: [report('p0', { ready: false })] },
      { step: 'it is again', do: [report('p0', { ready: true })] },
      { step: 'same zone', do: [distribute('PreferSameZone')] },
      { step: 'same node', do: [distribute('PreferSameNode')] },
      { step: 'a Pod comes', do: pod('late', { ips: ['10.1.7.3'], node: 'n2' }) },
      { step: 'close again', do: [distribute('PreferClose')] },
      { step: 'none', do: [distribute(null)] },
      { step: 'same node at once', do: [distribute('PreferSameNode')] },
      { step: 'those not ready are published', do: [patchService({ spec: { publishNotReadyAddresses: true } })] },
    ],
  },
  {
    name: 'traffic distribution in two families',
    steps: [
      { step: 'the Pods', do: pods(2, (i) => ({ ...spread(i), ips: [`10.1.0.${i + 1}`, `fd00::${i + 1}`] })) },
      { step: 'the Service', do: [service('web', { ...dualStack, trafficDistribution: 'PreferSameNode' })] },
      { step: 'none', do: [distribute(null)] },
    ],
  },
  {
    name: 'hints put on by hand',
    steps: [
      {
        step: 'created',
        do: [...pods(2, spread), seen, service('web', { trafficDistribution: 'PreferClose' })],
        compare: 'endpoints',
      },
      { step: 'wrong ones', do: [plantHints('z9')] },
      { step: 'a Pod is not ready', do: [report('p0', { ready: false })] },
      { step: 'wrong ones for all', do: [plantHints('z9')] },
      {
        step: 'wrong ones for the one that is not ready',
        do: [
          {
            op: 'edit slices',
            service: 'web',
            patch: ({ endpoints }) => ({
              endpoints: endpoints?.map((endpoint) =>
                endpoint.hints ? endpoint : { ...endpoint, hints: { forZones: [{ name: 'z9' }] } },
              ),
            }),
          },
        ],
      },
      { step: 'hints are no longer asked for', do: [distribute(null)] },
    ],
    differs: [
      {
        row: 'hints-not-ready',
        at: {
          'wrong ones for all': ['slices'],
          'wrong ones for the one that is not ready': ['slices', 'writes'],
        },
      },
    ],
  },
];

export const AUTO: Scenario[] = [
  {
    name: 'hints Auto for three Pods, four and six',
    steps: [
      { step: 'the Pods', do: pods(6, spread).slice(0, 2) },
      { step: 'six', do: [service('web', auto)] },
      { step: 'one is not ready, so five', do: [report('p5', { ready: false })] },
      { step: 'two are not ready, so four', do: [report('p4', { ready: false })] },
      { step: 'synced', do: [poke()] },
      { step: 'three', do: [report('p3', { ready: false })] },
      { step: 'two', do: [report('p2', { ready: false })] },
      { step: 'the annotation goes', do: [annotate({ [mode]: null })] },
      { step: 'and comes back', do: [annotate({ [mode]: 'auto' })] },
      { step: 'three again', do: [report('p2', { ready: true })] },
      { step: 'Disabled', do: [annotate({ [mode]: 'Disabled' })] },
    ],
  },
  {
    name: 'hints Auto warn',
    steps: [
      { step: 'the Pods', do: pods(2, spread) },
      { step: 'too few', do: [service('web', auto)] },
      { step: 'synced', do: [poke()], countEvents: true },
      { step: 'synced again', do: [poke('web', 'y')], countEvents: true },
    ],
    differs: [{ row: 'hint-warnings', at: { synced: ['events'], 'synced again': ['events'] } }],
  },
  {
    name: 'hints Auto for Pods of one zone',
    steps: [
      { step: 'the Pods', do: pods(6) },
      { step: 'the Service', do: [service('web', auto)], countHints: true },
      { step: 'a Pod is not ready', do: [report('p0', { ready: false })], countHints: true },
      { step: 'synced', do: [poke()], countHints: true },
      { step: 'ready again', do: [report('p0', { ready: true })], countHints: true },
    ],
  },
  {
    name: 'which annotation counts',
    steps: [
      { step: 'the Pods', do: pods(3, spread) },
      { step: 'the old one says yes', do: [service('web', { annotations: { [oldMode]: 'auto' } })] },
      { step: 'a distribution too', do: [distribute('PreferSameNode')] },
      { step: 'both annotations say no', do: [annotate({ [oldMode]: 'disabled', [mode]: 'disabled' })] },
      { step: 'no annotation', do: [annotate({ [oldMode]: null, [mode]: null })] },
      { step: 'the new one says yes', do: [annotate({ [mode]: 'Auto' })] },
      { step: 'a value that means nothing', do: [annotate({ [mode]: 'AUTO' })] },
    ],
    differs: [
      {
        row: 'auto-node-hints',
        at: { 'the new one says yes': ['slices', 'writes'], 'a value that means nothing': ['writes'] },
      },
    ],
  },
  {
    name: 'hints Auto in two families',
    anyFamily: true,
    steps: [
      {
        step: 'the Pods',
        do: pods(3, (i) => ({ ...spread(i), ips: [`10.1.0.${i + 1}`, `fd00::${i + 1}`] })),
      },
      { step: 'the Service', do: [service('web', { ...dualStack, ...auto })] },
      {
        step: 'one family only',
        do: [patchService({ spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] } })],
      },
      { step: 'no Auto', do: [annotate({ [mode]: null })] },
    ],
  },
  {
    name: 'hints Auto put on by hand',
    steps: [
      {
        step: 'created',
        do: [...pods(3, spread), seen, service('web', auto)],
        until: { endpoints: 3 },
        compare: 'endpoints',
      },
      { step: 'all to one zone', do: [plantHints('z1')] },
      { step: 'to a zone that is none', do: [plantHints('z9')] },
      {
        step: 'none',
        do: [
          {
            op: 'edit slices',
            service: 'web',
            patch: ({ endpoints }) => ({ endpoints: endpoints?.map(({ hints: _, ...rest }) => rest) }),
          },
        ],
      },
    ],
  },
];
