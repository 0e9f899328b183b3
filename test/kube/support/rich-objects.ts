/** Objects that use every field which the projections keep, as they would be sent to an API server. */
const meta = (name: string) => ({
  name,
  labels: { app: 'web', 'example.com/empty': '' },
  annotations: { 'example.com/note': 'ünïcödé €', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
});

export const RICH_NODES: object[] = [
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...meta('rich-node'),
      labels: { 'topology.kubernetes.io/zone': 'zone-a', 'kubernetes.io/hostname': 'rich-node' },
    },
    spec: {
      podCIDR: '10.244.1.0/24',
      podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'],
      unschedulable: true,
      taints: [
        { key: 'a', value: 'b', effect: 'NoSchedule' },
        { key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' },
      ],
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: '192.0.2.1' },
        { type: 'Hostname', address: 'rich-node' },
      ],
      allocatable: { cpu: '1900m', memory: '1Gi' },
      capacity: { cpu: '2', memory: '2Gi' },
      conditions: [
        { type: 'MemoryPressure', status: 'False', reason: 'x', message: 'y' },
        { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ok' },
      ],
    },
  },
  { apiVersion: 'v1', kind: 'Node', metadata: { name: 'bare-node' } },
];

const container = { image: 'example.com/image', name: 'main' };

export const RICH_PODS: object[] = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...meta('rich-pod'), namespace: 'default', finalizers: ['example.com/hold'] },
    spec: {
      nodeName: 'rich-node',
      hostname: 'web-0',
      subdomain: 'web',
      hostNetwork: true,
      containers: [
        {
          ...container,
          ports: [
            { name: 'http', containerPort: 80, hostPort: 80 },
            { containerPort: 53, hostPort: 53, protocol: 'UDP' },
          ],
        },
        { ...container, name: 'quiet' },
      ],
      initContainers: [
        { ...container, name: 'setup', ports: [{ containerPort: 1, hostPort: 1 }] },
        {
          ...container,
          name: 'sidecar',
          restartPolicy: 'Always',
          ports: [{ name: 'proxy', containerPort: 15001, hostPort: 15001 }],
        },
      ],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
      conditions: [
        { type: 'Initialized', status: 'True', lastTransitionTime: '2026-01-02T03:04:05Z' },
        { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-02T03:04:06Z' },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bare-pod', namespace: 'default' },
    spec: { containers: [container] },
  },
];

export const RICH_SERVICES: object[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...meta('rich-service'),
      namespace: 'default',
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Node',
          name: 'bare-node',
          uid: 'some-uid',
          controller: false,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      type: 'LoadBalancer',
      selector: { app: 'web', 'example.com/empty': '' },
      ports: [
        { name: 'http', port: 80, targetPort: 'web', appProtocol: 'kubernetes.io/h2c' },
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 5353 },
      ],
      externalIPs: ['192.0.2.7'],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 7 } },
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Local',
      loadBalancerSourceRanges: ['203.0.113.0/24'],
      publishNotReadyAddresses: true,
      trafficDistribution: 'PreferSameZone',
    },
    status: { loadBalancer: { ingress: [{ ip: '198.51.100.1', ipMode: 'Proxy' }, { hostname: 'lb.example.com' }] } },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'headless', namespace: 'default' },
    spec: { clusterIP: 'None', ports: [{ port: 1234 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'external', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: 'example.com' },
  },
];

export const RICH_SLICES: object[] = [
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta('rich-slice'), annotations: { 'example.com/note': '€' }, namespace: 'default' },
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: 'web-0',
        nodeName: 'rich-node',
        zone: 'zone-a',
        targetRef: {
          kind: 'Pod',
          namespace: 'default',
          name: 'rich-pod',
          uid: 'u',
          resourceVersion: '1',
          fieldPath: 'spec',
        },
        hints: { forZones: [{ name: 'zone-a' }, { name: 'zone-b' }], forNodes: [{ name: 'rich-node' }] },
        deprecatedTopology: { rack: 'r1' },
      },
      { addresses: ['10.0.0.2'], conditions: { ready: false } },
      { addresses: ['10.0.0.3'], conditions: {} },
    ],
    ports: [
      { name: '', port: 80, protocol: 'TCP' },
      { name: 'dns', port: 53, protocol: 'UDP', appProtocol: 'dns' },
      { name: 'all', protocol: 'SCTP' },
    ],
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'empty-slice', namespace: 'default' },
    addressType: 'IPv6',
    endpoints: [],
    ports: [],
  },
];
