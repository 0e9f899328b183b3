import { describe, expect, test } from 'vitest';
import { PROXY_SLICES } from '../../src/proxy/watched.ts';

describe('EndpointSlices as the proxier keeps them', () => {
  test('hold what rules depend on, and nothing else', () => {
    const kept = PROXY_SLICES.project({
      metadata: {
        name: 'svc-1',
        namespace: 'ns',
        uid: 'u',
        resourceVersion: '7',
        generation: 3,
        labels: { 'kubernetes.io/service-name': 'svc', app: 'x' },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z', other: 'y' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'svc', uid: 's' }],
      },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1', '10.0.0.2'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'n1',
          zone: 'a',
          targetRef: { kind: 'Pod', name: 'p' },
          hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'n1' }] },
        },
        { addresses: ['10.0.0.3'], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: [] },
      ],
      ports: [{ name: '', protocol: 'TCP', port: 80, appProtocol: 'http' }, { protocol: 'UDP' }],
    });
    expect(kept).toEqual({
      metadata: {
        name: 'svc-1',
        namespace: 'ns',
        resourceVersion: '7',
        labels: { 'kubernetes.io/service-name': 'svc' },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
      },
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.0.0.1'], nodeName: 'n1', hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'n1' }] } },
        { addresses: ['10.0.0.3'], conditions: { ready: false, terminating: true } },
        { addresses: [] },
      ],
      ports: [{ name: '', protocol: 'TCP', port: 80 }, { protocol: 'UDP' }],
    });
  });

  test('an empty list that the server sends as null is an empty list', () => {
    const kept = PROXY_SLICES.project({ metadata: { name: 's', namespace: 'ns' }, endpoints: null, ports: null });
    expect(kept).toMatchObject({ endpoints: [], ports: [] });
  });
});
