import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Answer, type Call, describeWithBoth, patchTypes, type TestServer } from './harness.ts';

// The same random writes by several managers are sent to both servers, and every answer must be the same but for what no two servers
// can have in common: uids, times, versions, allocated addresses.

const metadata = optional({
  labels: optional({ a: anyOf('1', '2'), b: anyOf('1', '2') }),
  annotations: optional({ x: anyOf('1', '2') }),
  finalizers: fc.subarray(['f.x/1', 'f.x/2', 'f.x/3']),
});

const servicePort = fc
  .record({
    port: anyOf(1, 2, 3, 4),
    rest: optional({ protocol: anyOf('TCP', 'UDP'), targetPort: anyOf<string | number>('web', 80) }),
  })
  .map(({ port, rest }) => ({ ...rest, port, name: `n${port}` }));
const service = optional({
  selector: optional({ p: anyOf('1', '2'), q: anyOf('1', '2') }),
  ports: fc.uniqueArray(servicePort, { selector: ({ port }) => port, maxLength: 4 }),
  sessionAffinity: anyOf('ClientIP', 'None'),
  externalIPs: fc.subarray(['1.1.1.1', '2.2.2.2']),
});

const container = (name: string) =>
  optional({
    image: anyOf('i1', 'i2'),
    args: fc.subarray(['a', 'b']),
    env: fc
      .subarray([
        { name: 'E1', value: '1' },
        { name: 'E2', value: '2' },
        { name: 'E1', value: '3' },
      ])
      .map((list) => list.filter((item, i) => list.findIndex(({ name: other }) => other === item.name) === i)),
    ports: fc.subarray([
      { containerPort: 80, name: 'web' },
      { containerPort: 81 },
      { containerPort: 82, protocol: 'UDP' },
    ]),
  }).map((rest) => ({ name, ...rest }));
const deployment = fc
  .record({
    spec: optional({ replicas: anyOf(0, 1, 3), strategy: fc.constant({ type: 'Recreate' }) }),
    pod: optional({
      imagePullSecrets: fc.subarray([{ name: 's1' }, { name: 's2' }]),
      tolerations: fc.subarray([
        { key: 'a', operator: 'Exists' },
        { key: 'b', value: 'x', effect: 'NoSchedule' },
      ]),
      nodeSelector: optional({ k: anyOf('1', '2') }),
    }),
    containers: fc.subarray(['c1', 'c2', 'c3'], { minLength: 1 }).chain((names) => fc.tuple(...names.map(container))),
  })
  .map(({ spec, pod, containers }) => ({
    ...spec,
    selector: { matchLabels: { a: '1' } },
    template: { metadata: { labels: { a: '1' } }, spec: { ...pod, containers } },
  }));

const kinds = [
  {
    plural: 'configmaps',
    apiVersion: 'v1',
    kind: 'ConfigMap',
    body: optional({ data: optional({ k: anyOf('1', '2', ''), l: anyOf('1', '2') }) }),
  },
  { plural: 'services', apiVersion: 'v1', kind: 'Service', body: fc.record({ spec: service }) },
  { plural: 'deployments', apiVersion: 'apps/v1', kind: 'Deployment', body: fc.record({ spec: deployment }) },
];

const writes = ['apply', 'apply', 'force', 'merge', 'strategic', 'PUT', 'POST', 'DELETE'] as const;

interface Step {
  write: (typeof writes)[number];
  manager: string;
  metadata: object;
  body: object;
  /** Which members a patch leaves out. */
  dice: number[];
}

describeWithBoth('random writes', (real, embedded) => {
  it.each(kinds)('of a $kind are answered alike', { timeout: 120_000 }, async ({ plural, apiVersion, kind, body }) => {
    const step: fc.Arbitrary<Step> = fc.record({
      write: fc.constantFrom(...writes),
      manager: fc.constantFrom('m1', 'm2', 'm3'),
      metadata,
      body,
      dice: fc.array(fc.nat(9), { minLength: 20, maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
        const collections = await Promise.all(
          [real, embedded].map(async (server) => `${root}/namespaces/${await server.namespace()}/${plural}`),
        );
        for (const [i, { write, manager, ...rest }] of steps.entries()) {
          const object = { apiVersion, kind, ...rest.body, metadata: { ...rest.metadata, name: 's' } };
          const call = callOf(write, object, manager, rest.dice);
          const [expected, actual] = await Promise.all(
            [real, embedded].map((server, n) => send(server, collections[n] ?? '', write, call)),
          );
          expect(actual, `step ${i}: ${write} by ${manager} of ${JSON.stringify(call.body)}`).toEqual(expected);
        }
      }),
      { numRuns: 12, seed: 20260, endOnFailure: true },
    );
  });
});

function callOf(write: Step['write'], object: object, manager: string, dice: number[]): Call {
  const query = { fieldManager: manager };
  switch (write) {
    case 'apply':
    case 'force':
      return { query: { ...query, force: write === 'force' || undefined }, body: object, type: patchTypes.apply };
    case 'merge':
    case 'strategic':
      return { query, body: thinned(object, [...dice]), type: patchTypes[write] };
    case 'PUT':
    case 'POST':
      return { query, body: object };
    case 'DELETE':
      return {};
  }
}

async function send(server: TestServer, collection: string, write: Step['write'], call: Call): Promise<unknown> {
  const path = `${collection}/s`;
  if (write === 'POST') return comparable(await server.call('POST', collection, call));
  if (write === 'PUT') return comparable(await server.call('PUT', path, call));
  if (write !== 'DELETE') return comparable(await server.call('PATCH', path, call));
  // Finalizers would keep it, and the two servers would only be compared in waiting.
  await server.patch(path, 'merge', { metadata: { finalizers: null } });
  return comparable(await server.delete(path));
}

/** A patch of parts of an object: members are left out or, below the first level, removed, as the dice say. */
function thinned(value: unknown, dice: number[], depth = 0): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const die = dice.shift() ?? 0;
    if (depth === 0 && (key === 'kind' || key === 'apiVersion')) continue;
    if (key === 'name' || die < 3) continue;
    const structural = ['selector', 'template', 'spec', 'containers', 'metadata', 'a'].includes(key);
    kept[key] = die === 3 && depth > 0 && !structural ? null : thinned(member, dice, depth + 1);
  }
  return kept;
}

const incomparable = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'namespace',
  'time',
  'clusterIP',
  'clusterIPs',
]);

function comparable({ status, body }: Answer): unknown {
  const text = JSON.stringify(body, (key, value: unknown) => {
    if (incomparable.has(key)) return undefined;
    // Managers and conflicts come in an order that depends on times and on chance.
    if ((key === 'managedFields' || key === 'causes') && Array.isArray(value)) {
      return value.map((item) => JSON.stringify(withoutTime(item))).sort();
    }
    if (key === 'message' && typeof value === 'string') return value.split(/[\n:]/).sort().join();
    return value;
  });
  return [status, JSON.parse(text)];
}

function withoutTime(entry: Record<string, unknown>): Record<string, unknown> {
  const { time: _time, ...rest } = entry;
  return Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function anyOf<T extends string | number>(...values: T[]): fc.Arbitrary<T> {
  return fc.constantFrom(...values);
}

function optional<T extends object>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(members, { requiredKeys: [] });
}
