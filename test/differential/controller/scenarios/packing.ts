import { patchService, pods, poke, report, seen, service } from '../actions.ts';
import type { Action, Scenario, Step } from '../scenario.ts';

/** For these scenarios the controllers run with `--max-endpoints-per-slice=4`. */
const port = 8080;
const ports = (targetPort: number) => [{ name: 'http', port: 80, targetPort }];
const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `p${from + i}`);
const select = (stage: string) => patchService({ spec: { selector: { app: null, [stage]: 'yes' } } });

/** Pods with labels for each stage that they belong to, so that one change of the selector swaps many at once. */
function stagedPods(count: number, stages: Record<string, readonly string[]>): Action[] {
  return pods(count, (i) => ({
    node: `n${(i % 3) + 1}`,
    labels: Object.fromEntries(
      Object.entries(stages).flatMap(([stage, members]) => (members.includes(`p${i}`) ? [[stage, 'yes']] : [])),
    ),
  }));
}

/** A Service whose slices are as in some past; it begins to select only once they are there. */
function planted(count: number, slices: string[][], stages: Record<string, readonly string[]>): Step[] {
  return [
    {
      step: 'slices of some past',
      do: [
        ...stagedPods(count, { ...stages, before: slices.flat() }),
        seen,
        service('web', { selector: null, ports: ports(port) }),
        { op: 'plant slices', planting: { service: 'web', slices, port } },
      ],
    },
    { step: 'adopted', do: [select('before')] },
  ];
}

const next = (stage: string, more: Partial<Step> = {}): Step => ({
  step: `then ${stage}`,
  do: [patchService({ spec: { selector: { app: null, before: null, [stage]: 'yes' } } })],
  ...more,
});

export const PACKING: Scenario[] = [
  {
    name: 'slices fill up to the limit',
    steps: [
      { step: 'the Pods', do: stagedPods(13, { nine: names(0, 9), all: names(0, 13) }) },
      { step: 'nine', do: [service('web', { selector: { nine: 'yes' } })], compare: 'dealt' },
      {
        step: 'thirteen',
        do: [patchService({ spec: { selector: { nine: null, all: 'yes' } } })],
        compare: 'endpoints',
        countWrites: true,
      },
      { step: 'none', do: [patchService({ spec: { selector: { all: null, none: 'yes' } } })] },
      {
        step: 'thirteen again',
        do: [patchService({ spec: { selector: { none: null, all: 'yes' } } })],
        compare: 'dealt',
      },
    ],
  },
  {
    name: 'one more goes into the fullest slice with room',
    steps: [...planted(6, [names(0, 3), names(3, 5)], { more: names(0, 6) }), next('more')],
  },
  {
    name: 'leftovers that fit no single slice get a new one',
    steps: [...planted(7, [names(0, 2), names(2, 4)], { more: names(0, 7) }), next('more')],
  },
  {
    name: 'leftovers of a new slice go into an old one',
    steps: [...planted(11, [names(0, 3), names(3, 5)], { more: names(0, 11) }), next('more', { compare: 'dealt' })],
  },
  {
    name: 'slices that are written anyway are filled first',
    steps: [
      ...planted(9, [names(0, 3), names(3, 5)], { more: [...names(1, 3), ...names(4, 9)] }),
      next('more', { compare: 'dealt' }),
    ],
  },
  {
    name: 'an emptied slice is deleted, not filled',
    steps: [...planted(4, [names(0, 2), names(2, 3)], { swap: ['p0', 'p1', 'p3'] }), next('swap')],
  },
  {
    name: 'all endpoints are replaced',
    steps: [...planted(6, [names(0, 2), names(2, 3)], { swap: names(3, 6) }), next('swap')],
  },
  {
    name: 'a slice over the limit stays as it is',
    steps: [
      ...planted(8, [names(0, 6)], { fewer: names(0, 5), more: names(0, 8) }),
      next('fewer'),
      { step: 'then more', do: [patchService({ spec: { selector: { fewer: null, more: 'yes' } } })] },
    ],
  },
  {
    name: 'copies are dropped',
    // Upstream takes slices in no order.
    steps: planted(3, [names(0, 2), names(1, 3)], {}).map((step) => ({ ...step, compare: 'dealt' as const })),
  },
  {
    name: 'sparse slices are not merged',
    steps: [
      ...planted(9, [names(0, 3), names(3, 6), names(6, 9)], { thin: ['p0', 'p3', 'p6'] }),
      next('thin'),
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'synced', do: [poke()] },
    ],
  },
  {
    name: 'other ports for full slices',
    steps: [
      ...planted(13, [names(0, 4), names(4, 8), names(8, 12), names(12, 13)], {}),
      { step: 'other ports', do: [patchService({ spec: { ports: ports(9090) } })], compare: 'dealt' },
    ],
  },
  {
    name: 'other ports for sparse slices',
    steps: [
      ...planted(10, [names(0, 2), names(2, 4), names(4, 6), names(6, 8), names(8, 10)], {}),
      { step: 'other ports', do: [patchService({ spec: { ports: ports(9090) } })], compare: 'dealt' },
    ],
  },
  {
    name: 'other ports and more Pods at once',
    steps: [
      ...planted(9, [names(0, 3), names(3, 4)], { more: names(0, 9) }),
      {
        step: 'both',
        do: [patchService({ spec: { ports: ports(9090), selector: { before: null, more: 'yes' } } })],
        compare: 'dealt',
      },
    ],
  },
  {
    name: 'slices of which some belong to another',
    steps: [
      ...planted(4, [names(0, 2), names(2, 4)], {}),
      {
        step: 'one loses its owner',
        do: [
          {
            op: 'edit slices',
            service: 'web',
            only: 'largest',
            patch: { metadata: { ownerReferences: null, labels: { x: 'y' } } },
          },
        ],
        compare: 'endpoints',
      },
    ],
  },
];

/** At the limit that is the default. */
export const SCALING: Scenario[] = [
  {
    name: 'from nothing to 250, to 90, to nothing',
    steps: [
      {
        step: 'the Pods',
        do: stagedPods(250, { all: names(0, 250), some: names(0, 250).filter((_, i) => i % 25 < 9) }),
      },
      { step: 'nothing', do: [service('web', { selector: { none: 'yes' } })] },
      { step: '250', do: [patchService({ spec: { selector: { none: null, all: 'yes' } } })], compare: 'dealt' },
      {
        step: '90',
        do: [patchService({ spec: { selector: { all: null, some: 'yes' } } })],
        compare: 'endpoints',
        countWrites: true,
      },
      { step: 'nothing again', do: [patchService({ spec: { selector: { some: null, none: 'yes' } } })] },
    ],
  },
];
