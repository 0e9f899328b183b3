/** A Pod as a kubelet leaves it in the API server: about 8 KB of JSON, most of it of no use to a Service. */
export function benchPod(index: number): object {
  const namespace = `team-${index % 5}`;
  const app = `app-${Math.floor(index / 10) % 2000}`;
  const name = `${app}-7d9c6b5f4-${index.toString(36).padStart(5, '0')}`;
  const ip = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  const time = new Date(Date.UTC(2026, 0, 1) + Math.floor(index / 50) * 1000).toISOString().replace('.000Z', 'Z');
  const env = Array.from({ length: 18 }, (_, i) => ({
    name: `SETTING_NUMBER_${i}`,
    value: `value-of-setting-${i}-for-${app}`,
  }));
  const condition = (type: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: time });
  return {
    metadata: {
      name,
      generateName: `${app}-7d9c6b5f4-`,
      namespace,
      uid: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
      resourceVersion: String(1000 + index),
      creationTimestamp: time,
      labels: {
        app,
        tier: `tier-${index % 3}`,
        'pod-template-hash': '7d9c6b5f4',
        'app.kubernetes.io/part-of': 'the-shop',
      },
      annotations: {
        'example.com/config-checksum': 'c0ffee'.repeat(10),
        'kubernetes.io/limit-ranger': 'set: cpu request',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${app}-7d9c6b5f4`,
          uid: `10000000-0000-4000-8000-${index}`,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: ['kube-controller-manager', 'kubelet'].map((manager) => ({
        manager,
        operation: 'Update',
        apiVersion: 'v1',
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: Object.fromEntries(
          Array.from({ length: 24 }, (_, i) => [
            `f:field${i}`,
            { '.': {}, 'f:name': {}, [`k:{"name":"SETTING_NUMBER_${i}"}`]: {} },
          ]),
        ),
      })),
    },
    spec: {
      nodeName: `node-${index % 200}`,
      serviceAccountName: 'default',
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      volumes: [
        {
          name: `kube-api-access-${index}`,
          projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] },
        },
      ],
      tolerations: ['not-ready', 'unreachable'].map((k) => ({
        key: `node.kubernetes.io/${k}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
      containers: [
        {
          name: 'main',
          image: `registry.example.com/shop/${app}:1.2.3`,
          ports: [
            { name: 'http', containerPort: 8080, protocol: 'TCP' },
            { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
          ],
          env,
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
          readinessProbe: {
            httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' },
            periodSeconds: 10,
            timeoutSeconds: 1,
          },
        },
        { name: 'log-shipper', image: 'registry.example.com/shop/logs:7', env: env.slice(0, 8), resources: {} },
      ],
    },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      hostIP: '192.0.2.1',
      qosClass: 'Burstable',
      startTime: time,
      conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
        condition,
      ),
      containerStatuses: ['main', 'log-shipper'].map((container) => ({
        name: container,
        ready: true,
        started: true,
        restartCount: 0,
        image: `registry.example.com/shop/${container}`,
        imageID: `registry.example.com/shop/${container}@sha256:${'ab'.repeat(32)}`,
        containerID: `containerd://${'cd'.repeat(32)}`,
        state: { running: { startedAt: time } },
      })),
    },
  };
}
