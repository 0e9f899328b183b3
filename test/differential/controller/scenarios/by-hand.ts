import { patchService, pod, pods, poke, report, seen, service } from '../actions.ts';
import type { Action, Scenario } from '../scenario.ts';

const edit = (patch: object): Action => ({ op: 'edit slices', service: 'web', patch });
const editEndpoints = (change: (endpoint: Record<string, unknown>) => object): Action => ({
  op: 'edit slices',
  service: 'web',
  patch: ({ endpoints }) => ({ endpoints: endpoints?.map((endpoint) => ({ ...endpoint, ...change(endpoint) })) }),
});
const created = {
  step: 'created',
  do: [...pods(3), seen, service('web', { labels: { app: 'web' } })],
  compare: 'endpoints' as const,
};

export const BY_HAND: Scenario[] = [
  {
    name: 'a slice deleted by hand',
    steps: [
      created,
      { step: 'deleted', do: [{ op: 'remove slices', service: 'web' }] },
      { step: 'and again', do: [{ op: 'remove slices', service: 'web' }] },
    ],
  },
  {
    name: 'a placeholder deleted by hand',
    steps: [
      { step: 'created', do: [service()] },
      { step: 'deleted', do: [{ op: 'remove slices', service: 'web' }] },
    ],
  },
  {
    name: 'endpoints edited by hand',
    steps: [
      created,
      { step: 'emptied', do: [edit({ endpoints: null })] },
      {
        step: 'one is a stranger',
        do: [edit({ endpoints: [{ addresses: ['10.6.6.6'], conditions: { ready: true } }] })],
      },
      {
        step: 'one stands twice',
        do: [
          {
            op: 'edit slices',
            service: 'web',
            patch: ({ endpoints }) => ({ endpoints: [...(endpoints ?? []), ...(endpoints ?? []).slice(0, 1)] }),
          },
        ],
      },
      {
        step: 'readiness is turned',
        do: [editEndpoints(() => ({ conditions: { ready: false } }))],
      },
    ],
  },
  {
    name: 'zones and nodes edited by hand',
    steps: [
      created,
      { step: 'another zone', do: [editEndpoints(() => ({ zone: 'z7' }))] },
      { step: 'no zone', do: [editEndpoints(() => ({ zone: undefined }))] },
      { step: 'another node', do: [editEndpoints(() => ({ nodeName: 'elsewhere' }))] },
      { step: 'a host name', do: [editEndpoints(() => ({ hostname: 'somebody' }))] },
    ],
  },
  {
    name: 'conditions and targets edited by hand',
    steps: [
      created,
      { step: 'no conditions', do: [editEndpoints(() => ({ conditions: undefined }))] },
      {
        step: 'another uid',
        do: [editEndpoints(({ targetRef }) => ({ targetRef: { ...(targetRef as object), uid: 'another' } }))],
      },
      {
        step: 'a version of the Pod',
        do: [editEndpoints(({ targetRef }) => ({ targetRef: { ...(targetRef as object), resourceVersion: '1' } }))],
      },
    ],
  },
  {
    name: 'ports and hints edited by hand',
    steps: [
      created,
      { step: 'other ports', do: [edit({ ports: [{ name: 'http', port: 1 }] })] },
      { step: 'no ports', do: [edit({ ports: null })] },
      {
        step: 'hints that nobody asked for',
        do: [editEndpoints(() => ({ hints: { forZones: [{ name: 'z7' }] } }))],
      },
    ],
  },
  {
    name: 'labels and annotations put on a slice by hand',
    steps: [
      created,
      { step: 'an annotation', do: [edit({ metadata: { annotations: { mine: 'x' } } })] },
      { step: 'a label', do: [edit({ metadata: { labels: { mine: 'x' } } })] },
      { step: 'a label of the Service is changed', do: [edit({ metadata: { labels: { app: 'x' } } })] },
      { step: 'a label of the Service is removed', do: [edit({ metadata: { labels: { app: null } } })] },
      {
        step: 'the label of headless ones',
        do: [edit({ metadata: { labels: { 'service.kubernetes.io/headless': '' } } })],
      },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'the Service gets a label', do: [patchService({ metadata: { labels: { more: 'x' } } })] },
      { step: 'no owner', do: [edit({ metadata: { ownerReferences: null } })] },
      { step: 'synced', do: [poke()] },
    ],
    differs: [{ row: 'slice-repair', at: { 'no owner': ['slices', 'writes'], synced: ['writes'] } }],
  },
  {
    name: 'the label of headless ones put on a slice by hand',
    steps: [
      created,
      { step: 'put on', do: [edit({ metadata: { labels: { 'service.kubernetes.io/headless': '' } } })] },
      { step: 'one Pod more', do: pod('more', { ips: ['10.1.9.9'] }) },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
    ],
    differs: [{ row: 'headless-label', at: { 'one Pod more': ['slices'] } }],
  },
  {
    name: 'a slice taken over by another manager',
    steps: [
      created,
      {
        step: 'managed by another',
        do: [edit({ metadata: { labels: { 'endpointslice.kubernetes.io/managed-by': 'me' } } })],
      },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
    ],
    differs: [
      {
        row: 'slice-labels',
        at: { 'managed by another': ['slices', 'writes'], 'a Pod changes': ['slices', 'writes'] },
      },
    ],
  },
  {
    name: 'a slice given to another Service',
    steps: [
      { step: 'created', do: [...pods(2), seen, service(), service('other')], compare: 'endpoints' },
      { step: 'given away', do: [edit({ metadata: { labels: { 'kubernetes.io/service-name': 'other' } } })] },
    ],
    differs: [{ row: 'slice-labels', at: { 'given away': ['slices', 'writes'] } }],
  },
  {
    name: 'slices of others',
    steps: [
      created,
      {
        step: 'one of another manager',
        do: [
          {
            op: 'create',
            plural: 'endpointslices',
            object: {
              metadata: {
                name: 'foreign-aaaaa',
                labels: { 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'me' },
              },
              addressType: 'IPv4',
              endpoints: [{ addresses: ['10.6.6.6'] }],
            },
          },
        ],
      },
      {
        step: 'one in our name, without owner',
        do: [
          {
            op: 'create',
            plural: 'endpointslices',
            object: {
              metadata: {
                name: 'orphan-aaaaa',
                labels: {
                  'kubernetes.io/service-name': 'web',
                  'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
                },
              },
              addressType: 'IPv4',
              endpoints: [{ addresses: ['10.6.6.6'] }],
            },
          },
        ],
      },
      {
        step: 'one in our name, of domain names',
        do: [
          {
            op: 'create',
            plural: 'endpointslices',
            object: {
              metadata: {
                name: 'names-aaaaa',
                labels: {
                  'kubernetes.io/service-name': 'web',
                  'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
                },
              },
              addressType: 'FQDN',
              endpoints: [{ addresses: ['example.com'] }],
            },
          },
        ],
      },
      {
        step: 'one in our name, of no Service',
        do: [
          {
            op: 'create',
            plural: 'endpointslices',
            object: {
              metadata: {
                name: 'stray-aaaaa',
                labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
              },
              addressType: 'IPv4',
              endpoints: [{ addresses: ['10.6.6.6'] }],
            },
          },
        ],
      },
    ],
  },
  {
    name: 'a slice held by a finalizer',
    steps: [
      created,
      { step: 'held', do: [edit({ metadata: { finalizers: ['example.com/hold'] } })] },
      { step: 'deleted by hand', do: [{ op: 'remove slices', service: 'web' }] },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'let go', do: [edit({ metadata: { finalizers: null } })] },
      { step: 'a Pod changes again', do: [report('p0', { ready: true })] },
    ],
  },
];
