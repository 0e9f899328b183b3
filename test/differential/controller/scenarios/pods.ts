import { atOnce, dualStack, node, patch, pod, pods, remove, report, seen, service } from '../actions.ts';
import type { Scenario } from '../scenario.ts';

export const PODS: Scenario[] = [
  {
    name: 'a plain Service of three Pods',
    steps: [
      { step: 'there are Pods', do: pods(3, (i) => ({ node: `n${i + 1}` })) },
      { step: 'the Service is created', do: [service()] },
      { step: 'a Pod comes', do: pod('late', { ips: ['10.1.2.3'] }) },
      { step: 'a Pod is to end', do: [remove('pods', 'p0', 30)] },
      { step: 'it is gone', do: [remove('pods', 'p0')] },
      {
        step: 'the others go at once',
        do: ['p1', 'p2', 'late'].map((name) => remove('pods', name)),
        compare: 'endpoints',
      },
      { step: 'one comes back', do: pod('p0', { ips: ['10.1.0.1'] }) },
    ],
  },
  {
    name: 'readiness flips',
    steps: [
      { step: 'created', do: [...pods(2), seen, service()], compare: 'endpoints' },
      { step: 'one is not ready', do: [report('p0', { ready: false })] },
      { step: 'the same again', do: [report('p0', { ready: false })] },
      { step: 'ready again', do: [report('p0', { ready: true })] },
      {
        step: 'none is ready',
        do: [report('p0', { ready: false }), report('p1', { ready: false })],
        compare: 'endpoints',
      },
      {
        step: 'flapping',
        do: [true, false, true, false, true].map((ready) => report('p1', { ready })),
        compare: 'endpoints',
      },
    ],
  },
  {
    name: 'Pods of which little is known',
    steps: [
      {
        step: 'the Pods',
        do: [
          ...pod('mute', { ips: ['10.1.0.1'], ready: undefined }),
          ...pod('lost', { ips: ['10.1.0.2'], ready: 'Unknown' }),
          ...pod('pending', { ips: ['10.1.0.3'], ready: undefined, phase: 'Pending' }),
          ...pod('unknown', { ips: ['10.1.0.4'], phase: 'Unknown' }),
        ],
      },
      { step: 'the Service', do: [service()] },
      { step: 'one is ready', do: [report('mute', { ready: true })] },
      { step: 'one is ready no longer', do: [report('unknown', { ready: 'Unknown' })] },
    ],
  },
  {
    name: 'unusual spellings of addresses',
    steps: [
      {
        step: 'the Pods',
        do: [
          ...pod('zeros', { ips: ['10.1.0.1', 'fd00:0:0::0001'] }),
          ...pod('capitals', { ips: ['FD00::ABCD', '10.1.0.2'] }),
        ],
      },
      { step: 'the Service', do: [service('web', dualStack)] },
      { step: 'another spelling', do: [report('zeros', { ips: ['10.1.0.1', 'fd00::1'] })] },
    ],
  },
  {
    name: 'Pods that are not ready are published',
    steps: [
      {
        step: 'Pods in all states',
        do: [...pod('up', { ips: ['10.1.0.1'] }), ...pod('down', { ips: ['10.1.0.2'], ready: false })],
      },
      { step: 'the Service is created', do: [service('web', { publishNotReadyAddresses: true })] },
      { step: 'a Pod terminates', do: [remove('pods', 'up', 30)] },
      {
        step: 'the Service no longer publishes them',
        do: [patch('services', 'web', { spec: { publishNotReadyAddresses: false } })],
      },
      { step: 'and does so again', do: [patch('services', 'web', { spec: { publishNotReadyAddresses: true } })] },
    ],
  },
  {
    name: 'terminating Pods',
    steps: [
      {
        step: 'created',
        do: [
          ...pod('slow', { ips: ['10.1.0.1'] }),
          ...pod('held', { ips: ['10.1.0.2'], finalizers: ['example.com/hold'] }),
          seen,
          service(),
        ],
        compare: 'endpoints',
      },
      { step: 'one has half a minute to end', do: [remove('pods', 'slow', 30)] },
      { step: 'it stops being ready', do: [report('slow', { ready: false })] },
      { step: 'it is gone', do: [remove('pods', 'slow')] },
      { step: 'one is held by a finalizer', do: [remove('pods', 'held')] },
      { step: 'its labels change meanwhile', do: [patch('pods', 'held', { metadata: { labels: { more: 'x' } } })] },
      { step: 'it is let go', do: [patch('pods', 'held', { metadata: { finalizers: null } })] },
    ],
  },
  {
    name: 'Pods that run to their end',
    steps: [
      {
        step: 'created',
        do: [
          ...pod('done', { ips: ['10.1.0.1'] }),
          ...pod('never-ready', { ips: ['10.1.0.2'], ready: false }),
          ...pod('broken', { ips: ['10.1.0.3'] }),
          seen,
          service(),
        ],
        compare: 'endpoints',
      },
      { step: 'one succeeds and is no longer ready', do: [report('done', { phase: 'Succeeded', ready: false })] },
      { step: 'one that was never ready fails', do: [report('never-ready', { phase: 'Failed' })] },
      { step: 'one fails, but is still called ready', do: [report('broken', { phase: 'Failed' })] },
      { step: 'the Service is synced', do: [patch('services', 'web', { metadata: { annotations: { a: 'b' } } })] },
      {
        step: 'they are deleted',
        do: [remove('pods', 'done'), remove('pods', 'never-ready'), remove('pods', 'broken')],
      },
    ],
    differs: [
      {
        row: 'pod-phase',
        at: {
          'one that was never ready fails': ['slices', 'writes'],
          'one fails, but is still called ready': ['slices', 'writes'],
          'the Service is synced': ['writes'],
        },
      },
    ],
  },
  {
    name: 'Pods on nodes that are not there',
    steps: [
      {
        step: 'one Pod of two has no Node',
        do: [
          ...pod('lost', { ips: ['10.1.0.1'], node: 'late-1' }),
          ...pod('here', { ips: ['10.1.0.2'] }),
          seen,
          service(),
        ],
        compare: 'endpoints',
      },
      {
        step: 'the Node appears',
        do: node('late-1', { zone: 'z9', controlPlane: true }),
        until: { endpoints: 2 },
      },
      { step: 'the Node is deleted', do: [remove('nodes', 'late-1')] },
      { step: 'the other Pod changes', do: [report('here', { ready: false })], compare: 'endpoints' },
    ],
  },
  {
    name: 'no Pod has a Node',
    steps: [
      { step: 'the Pods', do: pods(2, () => ({ node: 'late-2' })) },
      { step: 'the Service', do: [service()] },
      { step: 'the Node appears', do: node('late-2', { zone: 'z9', controlPlane: true }), until: { endpoints: 2 } },
    ],
  },
  {
    name: 'many Pods have no Node',
    steps: [
      { step: 'the Pods', do: pods(30, () => ({ node: 'late-4' })) },
      { step: 'the Service', do: [service()] },
    ],
    differs: [{ row: 'event-length', at: { 'the Service': ['events'] } }],
  },
  {
    name: 'Pods without Node are published',
    steps: [
      {
        step: 'the Pods',
        do: [...pod('a', { ips: ['10.1.0.1'], node: 'late-3' }), ...pod('b', { ips: ['10.1.0.2'] })],
      },
      { step: 'the Service', do: [service('web', { publishNotReadyAddresses: true })] },
      { step: 'the Node appears', do: node('late-3', { zone: 'z9', controlPlane: true }) },
    ],
    differs: [{ row: 'nodes', at: { 'the Node appears': ['slices', 'writes'] } }],
  },
  {
    name: 'a Node changes its zone',
    steps: [
      {
        step: 'its Pod',
        do: [...node('moving', { zone: 'z8', controlPlane: true }), ...pod('a', { ips: ['10.1.0.1'], node: 'moving' })],
      },
      { step: 'the Service', do: [service()] },
      {
        step: 'another zone',
        do: [patch('nodes', 'moving', { metadata: { labels: { 'topology.kubernetes.io/zone': 'z9' } } })],
      },
      { step: 'the Service is synced', do: [patch('services', 'web', { metadata: { annotations: { a: 'b' } } })] },
      {
        step: 'no zone',
        do: [patch('nodes', 'moving', { metadata: { labels: { 'topology.kubernetes.io/zone': null } } })],
      },
      { step: 'the Pod changes', do: [report('a', { ready: false })] },
    ],
    differs: [
      {
        row: 'nodes',
        at: {
          'another zone': ['slices', 'writes'],
          'the Service is synced': ['writes'],
          'no zone': ['slices', 'writes'],
        },
      },
    ],
  },
  {
    name: 'addresses change',
    steps: [
      { step: 'created', do: [...pods(2), seen, service()], compare: 'endpoints' },
      { step: 'one Pod gets another address', do: [report('p0', { ips: ['10.1.9.9'] })] },
      { step: 'one loses its address', do: [report('p1', { ips: [] })] },
      { step: 'two Pods share an address', do: [report('p1', { ips: ['10.1.9.9'] })] },
      {
        step: 'a Pod is replaced by one of its name and address',
        do: [remove('pods', 'p0'), ...pod('p0', { ips: ['10.1.9.9'] })],
        compare: 'endpoints',
      },
    ],
  },
  {
    name: 'membership by label',
    steps: [
      {
        step: 'two Services',
        do: [
          ...pods(3),
          seen,
          service('blue', { selector: { app: 'web', colour: 'blue' } }),
          service('green', { selector: { app: 'web', colour: 'green' } }),
          service('all', { selector: { app: 'web' } }),
        ],
        compare: 'endpoints',
      },
      { step: 'a Pod becomes blue', do: [patch('pods', 'p0', { metadata: { labels: { colour: 'blue' } } })] },
      { step: 'another too', do: [patch('pods', 'p1', { metadata: { labels: { colour: 'blue' } } })] },
      { step: 'one turns green', do: [patch('pods', 'p0', { metadata: { labels: { colour: 'green' } } })] },
      { step: 'a label that matters to nobody', do: [patch('pods', 'p0', { metadata: { labels: { other: 'x' } } })] },
      { step: 'it leaves all', do: [patch('pods', 'p0', { metadata: { labels: null } })] },
      { step: 'and comes back', do: [patch('pods', 'p0', { metadata: { labels: { app: 'web' } } })] },
    ],
  },
  {
    name: 'two Services select the same Pods',
    steps: [
      { step: 'the Pods', do: pods(2) },
      { step: 'the Services', do: [service('one'), service('two', { ports: [{ port: 443, targetPort: 8443 }] })] },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'a Service goes', do: [remove('services', 'one')] },
      { step: 'a Pod is to end', do: [remove('pods', 'p1', 30)] },
      { step: 'it is gone', do: [remove('pods', 'p1')] },
    ],
  },
  {
    name: 'many changes in one moment',
    steps: [
      { step: 'the Service is there first', do: [service()] },
      { step: 'twenty Pods come', do: pods(20), compare: 'endpoints' },
      {
        step: 'all flip',
        do: [atOnce(Array.from({ length: 20 }, (_, i) => report(`p${i}`, { ready: i % 3 === 0 })))],
        compare: 'endpoints',
      },
      {
        step: 'half of them go',
        do: [atOnce(Array.from({ length: 10 }, (_, i) => remove('pods', `p${i}`)))],
        compare: 'endpoints',
      },
    ],
  },
];
