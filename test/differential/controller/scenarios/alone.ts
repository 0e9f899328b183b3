import {
  controlPlane,
  dualStack,
  node,
  nodeStatus,
  pod,
  pods,
  poke,
  remove,
  report,
  seen,
  service,
  zone,
} from '../actions.ts';
import type { Action, Scenario } from '../scenario.ts';

const auto = { annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } };

/** Pods in three zones; three of them are also `few`. */
const spreadPods = (count: number): Action[] =>
  pods(count, (i) => ({ node: `n${(i % 3) + 1}`, labels: i < 3 ? { few: 'yes' } : {} }));

/** Scenarios that touch what all share, the nodes or the controller itself, and so are played one by one. */
export const ALONE: Scenario[] = [
  {
    name: 'a zone without ready nodes',
    steps: [
      {
        step: 'created',
        do: [...spreadPods(6), seen, service('six', auto), service('three', { ...auto, selector: { few: 'yes' } })],
        compare: 'endpoints',
      },
      // Upstream may or may not take its own write for another's, and then syncs once more.
      { step: 'a node is not ready', do: [nodeStatus('n3', { ready: false })], ignore: ['needless'] },
      { step: 'synced', do: [poke('six', 'x')] },
      { step: 'the node is ready again', do: [nodeStatus('n3', { ready: true })] },
      { step: 'synced again', do: [poke('six', 'z'), poke('three', 'z')] },
    ],
    differs: [
      {
        row: 'hints-no-share',
        at: {
          'a node is not ready': ['slices', 'writes'],
          synced: ['slices', 'needless'],
          // Upstream has removed the trigger time with the first needless write.
          'the node is ready again': ['slices'],
          'synced again': ['slices'],
        },
      },
      { row: 'hint-restore', at: { 'the node is ready again': ['slices', 'writes'], 'synced again': ['writes'] } },
    ],
  },
  {
    name: 'a node without zone',
    steps: [
      {
        step: 'created',
        do: [
          ...spreadPods(3),
          seen,
          service('three', auto),
          service('close', { trafficDistribution: 'PreferClose' }),
          service('plain'),
        ],
        compare: 'endpoints',
      },
      { step: 'a node loses its zone', do: [zone('n3', null)] },
      { step: 'all are synced', do: [poke('three'), poke('close'), poke('plain')] },
      { step: 'it gets its zone back', do: [zone('n3', 'z3')] },
      { step: 'all are synced again', do: [poke('three', 'y'), poke('close', 'y'), poke('plain', 'y')] },
    ],
    differs: [
      { row: 'nodes', at: { 'a node loses its zone': ['slices', 'writes'], 'all are synced': ['writes'] } },
      { row: 'nodes', at: { 'it gets its zone back': ['slices', 'writes'], 'all are synced again': ['writes'] } },
    ],
  },
  {
    name: 'CPUs of a node',
    steps: [
      { step: 'created', do: [...spreadPods(6), seen, service('six', auto)], compare: 'endpoints' },
      { step: 'ten times as many', do: [nodeStatus('n1', { cpu: '40' })] },
      { step: 'as before', do: [nodeStatus('n1', { cpu: '4' })] },
      { step: 'synced', do: [poke('six', 'y')] },
    ],
    differs: [
      {
        row: 'node-cpu',
        at: {
          'ten times as many': ['slices', 'writes', 'events'],
          'as before': ['slices', 'events'],
          synced: ['slices', 'events'],
        },
      },
      { row: 'hint-restore', at: { 'as before': ['writes'] } },
      { row: 'node-cpu', only: 'as upstream', at: { synced: ['writes'] } },
    ],
  },
  {
    name: 'nodes come, go and join the control plane',
    steps: [
      { step: 'created', do: [...spreadPods(3), seen, service('three', auto)], compare: 'endpoints' },
      { step: 'a node in a fourth zone', do: node('n4', { zone: 'z4' }) },
      { step: 'it is gone', do: [remove('nodes', 'n4')] },
      { step: 'synced', do: [poke('three', 'x')] },
      { step: 'a node joins the control plane', do: [controlPlane('n2', true)] },
      { step: 'it leaves it', do: [controlPlane('n2', false)] },
    ],
    differs: [
      {
        row: 'hint-restore',
        at: { 'it is gone': ['slices', 'writes'], synced: ['writes'], 'it leaves it': ['writes'] },
      },
      {
        row: 'node-cpu',
        at: {
          'a node joins the control plane': ['slices', 'writes', 'events'],
          'it leaves it': ['events'],
        },
      },
      { row: 'node-cpu', only: 'as upstream', at: { 'it leaves it': ['slices'] } },
    ],
  },
  {
    name: 'hints Auto for a Pod without zone',
    steps: [
      {
        step: 'created',
        do: [
          ...spreadPods(6),
          ...node('nowhere', { controlPlane: true }),
          ...pod('lost', { ips: ['10.1.7.1'], node: 'nowhere' }),
          seen,
          service('web', auto),
        ],
        compare: 'endpoints',
        ignore: ['needless'],
      },
      { step: 'synced', do: [poke()], compare: 'endpoints', ignore: ['needless'] },
      { step: 'synced again', do: [poke('web', 'y')] },
    ],
    differs: [{ row: 'hints-zoneless', at: { 'synced again': ['slices', 'needless'] } }],
  },
  {
    name: 'rounding of shares',
    steps: [
      {
        step: 'two zones with two and three fifths of the CPUs, two Pods and four',
        do: [
          // Upstream looks at CPUs when the readiness of a node changes.
          nodeStatus('n2', { cpu: '6' }),
          nodeStatus('n3', { ready: false }),
          ...pods(6, (i) => ({ node: i < 2 ? 'n1' : 'n2' })),
          seen,
          service('web', auto),
        ],
        compare: 'endpoints',
        countHints: true,
        ignore: ['needless'],
      },
      { step: 'synced', do: [poke()], compare: 'endpoints', countHints: true, ignore: ['needless'] },
      { step: 'synced again', do: [poke('web', 'y')], compare: 'endpoints', countHints: true },
    ],
    cleanUp: [nodeStatus('n2', { cpu: '4' }), nodeStatus('n3', { ready: true })],
    differs: [
      {
        row: 'hint-rounding',
        at: {
          'two zones with two and three fifths of the CPUs, two Pods and four': ['slices'],
          synced: ['slices'],
          'synced again': ['slices', 'needless'],
        },
      },
    ],
  },
  {
    name: 'the controller is restarted',
    steps: [
      {
        step: 'created',
        do: [
          ...pods(3, (i) => ({ node: `n${i + 1}`, ips: [`10.1.0.${i + 1}`, `fd00::${i + 1}`] })),
          seen,
          service('web', dualStack),
          service('close', { trafficDistribution: 'PreferSameNode' }),
          service('empty', { selector: { none: 'yes' } }),
          service('headless', { clusterIP: 'None', ports: [] }),
        ],
        compare: 'endpoints',
      },
      { step: 'restarted', do: [{ op: 'restart controller' }] },
      { step: 'a slice is deleted', do: [{ op: 'remove slices', service: 'close' }] },
      { step: 'another is edited', do: [{ op: 'edit slices', service: 'headless', patch: { endpoints: null } }] },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
    ],
    differs: [
      {
        row: 'slice-repair',
        at: {
          'a slice is deleted': ['slices', 'writes'],
          'another is edited': ['slices'],
          'a Pod changes': ['writes'],
        },
      },
    ],
  },
];
