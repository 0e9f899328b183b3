import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';
import {
  cells,
  columns,
  create,
  edit,
  labelHelp,
  notAnAddress,
  qualifiedHelp,
  refusals,
  selected,
  subdomainHelp,
  tryCreate,
} from './kinds-support.ts';

type Fields = Record<string, unknown>;

const container = (fields: Fields = {}) => ({ name: 'c', image: 'nginx', ...fields });
const one = (fields: Fields = {}) => ({ containers: [container(fields)] });
const tolerations = ['not-ready', 'unreachable'].map((name) => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));
const fullContainer = (fields: Fields = {}) =>
  container({
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'Always',
    ...fields,
  });
const full = {
  containers: [fullContainer()],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  securityContext: {},
  schedulerName: 'default-scheduler',
  tolerations,
  priority: 0,
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
};
const fullOf = (fields: Fields) => ({ ...full, containers: [fullContainer(fields)] });
const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const portRange = 'must be between 1 and 65535, inclusive';
const notNegative = 'must be greater than or equal to 0';
const portLetters = 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)';
const mayChange =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';
const c0 = 'spec.containers[0]';

describeWithServers('Pod', (server) => {
  const path = async () => `/api/v1/namespaces/${await server.namespace()}/pods`;

  const defaults: [string, Fields, Fields][] = [
    ['a plain Pod', one(), full],
    [
      'an image with a tag',
      one({ image: 'reg:5000/nginx:1.2' }),
      fullOf({ image: 'reg:5000/nginx:1.2', imagePullPolicy: 'IfNotPresent' }),
    ],
    ['an image of a registry with a port', one({ image: 'reg:5000/nginx' }), fullOf({ image: 'reg:5000/nginx' })],
    [
      'an image by digest',
      one({ image: 'nginx@sha256:aa' }),
      fullOf({ image: 'nginx@sha256:aa', imagePullPolicy: 'IfNotPresent' }),
    ],
    [
      'limits',
      one({ resources: { limits: { cpu: 1, memory: '1024Mi' }, requests: { cpu: '0.5' } } }),
      fullOf({ resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } } }),
    ],
    [
      'ports in the host network',
      { ...one({ ports: [{ containerPort: 80 }] }), hostNetwork: true },
      { ...fullOf({ ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] }), hostNetwork: true },
    ],
    [
      'probes and hooks',
      one({
        livenessProbe: { httpGet: { port: 80 } },
        readinessProbe: { tcpSocket: { port: 'web' } },
        startupProbe: { grpc: { port: 80 }, periodSeconds: 3 },
        lifecycle: { preStop: { httpGet: { port: 80 } } },
      }),
      fullOf({
        livenessProbe: { ...probe, httpGet: { port: 80, path: '/', scheme: 'HTTP' } },
        readinessProbe: { ...probe, tcpSocket: { port: 'web' } },
        startupProbe: { ...probe, grpc: { port: 80, service: '' }, periodSeconds: 3 },
        lifecycle: { preStop: { httpGet: { port: 80, path: '/', scheme: 'HTTP' } } },
      }),
    ],
    [
      'environment and volumes',
      {
        ...one({
          env: [
            { name: 'A', value: '' },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
        }),
        volumes: [{ name: 'a' }, { name: 'b', secret: { secretName: 's' } }, { name: 'c', hostPath: { path: '/x' } }],
      },
      {
        ...fullOf({
          env: [{ name: 'A' }, { name: 'B', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } }],
        }),
        volumes: [
          { name: 'a', emptyDir: {} },
          { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
          { name: 'c', hostPath: { path: '/x', type: '' } },
        ],
      },
    ],
    [
      'a service account',
      { ...one(), serviceAccount: 'foo' },
      { ...full, serviceAccount: 'foo', serviceAccountName: 'foo' },
    ],
    [
      'a toleration of everything',
      { ...one(), tolerations: [{ operator: 'Exists' }] },
      { ...full, tolerations: [{ operator: 'Exists' }] },
    ],
    [
      'a negative grace period',
      { ...one(), terminationGracePeriodSeconds: -1 },
      { ...full, terminationGracePeriodSeconds: 1 },
    ],
    [
      'a system priority',
      { ...one(), priorityClassName: 'system-node-critical' },
      { ...full, priorityClassName: 'system-node-critical', priority: 2000001000 },
    ],
    [
      'fields that say false or nothing',
      { ...one({ stdin: false, command: [] }), hostNetwork: false, enableServiceLinks: false, nodeSelector: {} },
      { ...full, enableServiceLinks: false },
    ],
  ];
  it.each(defaults)('is given defaults: %s', async (_what, spec, expected) => {
    const { body } = await tryCreate(server, await path(), { spec, status: { phase: 'Running' } });
    expect(body.message).toBeUndefined();
    expect(body.spec).toEqual(expected);
    expect(body.status).toMatchObject({ phase: 'Pending' });
    expect(body.metadata.generation).toBe(1);
  });

  it.each([
    ['BestEffort', {}],
    ['Burstable', { requests: { cpu: '100m' } }],
    ['Burstable', { limits: { cpu: '1' } }],
    ['Guaranteed', { limits: { cpu: '1', memory: '1Gi' } }],
    ['Burstable', { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }],
  ])('its quality of service is %s with %j', async (expected, resources) => {
    const { body } = await tryCreate(server, await path(), { spec: one({ resources }) });
    expect(body.status).toEqual({ phase: 'Pending', qosClass: expected });
  });

  it('a scheduling gate is said in a condition', async () => {
    const { body } = await tryCreate(server, await path(), { spec: { ...one(), schedulingGates: [{ name: 'a' }] } });
    expect(body.status).toMatchObject({
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', lastProbeTime: null }],
    });
  });

  const refused: [string, Fields, string[]][] = [
    ['no containers', { containers: [] }, ['spec.containers: Required value']],
    [
      'a container without name and image',
      { containers: [{}] },
      [`${c0}.name: Required value`, `${c0}.image: Required value`],
    ],
    ['a bad container name', one({ name: 'A_' }), [`${c0}.name: Invalid value: "A_": ${labelHelp}`]],
    [
      'containers of one name',
      { containers: [container(), container()], initContainers: [container()] },
      ['spec.containers[1].name: Duplicate value: "c"', 'spec.initContainers[0].name: Duplicate value: "c"'],
    ],
    [
      'blanks around an image',
      one({ image: ' nginx' }),
      [`${c0}.image: Invalid value: " nginx": must not have leading or trailing whitespace`],
    ],
    [
      'bad ports',
      one({
        ports: [
          { containerPort: 0 },
          { containerPort: 80, hostPort: -1, name: 'A_' },
          { containerPort: 80, name: 'a', protocol: 'X' },
          { containerPort: 81, name: 'a' },
          { containerPort: 82, name: 'a--b' },
          { containerPort: 70000 },
        ],
      }),
      [
        `${c0}.ports[0].containerPort: Required value`,
        `${c0}.ports[1].name: Invalid value: "A_": ${portLetters}`,
        `${c0}.ports[1].name: Invalid value: "A_": must contain at least one letter (a-z)`,
        `${c0}.ports[1].hostPort: Invalid value: -1: ${portRange}`,
        `${c0}.ports[2].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"`,
        `${c0}.ports[3].name: Duplicate value: "a"`,
        `${c0}.ports[4].name: Invalid value: "a--b": must not contain consecutive hyphens`,
        `${c0}.ports[5].containerPort: Invalid value: 70000: ${portRange}`,
      ],
    ],
    [
      'a host port twice',
      one({
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80 },
        ],
      }),
      [`${c0}.ports[1].hostPort: Duplicate value: "TCP//80"`],
    ],
    [
      'another host port in the host network',
      { ...one({ ports: [{ containerPort: 80, hostPort: 81 }] }), hostNetwork: true },
      [`${c0}.ports[0].hostPort: Invalid value: 81: must match \`containerPort\` when \`hostNetwork\` is true`],
    ],
    [
      'an unknown restart policy',
      { ...one(), restartPolicy: 'Foo' },
      ['spec.restartPolicy: Unsupported value: "Foo": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'an unknown DNS policy',
      { ...one(), dnsPolicy: 'Foo' },
      [
        'spec.dnsPolicy: Unsupported value: "Foo": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      ],
    ],
    [
      'an unknown pull policy',
      one({ imagePullPolicy: 'Foo' }),
      [`${c0}.imagePullPolicy: Unsupported value: "Foo": supported values: "Always", "IfNotPresent", "Never"`],
    ],
    [
      'no time to live',
      { ...one(), activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    ['a bad node name', { ...one(), nodeName: 'A_' }, [`spec.nodeName: Invalid value: "A_": ${subdomainHelp}`]],
    [
      'bad host names',
      { ...one(), hostname: 'A_', subdomain: 'B.c' },
      [`spec.hostname: Invalid value: "A_": ${labelHelp}`, `spec.subdomain: Invalid value: "B.c": ${labelHelp}`],
    ],
    [
      'bad tolerations',
      {
        ...one(),
        tolerations: [
          { key: 'a', operator: 'Foo', effect: 'Bar' },
          { operator: 'Equal' },
          { key: 'a', operator: 'Exists', value: 'x' },
          { key: 'a', effect: 'NoSchedule', tolerationSeconds: 5 },
        ],
      },
      [
        'spec.tolerations[0].operator: Unsupported value: "Foo": supported values: "Equal", "Exists"',
        'spec.tolerations[0].effect: Unsupported value: "Bar": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        'spec.tolerations[1].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[2].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
        'spec.tolerations[3].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      ],
    ],
    [
      'a bad readiness gate',
      { ...one(), readinessGates: [{ conditionType: 'a b' }] },
      [`spec.readinessGates[0].conditionType: Invalid value: "a b": ${qualifiedHelp}`],
    ],
    [
      'a scheduling gate and a node',
      { ...one(), schedulingGates: [{ name: 'a' }], nodeName: 'n' },
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
    [
      'more requested than allowed',
      one({ resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
      [`${c0}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`],
    ],
    [
      'bad environment variables',
      one({
        env: [
          { name: '' },
          { name: 'a=b' },
          { name: 'B', valueFrom: {} },
          { name: 'C', valueFrom: { fieldRef: { fieldPath: 'spec.foo' } } },
        ],
      }),
      [
        `${c0}.env[0].name: Required value`,
        `${c0}.env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
        `${c0}.env[2].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\`, \`secretKeyRef\` or \`fileKeyRef\``,
        `${c0}.env[3].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo`,
      ],
    ],
    [
      'bad volumes',
      {
        ...one({
          volumeMounts: [
            { name: 'nope', mountPath: '/a' },
            { name: 'a', mountPath: '/b' },
            { name: 'a', mountPath: '/b' },
          ],
        }),
        volumes: [
          { name: 'a' },
          { name: 'a' },
          { name: 'b', emptyDir: {}, secret: { secretName: 'x' } },
          { name: 's', secret: {} },
        ],
      },
      [
        'spec.volumes[1].name: Duplicate value: "a"',
        'spec.volumes[2].secret: Forbidden: may not specify more than 1 volume type',
        'spec.volumes[3].secret.secretName: Required value',
        `${c0}.volumeMounts[0].name: Not found: "nope"`,
        `${c0}.volumeMounts[2].mountPath: Invalid value: "/b": must be unique`,
      ],
    ],
    [
      'bad probes and hooks',
      one({
        livenessProbe: {},
        readinessProbe: { httpGet: { port: 0, scheme: 'X' }, tcpSocket: { port: 1 } },
        startupProbe: { exec: { command: ['a'] }, successThreshold: 2, periodSeconds: -1 },
        lifecycle: { preStop: {} },
      }),
      [
        `${c0}.lifecycle.preStop: Required value: must specify a handler type`,
        `${c0}.livenessProbe: Required value: must specify a handler type`,
        `${c0}.readinessProbe.httpGet.port: Invalid value: 0: ${portRange}`,
        `${c0}.readinessProbe.httpGet.scheme: Unsupported value: "X": supported values: "HTTP", "HTTPS"`,
        `${c0}.readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
        `${c0}.startupProbe.periodSeconds: Invalid value: -1: ${notNegative}`,
        `${c0}.startupProbe.successThreshold: Invalid value: 2: must be 1`,
      ],
    ],
    [
      'hooks of an init container that is no sidecar',
      { ...one(), initContainers: [{ name: 'i', image: 'i', lifecycle: { preStop: { exec: { command: ['a'] } } } }] },
      ['spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always'],
    ],
    [
      'bad host aliases',
      { ...one(), hostAliases: [{ ip: 'foo' }] },
      [`spec.hostAliases[0].ip: Invalid value: "foo": ${notAnAddress}`],
    ],
    [
      'bad spread constraints',
      { ...one(), topologySpreadConstraints: [{ maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'Foo' }] },
      [
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
        'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Foo": supported values: "DoNotSchedule", "ScheduleAnyway"',
      ],
    ],
    [
      'an unknown operating system',
      { ...one(), os: { name: 'foo' } },
      ['spec.os: Unsupported value: "foo": supported values: "linux", "windows"'],
    ],
    [
      'ephemeral containers',
      { ...one(), ephemeralContainers: [{ name: 'e', image: 'i' }] },
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
  ];
  it.each(refused)('is refused: %s', async (_what, spec, expected) => {
    expect(refusals(await tryCreate(server, await path(), { spec }))).toEqual(expected);
  });

  it.each([
    ['a priority without a class', { priority: 5 }],
    ['an unknown priority class', { priorityClassName: 'nope' }],
    ['an unknown runtime class', { runtimeClassName: 'nope' }],
    ['another preemption policy', { preemptionPolicy: 'Never' }],
  ])('is refused: %s', async (_what, fields) => {
    const { status } = await tryCreate(server, await path(), { spec: { ...one(), ...fields } });
    expect([403, 422]).toContain(status);
  });

  it('is taken with warnings: repeated variables and ports, a name with dots', async () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ];
    const body = {
      metadata: { name: 'a.b' },
      spec: one({ env, ports: [{ containerPort: 80 }, { containerPort: 80 }] }),
    };
    const { headers } = await tryCreate(server, await path(), body);
    const warnings = String(headers.warning);
    expect(warnings).toContain(
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior",
    );
    expect(warnings).toContain(
      `${c0}.env[1]: hides previous definition of \\"A\\", which may be dropped when using apply`,
    );
    expect(warnings).toContain(`${c0}.ports[1]: duplicate port definition with ${c0}.ports[0]`);
  });

  it('an amount that is none is refused before any rule looks at it', async () => {
    const answer = await tryCreate(server, await path(), { spec: one({ resources: { limits: { cpu: 'abc' } } }) });
    expect(answer.status).toBe(400);
    expect(answer.body.message).toBe(
      `Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    );
  });

  type Spec = { containers: Fields[]; tolerations: Fields[] } & Fields;
  const changes: [string, Fields, (spec: Spec) => void, number][] = [
    ['nothing', one(), () => {}, 1],
    ['an image', one(), ({ containers }) => Object.assign(containers[0] ?? {}, { image: 'x:1' }), 2],
    ['a deadline', one(), (spec) => Object.assign(spec, { activeDeadlineSeconds: 10 }), 2],
    [
      'a shorter deadline',
      { ...one(), activeDeadlineSeconds: 10 },
      (spec) => Object.assign(spec, { activeDeadlineSeconds: 5 }),
      2,
    ],
    ['one more toleration', one(), (spec) => spec.tolerations.push({ key: 'a', operator: 'Exists' }), 2],
    ['a longer toleration', one(), (spec) => Object.assign(spec.tolerations[0] ?? {}, { tolerationSeconds: 600 }), 2],
    ['fewer tolerations, which the server adds again', one(), (spec) => spec.tolerations.pop(), 1],
    [
      'no more scheduling gates',
      { ...one(), schedulingGates: [{ name: 'a' }] },
      (spec) => delete spec.schedulingGates,
      2,
    ],
    [
      'the node selector of a gated Pod',
      { ...one(), schedulingGates: [{ name: 'a' }] },
      (spec) => Object.assign(spec, { nodeSelector: { a: 'b' } }),
      2,
    ],
  ];
  it.each(changes)('changes: %s', async (_what, spec, change, generation) => {
    const pods = await path();
    await create(server, pods, { spec });
    const { body } = await edit(server, `${pods}/x`, (pod) => void change(pod.spec as Spec));
    expect(body.message).toBeUndefined();
    expect(body.metadata.generation).toBe(generation);
  });

  const fixed: [string, Fields, (spec: Spec) => void, string | string[]][] = [
    [
      'an image away',
      one(),
      ({ containers }) => Object.assign(containers[0] ?? {}, { image: '' }),
      [`${c0}.image: Required value`, `${c0}.image: Required value`],
    ],
    [
      'the number of containers',
      one(),
      ({ containers }) => containers.push(container({ name: 'd' })),
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ],
    [
      'a longer deadline',
      { ...one(), activeDeadlineSeconds: 10 },
      (spec) => Object.assign(spec, { activeDeadlineSeconds: 15 }),
      'spec.activeDeadlineSeconds: Invalid value: 15: must be less than or equal to previous value',
    ],
    [
      'no deadline',
      { ...one(), activeDeadlineSeconds: 10 },
      (spec) => delete spec.activeDeadlineSeconds,
      'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
    ],
    [
      'a scheduling gate',
      one(),
      (spec) => Object.assign(spec, { schedulingGates: [{ name: 'a' }] }),
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'",
    ],
    ['a command', one(), ({ containers }) => Object.assign(containers[0] ?? {}, { command: ['x'] }), mayChange],
    ['the grace period', one(), (spec) => Object.assign(spec, { terminationGracePeriodSeconds: 5 }), mayChange],
    ['the node', one(), (spec) => Object.assign(spec, { nodeName: 'n' }), mayChange],
    ['the restart policy', one(), (spec) => Object.assign(spec, { restartPolicy: 'Never' }), mayChange],
  ];
  it.each(fixed)('may not change: %s', async (_what, spec, change, expected) => {
    const pods = await path();
    await create(server, pods, { spec });
    const answer = await edit(server, `${pods}/x`, (pod) => void change(pod.spec as Spec));
    expect(answer.status).toBe(422);
    // The real server adds what the difference is.
    expect(refusals(answer).map((text) => text.split('\n')[0])).toEqual([expected].flat());
  });

  it('labels change without a new generation', async () => {
    const pods = await path();
    await create(server, pods, { spec: one() });
    const { body } = await edit(server, `${pods}/x`, ({ metadata }) => {
      metadata.labels = { a: 'b' };
    });
    expect(body.metadata).toMatchObject({ labels: { a: 'b' }, generation: 1 });
  });

  it('status is written through its subresource alone, which leaves spec and owners', async () => {
    const pods = await path();
    await create(server, pods, { spec: one() });
    const main = await edit(server, `${pods}/x`, (pod) => {
      pod.status = { phase: 'Running' };
    });
    expect(main.body.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
    const sub = await edit(
      server,
      `${pods}/x`,
      (pod) => {
        pod.status = {
          phase: 'Running',
          podIPs: [{ ip: '10.1.1.1' }, { ip: 'fd00::1' }],
          conditions: [{ type: 'Ready', status: 'True' }],
        };
        (pod.spec as Spec).containers[0] = container({ image: 'other' });
        Object.assign(pod.metadata, {
          labels: { q: 'w' },
          ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'n', uid: 'u' }],
        });
      },
      'status',
    );
    expect(sub.body.status).toEqual({
      phase: 'Running',
      qosClass: 'BestEffort',
      podIP: '10.1.1.1',
      podIPs: [{ ip: '10.1.1.1' }, { ip: 'fd00::1' }],
      conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: null }],
    });
    expect(sub.body.spec).toEqual(full);
    expect(sub.body.metadata).toMatchObject({ generation: 1, labels: { q: 'w' } });
    expect(sub.body.metadata.ownerReferences).toBeUndefined();
  });

  it('podIP goes before podIPs', async () => {
    const pods = await path();
    await create(server, pods, { spec: one() });
    const put = async (fields: Fields) =>
      (await edit(server, `${pods}/x`, (pod) => void Object.assign(pod, { status: fields }), 'status')).body.status;
    expect(await put({ podIP: '10.1.1.1' })).toMatchObject({ podIP: '10.1.1.1', podIPs: [{ ip: '10.1.1.1' }] });
    expect(await put({ podIP: '10.1.1.1', podIPs: [{ ip: '10.1.1.2' }] })).toMatchObject({
      podIPs: [{ ip: '10.1.1.1' }],
    });
  });

  it('a status is checked', async () => {
    const pods = await path();
    await create(server, pods, { spec: { ...one(), restartPolicy: 'Never' } });
    const put = (fields: Fields) =>
      edit(server, `${pods}/x`, (pod) => void Object.assign(pod.status as Fields, fields), 'status');
    expect(refusals(await put({ qosClass: 'Guaranteed' }))).toEqual([
      'status.qosClass: Invalid value: "Guaranteed": field is immutable',
    ]);
    expect(refusals(await put({ podIPs: [{ ip: '1.2.3.4' }, { ip: '1.2.3.5' }] }))).toEqual([
      'status.podIPs: Invalid value: [{"IP":"1.2.3.4"},{"IP":"1.2.3.5"}]: may specify no more than one IP for each IP family',
    ]);
    await put({ containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 1 } } }] });
    expect(refusals(await put({ containerStatuses: [{ name: 'c', state: { running: {} } }] }))).toEqual([
      'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
    ]);
  });

  it('goes away at once before it has a node, and with grace afterwards', async () => {
    const pods = await path();
    await create(server, pods, { metadata: { name: 'free' }, spec: one() });
    expect((await server.delete(`${pods}/free`)).status).toBe(200);
    expect((await server.get(`${pods}/free`)).status).toBe(404);

    await create(server, pods, { metadata: { name: 'bound' }, spec: { ...one(), nodeName: 'n' } });
    const { body } = await server.delete(`${pods}/bound`);
    expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30, generation: 2 });
    expect(
      (await server.delete(`${pods}/bound`, { gracePeriodSeconds: 10 })).body.metadata.deletionGracePeriodSeconds,
    ).toBe(10);
    expect(
      (await server.delete(`${pods}/bound`, { gracePeriodSeconds: 60 })).body.metadata.deletionGracePeriodSeconds,
    ).toBe(10);
    await server.delete(`${pods}/bound`, { gracePeriodSeconds: 0 });
    expect((await server.get(`${pods}/bound`)).status).toBe(404);

    await create(server, pods, { metadata: { name: 'done' }, spec: { ...one(), nodeName: 'n' } });
    await edit(server, `${pods}/done`, (pod) => void Object.assign(pod, { status: { phase: 'Succeeded' } }), 'status');
    await server.delete(`${pods}/done`);
    expect((await server.get(`${pods}/done`)).status).toBe(404);
  });

  const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
  const ended = (exitCode: number, fields: Fields = {}) => ({ terminated: { exitCode, ...fields } });
  const waiting = (reason: string) => ({ waiting: { reason } });
  const state = (value: Fields, fields: Fields = {}) => ({
    name: 'c',
    image: 'i',
    imageID: '',
    ready: false,
    restartCount: 0,
    lastState: {},
    state: value,
    ...fields,
  });
  const withInit = (...inits: Fields[]) => ({
    ...one(),
    initContainers: inits.map((fields, i) => ({ name: `i${i}`, image: 'i', ...fields })),
  });
  const init = (i: number, value: Fields, fields: Fields = {}) => state(value, { name: `i${i}`, ...fields });
  const two = { containers: [container(), container({ name: 'd' })] };
  const rows: [string, Fields, Fields, Fields][] = [
    ['a new Pod', one(), { phase: 'Pending' }, { Ready: '0/1', Status: 'Pending', Restarts: '0' }],
    [
      'a running Pod',
      one(),
      { phase: 'Running', podIP: '1.1.1.1', containerStatuses: [state(running, { ready: true, restartCount: 2 })] },
      { Ready: '1/1', Status: 'Running', Restarts: '2', IP: '1.1.1.1', Node: '<none>' },
    ],
    [
      'a Pod that is being set up',
      one(),
      { phase: 'Pending', containerStatuses: [state(waiting('ContainerCreating'))] },
      { Status: 'ContainerCreating' },
    ],
    [
      'a completed Pod',
      one(),
      { phase: 'Succeeded', containerStatuses: [state(ended(0, { reason: 'Completed' }))] },
      { Status: 'Completed' },
    ],
    ['a failed Pod', one(), { phase: 'Failed', containerStatuses: [state(ended(3))] }, { Status: 'ExitCode:3' }],
    [
      'a killed Pod',
      one(),
      { phase: 'Failed', containerStatuses: [state(ended(0, { signal: 9 }))] },
      { Status: 'Signal:9' },
    ],
    ['an evicted Pod', one(), { phase: 'Failed', reason: 'Evicted' }, { Status: 'Evicted' }],
    [
      'a Pod with one container done',
      two,
      {
        phase: 'Running',
        containerStatuses: [state(ended(0, { reason: 'Completed' })), state(running, { name: 'd', ready: true })],
      },
      { Ready: '1/2', Status: 'NotReady' },
    ],
    [
      'a ready Pod with one container done',
      two,
      {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [state(ended(0, { reason: 'Completed' })), state(running, { name: 'd', ready: true })],
      },
      { Ready: '1/2', Status: 'Running' },
    ],
    [
      'the second init container',
      withInit({}, {}),
      {
        phase: 'Pending',
        initContainerStatuses: [init(0, ended(0)), init(1, running, { restartCount: 4 })],
        containerStatuses: [state(waiting('PodInitializing'))],
      },
      { Ready: '0/1', Status: 'Init:1/2', Restarts: '4' },
    ],
    [
      'a failed init container',
      withInit({}),
      { phase: 'Pending', initContainerStatuses: [init(0, ended(2, { reason: 'Error' }))] },
      { Status: 'Init:Error' },
    ],
    [
      'a failed init container without a reason',
      withInit({}),
      { phase: 'Pending', initContainerStatuses: [init(0, ended(2))] },
      { Status: 'Init:ExitCode:2' },
    ],
    [
      'an init container that waits',
      withInit({}),
      { phase: 'Pending', initContainerStatuses: [init(0, waiting('CrashLoopBackOff'))] },
      { Status: 'Init:CrashLoopBackOff' },
    ],
    [
      'a sidecar',
      withInit({ restartPolicy: 'Always' }),
      {
        phase: 'Running',
        initContainerStatuses: [init(0, running, { started: true, ready: true, restartCount: 3 })],
        containerStatuses: [state(running, { ready: true, restartCount: 1 })],
      },
      { Ready: '2/2', Status: 'Running', Restarts: '4' },
    ],
    [
      'a gated Pod',
      { ...one(), schedulingGates: [{ name: 'a' }] },
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      { Status: 'SchedulingGated' },
    ],
    [
      'readiness gates',
      { ...one(), readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] },
      {
        phase: 'Running',
        nominatedNodeName: 'nn',
        podIPs: [{ ip: 'fd00::1' }],
        conditions: [{ type: 'a', status: 'True' }],
      },
      { IP: 'fd00::1', 'Nominated Node': 'nn', 'Readiness Gates': '1/2' },
    ],
  ];
  it.each(rows)('is shown in a table: %s', async (_what, spec, status, expected) => {
    const pods = await path();
    await create(server, pods, { spec });
    await edit(server, `${pods}/x`, (pod) => void Object.assign(pod, { status }), 'status');
    expect(await cells(server, `${pods}/x`)).toMatchObject({ Name: 'x', ...expected });
  });

  it('the table says when a container was last restarted, and that a Pod is on its way out', async () => {
    const pods = await path();
    expect(await columns(server, pods)).toEqual([
      'Name',
      'Ready',
      'Status',
      'Restarts',
      'Age',
      'IP (wide)',
      'Node (wide)',
      'Nominated Node (wide)',
      'Readiness Gates (wide)',
    ]);
    await create(server, pods, { spec: { ...one(), nodeName: 'n' } });
    const lastState = ended(1, { finishedAt: '2020-01-01T00:00:00Z' });
    const containerStatuses = [state(running, { ready: true, restartCount: 2, lastState })];
    await edit(
      server,
      `${pods}/x`,
      (pod) => void Object.assign(pod, { status: { phase: 'Running', containerStatuses } }),
      'status',
    );
    expect(await cells(server, `${pods}/x`)).toMatchObject({
      Restarts: expect.stringMatching(/^2 \(\d+y(\d+d)? ago\)$/),
      Node: 'n',
    });
    await server.delete(`${pods}/x`);
    expect(await cells(server, `${pods}/x`)).toMatchObject({ Ready: '1/1', Status: 'Terminating' });
    await server.delete(`${pods}/x`, { gracePeriodSeconds: 0 });
  });

  it('is selected by fields', async () => {
    const pods = await path();
    await create(server, pods, { metadata: { name: 'a' }, spec: { ...one(), nodeName: 'n1', restartPolicy: 'Never' } });
    await create(server, pods, {
      metadata: { name: 'b' },
      spec: { ...one(), schedulerName: 's', serviceAccountName: 'sa', hostNetwork: true },
    });
    await edit(
      server,
      `${pods}/b`,
      (pod) => void Object.assign(pod, { status: { phase: 'Running', podIP: '1.1.1.1', nominatedNodeName: 'nn' } }),
      'status',
    );
    const table: [string, string[]][] = [
      ['spec.nodeName=n1', ['a']],
      ['spec.nodeName=', ['b']],
      ['spec.restartPolicy=Never', ['a']],
      ['spec.schedulerName=s', ['b']],
      ['spec.serviceAccountName=sa', ['b']],
      ['spec.hostNetwork=true', ['b']],
      ['status.phase=Running', ['b']],
      ['status.phase!=Running,status.phase!=Succeeded', ['a']],
      ['status.podIP=1.1.1.1', ['b']],
      ['status.nominatedNodeName=nn', ['b']],
    ];
    for (const [selector, names] of table)
      expect([selector, await selected(server, pods, selector)]).toEqual([selector, names]);
    const unknown = await server.get(pods, { fieldSelector: 'spec.foo=1' });
    expect(unknown.body).toMatchObject({ code: 400, message: 'field label not supported: spec.foo' });
    await server.delete(`${pods}/a`, { gracePeriodSeconds: 0 });
  });
});
