import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENDPOINT_SLICES, LEASES, NAMESPACES, NODES, PODS, SERVICES } from '../../src/kube/projections.ts';

const managedFields = [{ manager: 'kubelet', fieldsV1: { 'f:status': {} } }];

describe('a Pod', () => {
  const raw = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web-1',
      generateName: 'web-',
      namespace: 'shop',
      uid: 'u1',
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      deletionTimestamp: '2026-01-02T00:00:00Z',
      labels: { app: 'web' },
      annotations: { note: 'x'.repeat(1000) },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u0' }],
      managedFields,
    },
    spec: {
      nodeName: 'n1',
      hostname: 'h',
      subdomain: 's',
      hostNetwork: true,
      volumes: [{ name: 'v' }],
      containers: [
        {
          name: 'app',
          image: 'i',
          ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }, { containerPort: 81 }],
        },
        { name: 'quiet', image: 'i' },
      ],
      initContainers: [
        { name: 'setup', ports: [{ containerPort: 1 }] },
        { name: 'proxy', restartPolicy: 'Always', ports: [{ containerPort: 15001, protocol: 'TCP' }] },
        { name: 'silent-sidecar', restartPolicy: 'Always' },
      ],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
      conditions: [
        { type: 'Initialized', status: 'True' },
        { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:05Z', reason: 'x' },
      ],
      containerStatuses: [{ name: 'app' }],
    },
  };

  it('keeps what selects, addresses and orders endpoints, and nothing else', () => {
    expect(PODS.project(raw)).toEqual({
      metadata: {
        name: 'web-1',
        namespace: 'shop',
        uid: 'u1',
        resourceVersion: '7',
        creationTimestamp: '2026-01-01T00:00:00Z',
        deletionTimestamp: '2026-01-02T00:00:00Z',
        labels: { app: 'web' },
      },
      spec: {
        nodeName: 'n1',
        hostname: 'h',
        subdomain: 's',
        hostNetwork: true,
        containers: [
          { name: 'app', ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }, { containerPort: 81 }] },
        ],
        initContainers: [
          { name: 'proxy', restartPolicy: 'Always', ports: [{ containerPort: 15001, protocol: 'TCP' }] },
        ],
      },
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:05Z' }],
      },
    });
  });

  it('without spec and status is one without anything', () => {
    expect(PODS.project({ metadata: { name: 'p', labels: null } })).toEqual({
      metadata: { name: 'p' },
      spec: {},
      status: {},
    });
  });
});

describe('a Service', () => {
  it('keeps its spec, annotations and load balancer addresses', () => {
    const spec = {
      type: 'LoadBalancer',
      selector: { app: 'web' },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 'web', nodePort: 30080, appProtocol: 'h2c' }],
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1', 'fd00::1'],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'PreferDualStack',
      externalIPs: ['192.0.2.1'],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Cluster',
      healthCheckNodePort: 31000,
      loadBalancerSourceRanges: ['203.0.113.0/24'],
      publishNotReadyAddresses: true,
      trafficDistribution: 'PreferClose',
    };
    const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
    const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const status = {
      loadBalancer: {
        ingress: [
          { ip: '198.51.100.1', ipMode: 'Proxy' },
          { hostname: 'lb', ports: [] },
        ],
      },
    };
    const raw = {
      metadata: {
        name: 's',
        namespace: 'n',
        generation: 2,
        annotations: { ...annotations, ...lastApplied },
        managedFields,
      },
      spec: { ...spec, allocateLoadBalancerNodePorts: true },
      status: { ...status, conditions: [] },
    };
    expect(SERVICES.project(raw)).toEqual({
      metadata: { name: 's', namespace: 'n', generation: 2, annotations },
      spec,
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.1', ipMode: 'Proxy' }, { hostname: 'lb' }] } },
    });
  });

  it('has no selector when the stored one is empty or null', () => {
    expect(SERVICES.project({ metadata: { name: 's' }, spec: { selector: {} } }).spec).toEqual({});
    expect(SERVICES.project({ metadata: { name: 's' }, spec: { selector: null } }).spec).toEqual({});
  });
});

describe('a Node', () => {
  it('keeps zone labels, Pod CIDRs, taints, addresses, CPU and readiness', () => {
    const raw = {
      metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'a' }, annotations: { a: 'b' }, managedFields },
      spec: {
        podCIDR: '10.1.0.0/24',
        podCIDRs: ['10.1.0.0/24'],
        unschedulable: true,
        taints: [{ key: 'k', effect: 'NoSchedule', timeAdded: 'x' }],
      },
      status: {
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
        allocatable: { cpu: '1900m', memory: '1Gi' },
        conditions: [
          { type: 'MemoryPressure', status: 'False' },
          { type: 'Ready', status: 'True', lastHeartbeatTime: 'x' },
        ],
        images: [{ names: ['x'] }],
      },
    };
    expect(NODES.project(raw)).toEqual({
      metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'a' } },
      spec: {
        podCIDR: '10.1.0.0/24',
        podCIDRs: ['10.1.0.0/24'],
        unschedulable: true,
        taints: [{ key: 'k', effect: 'NoSchedule' }],
      },
      status: {
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
        allocatable: { cpu: '1900m' },
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
  });
});

describe('an EndpointSlice', () => {
  it('keeps every field but managedFields, also those that nobody here knows', () => {
    const raw = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'x',
        namespace: 'n',
        labels: { a: 'b' },
        annotations: { c: 'd' },
        finalizers: ['f'],
        futureMeta: { deep: [1] },
      },
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: true, future: true }, futureField: { x: 1 }, nodeName: 'n1' },
      ],
      ports: [{ name: '', port: 80, protocol: 'TCP', futurePort: 1 }],
      futureTop: ['y'],
    };
    expect(ENDPOINT_SLICES.project({ ...structuredClone(raw), metadata: { ...raw.metadata, managedFields } })).toEqual(
      raw,
    );
  });

  it('has empty lists where the server prints null, and its kind where a list leaves it out', () => {
    expect(
      ENDPOINT_SLICES.project({ metadata: { name: 'x' }, addressType: 'IPv6', endpoints: null, ports: null }),
    ).toEqual({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'x' },
      addressType: 'IPv6',
      endpoints: [],
      ports: [],
    });
  });
});

describe('any object', () => {
  const resources = [PODS, SERVICES, NODES, ENDPOINT_SLICES, NAMESPACES, LEASES];

  it.each(resources.map((r) => [r.kind, r] as const))(
    'of kind %s without a name is a ProjectionError',
    (kind, resource) => {
      for (const raw of [
        undefined,
        null,
        1,
        'x',
        [],
        {},
        { metadata: null },
        { metadata: {} },
        { metadata: { name: '' } },
      ]) {
        expect(() => resource.project(raw)).toThrow(`${kind} without metadata.name`);
      }
    },
  );

  it('with values of unexpected types anywhere is read as far as it makes sense', () => {
    // Keys that the projections look at, with any JSON below them.
    const keys = [
      'metadata',
      'spec',
      'status',
      'labels',
      'annotations',
      'ports',
      'containers',
      'initContainers',
      'podIPs',
      'conditions',
    ];
    const odd = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 5 }, fc.jsonValue(), fc.array(tie('value'), { maxLength: 3 }), tie('object')),
      object: fc.dictionary(
        fc.constantFrom(...keys, 'endpoints', 'selector', 'loadBalancer', 'taints', 'addresses'),
        tie('value'),
      ),
    })).object;
    fc.assert(
      fc.property(fc.constantFrom(...resources), odd as fc.Arbitrary<Record<string, unknown>>, (resource, raw) => {
        const metadata = typeof raw.metadata === 'object' && !Array.isArray(raw.metadata) ? raw.metadata : {};
        const object = resource.project({ ...raw, metadata: { ...metadata, name: 'x' } });
        expect(object.metadata.name).toBe('x');
      }),
    );
  });
});
