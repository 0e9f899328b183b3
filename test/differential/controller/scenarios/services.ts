import { dualStack, patch, patchService, pod, pods, poke, remove, report, seen, service } from '../actions.ts';
import type { Action, Scenario } from '../scenario.ts';

const both = (i: number) => ({ ips: [`10.1.0.${i + 1}`, `fd00::${i + 1}`] });

const quota = (name: string, hard: object): Action[] => [
  { op: 'create', plural: 'resourcequotas', object: { metadata: { name }, spec: { hard } } },
  {
    op: 'patch',
    plural: 'resourcequotas',
    name,
    subresource: 'status',
    patch: { status: { hard, used: Object.fromEntries(Object.keys(hard).map((key) => [key, '0'])) } },
  },
];

/** Nobody may create slices in this namespace. The controller that counts is not there, so it starts out with a count of nothing. */
const noSlices = quota('none', { 'count/endpointslices.discovery.k8s.io': '0' });

export const SERVICES: Scenario[] = [
  {
    name: 'a Service without Pods',
    steps: [
      { step: 'created', do: [service()] },
      { step: 'synced again', do: [poke()] },
      { step: 'its labels change', do: [patchService({ metadata: { labels: { tier: 'front' } } })] },
      { step: 'a Pod without address comes', do: pod('a', { ready: false, phase: 'Pending' }) },
      { step: 'the Pod is reported', do: [report('a', { ips: ['10.1.0.1'], ready: true })] },
      { step: 'no Pod matches any more', do: [patchService({ spec: { selector: { app: 'other' } } })] },
      { step: 'the Pod matches again', do: [patchService({ spec: { selector: { app: 'web' } } })] },
    ],
  },
  {
    name: 'labels and annotations of a Service',
    steps: [
      {
        step: 'created with reserved labels',
        do: [
          ...pods(1),
          seen,
          service('web', {
            labels: {
              app: 'web',
              'kubernetes.io/service-name': 'other',
              'endpointslice.kubernetes.io/managed-by': 'me',
              'service.kubernetes.io/headless': 'yes',
            },
            annotations: { note: 'not copied' },
          }),
        ],
        compare: 'endpoints',
      },
      { step: 'a label is added', do: [patchService({ metadata: { labels: { tier: 'front' } } })] },
      { step: 'a label changes', do: [patchService({ metadata: { labels: { tier: 'back' } } })] },
      { step: 'a label goes', do: [patchService({ metadata: { labels: { app: null } } })] },
      {
        step: 'reserved labels change',
        do: [patchService({ metadata: { labels: { 'service.kubernetes.io/headless': 'no' } } })],
      },
      { step: 'an annotation is added', do: [poke()] },
      { step: 'all labels go', do: [patchService({ metadata: { labels: null } })] },
    ],
  },
  {
    name: 'a Service of two families',
    steps: [
      { step: 'the Pods', do: [...pods(2, both), ...pod('old', { ips: ['10.1.0.9'] })] },
      { step: 'the Service', do: [service('web', dualStack)] },
      { step: 'IPv4 only', do: [patchService({ spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] } })] },
      { step: 'both again', do: [patchService({ spec: { ipFamilyPolicy: 'PreferDualStack' } })] },
      {
        step: 'a Pod gets its second address',
        do: [report('old', { ips: ['10.1.0.9', 'fd00::9'] })],
      },
      { step: 'no Pod matches', do: [patchService({ spec: { selector: { app: 'other' } } })] },
      {
        step: 'one family is left without Pods',
        do: [patchService({ spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] } })],
      },
    ],
  },
  {
    name: 'a Service of IPv6 only',
    steps: [
      {
        step: 'created',
        do: [
          ...pods(2, both),
          ...pod('old', { ips: ['10.1.0.9'] }),
          seen,
          service('web', { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] }),
        ],
        compare: 'endpoints',
      },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
    ],
  },
  {
    name: 'only the wrong family has addresses',
    steps: [
      { step: 'the Pods', do: pods(2) },
      { step: 'the Service', do: [service('web', { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] })] },
      { step: 'synced again', do: [poke()] },
      { step: 'a Pod gets one', do: [report('p0', { ips: ['10.1.0.1', 'fd00::1'] })] },
      { step: 'and loses it', do: [report('p0', { ips: ['10.1.0.1'] })] },
    ],
  },
  {
    name: 'host names',
    steps: [
      {
        step: 'the Pods',
        do: [
          ...pod('db-0', { ips: ['10.1.0.1'], hostname: 'db-0', subdomain: 'web' }),
          ...pod('db-1', { ips: ['10.1.0.2'], hostname: 'db-1', subdomain: 'other' }),
          ...pod('db-2', { ips: ['10.1.0.3'], hostname: 'db-2' }),
          ...pod('db-3', { ips: ['10.1.0.4'], subdomain: 'web' }),
        ],
      },
      { step: 'the Service', do: [service('web', { clusterIP: 'None' })] },
      { step: 'a Service of another name', do: [service('other', { clusterIP: 'None' })] },
      { step: 'a Pod changes', do: [report('db-0', { ready: false })] },
    ],
  },
  {
    name: 'headless without ports',
    steps: [
      { step: 'the Pods', do: pods(2) },
      { step: 'the Service', do: [service('web', { clusterIP: 'None', ports: [] })] },
      { step: 'synced again', do: [poke()] },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'no Pod matches', do: [patchService({ spec: { selector: { app: 'other' } } })] },
      { step: 'synced once more', do: [poke('web', 'y')] },
    ],
  },
  {
    name: 'headless in two families',
    steps: [
      { step: 'the Pods', do: pods(2, both) },
      { step: 'the Service', do: [service('web', { ...dualStack, clusterIP: 'None' })] },
      { step: 'no Pod matches', do: [patchService({ spec: { selector: { app: 'other' } } })] },
    ],
  },
  {
    name: 'a Service of the longest name',
    steps: [
      { step: 'the Pods', do: pods(1) },
      { step: 'the Service', do: [service(`s${'x'.repeat(62)}`)] },
    ],
  },
  {
    name: 'Services of other types',
    steps: [
      { step: 'the Pods', do: pods(1) },
      { step: 'node ports', do: [service('ports', { type: 'NodePort' })] },
      { step: 'a load balancer', do: [service('balancer', { type: 'LoadBalancer' })] },
      { step: 'ClusterIP instead', do: [patchService({ spec: { type: 'ClusterIP' } }, 'balancer')] },
    ],
  },
  {
    name: 'another selector',
    steps: [
      {
        step: 'the Pods',
        do: [
          ...pod('a', { ips: ['10.1.0.1'], labels: { track: 'one' } }),
          ...pod('b', { ips: ['10.1.0.2'], labels: { track: 'two' } }),
          ...pod('c', { ips: ['10.1.0.3'], labels: { track: 'two' } }),
        ],
      },
      { step: 'the Service', do: [service('web', { selector: { track: 'one' } })] },
      { step: 'the other Pods', do: [patchService({ spec: { selector: { track: 'two' } } })] },
      { step: 'all Pods', do: [patchService({ spec: { selector: { track: null, app: 'web' } } })] },
      { step: 'no selector', do: [patchService({ spec: { selector: null } })] },
      { step: 'a Pod changes meanwhile', do: [report('a', { ready: false })] },
      { step: 'labels change meanwhile', do: [patchService({ metadata: { labels: { tier: 'front' } } })] },
      { step: 'a selector again', do: [patchService({ spec: { selector: { track: 'two' } } })] },
    ],
  },
  {
    name: 'an ExternalName for a while',
    steps: [
      { step: 'created', do: [...pods(2), seen, service()], compare: 'endpoints' },
      {
        step: 'ExternalName',
        do: [
          patchService({
            spec: { type: 'ExternalName', externalName: 'example.com', clusterIP: null, clusterIPs: null },
          }),
        ],
      },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      {
        step: 'ClusterIP again',
        do: [patchService({ spec: { type: 'ClusterIP', externalName: null } })],
      },
    ],
  },
  {
    name: 'an ExternalName from the start',
    steps: [
      {
        step: 'created',
        do: [...pods(1), seen, service('web', { type: 'ExternalName', externalName: 'example.com', ports: [] })],
      },
      {
        step: 'ClusterIP',
        do: [patchService({ spec: { type: 'ClusterIP', externalName: null, ports: [{ port: 80 }] } })],
      },
    ],
  },
  {
    name: 'a Service deleted and created again at once',
    steps: [
      { step: 'created', do: [...pods(2), seen, service()], compare: 'endpoints' },
      // Nobody collects garbage here; the slice of the first Service stays.
      { step: 'again', do: [remove('services', 'web'), service()], until: { endpoints: 2 }, compare: 'endpoints' },
      {
        step: 'and once more',
        do: [remove('services', 'web'), service()],
        until: { endpoints: 2 },
        compare: 'endpoints',
      },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
    ],
  },
  {
    name: 'a Service deleted, and created again later',
    steps: [
      { step: 'created', do: [...pods(2), seen, service()], compare: 'endpoints' },
      { step: 'deleted', do: [remove('services', 'web')] },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'created again', do: [service()] },
    ],
  },
  {
    name: 'a Service without Pods deleted and created again',
    steps: [
      { step: 'created', do: [service()] },
      { step: 'deleted', do: [remove('services', 'web')] },
      { step: 'created again', do: [service()] },
      {
        step: 'its first slice is collected',
        do: [{ op: 'remove slices', service: 'web', only: 'owned by the first' }],
      },
      { step: 'synced again', do: [poke()] },
    ],
    differs: [
      {
        row: 'recreated',
        at: {
          'created again': ['slices', 'writes'],
          'its first slice is collected': ['slices'],
          // The slice comes late, when there is nothing newer to tell than the time that the sync before has used up.
          'synced again': ['slices', 'writes'],
        },
      },
    ],
  },
  {
    name: 'a Service held by a finalizer',
    steps: [
      {
        step: 'created',
        do: [...pods(2), seen, service(), patch('services', 'web', { metadata: { finalizers: ['example.com/hold'] } })],
        compare: 'endpoints',
      },
      { step: 'to be deleted', do: [remove('services', 'web')] },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      {
        step: 'its ports change',
        do: [patchService({ spec: { ports: [{ name: 'http', port: 80, targetPort: 9090 }] } })],
      },
      { step: 'its slice is deleted by hand', do: [{ op: 'remove slices', service: 'web' }] },
      { step: 'it is let go', do: [patch('services', 'web', { metadata: { finalizers: null } })] },
    ],
  },
  {
    name: 'a namespace on its way out',
    steps: [
      {
        step: 'created',
        do: [...pods(2), seen, service(), service('empty', { selector: { app: 'none' } })],
        compare: 'endpoints',
      },
      { step: 'to be deleted', do: [{ op: 'remove namespace' }] },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'a slice is deleted', do: [{ op: 'remove slices', service: 'web' }] },
      { step: 'a Pod changes again', do: [report('p0', { ready: true })] },
      { step: 'the Service is deleted', do: [remove('services', 'web')] },
    ],
  },
  {
    name: 'slices may not be created for a while',
    steps: [
      { step: 'the Service', do: [...noSlices, ...pods(2), seen, service()], compare: 'endpoints' },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'they may again', do: [remove('resourcequotas', 'none')], until: { endpoints: 2 } },
    ],
    differs: [{ row: 'trigger-time', at: { 'they may again': ['slices'] } }],
  },
];
