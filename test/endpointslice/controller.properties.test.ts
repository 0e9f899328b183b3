import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_PLAN_OPTIONS } from '../../src/endpointslice/plan.ts';
import type { ApiErrorCode } from '../../src/kube/errors.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import type { Node } from '../../src/objects/node.ts';
import type { Pod } from '../../src/objects/pod.ts';
import type { Service } from '../../src/objects/service.ts';
import { endpoint, HTTP, node, pod, service } from './support/build.ts';
import { apiError, Bench } from './support/fake-api.ts';

const MAX = 3;
const CODES: ApiErrorCode[] = [
  'CONFLICT',
  'SERVER_ERROR',
  'TOO_MANY_REQUESTS',
  'TIMEOUT',
  'INVALID',
  'FORBIDDEN',
  'NOT_FOUND',
];

/** All that may happen; numbers choose among what there is. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('pod' as const),
      n: fc.nat(11),
      ready: fc.boolean(),
      at: fc.nat(2),
      end: fc.integer({ min: 0, max: 9 }),
      app: fc.integer({ min: 0, max: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('pod gone' as const), n: fc.nat(11) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('service' as const),
      port: fc.constantFrom(8080, 8081),
      label: fc.nat(1),
      six: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('recreated' as const), collected: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('node' as const), n: fc.nat(2), zone: fc.nat(2), gone: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('slice deleted' as const), n: fc.nat(5), unseen: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('slice edited' as const), n: fc.nat(5), how: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('fails' as const),
      count: fc.integer({ min: 1, max: 4 }),
      code: fc.constantFrom(...CODES),
      served: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('cache lags' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('cache catches up' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('time' as const), ms: fc.constantFrom(0, 500, 1500, 10_000) }),
  },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** The world in which things happen, and what the slices must come to say about it. */
class World {
  readonly bench = new Bench({ plan: { ...DEFAULT_PLAN_OPTIONS, maxEndpointsPerSlice: MAX } });
  #service: Service = service();
  #pods = new Map<string, Pod>();
  #nodes = new Map<string, Node>();
  #uids = 0;

  constructor() {
    this.#putNode('node-0', 'z0');
    this.bench.services.put(this.#service);
  }

  async happen(event: Happening): Promise<void> {
    const { bench } = this;
    if (event.what === 'pod') {
      const p = pod(`p${event.n}`, {
        ips: [`10.0.0.${event.n + 1}`, `fd00::${event.n + 1}`],
        ready: event.ready,
        node: `node-${event.at}`,
        phase: event.end === 0 ? 'Failed' : 'Running',
        labels: { app: event.app === 0 ? 'other' : 'web' },
      });
      this.#pods.set(p.metadata.name, p);
      bench.pods.put(p);
    } else if (event.what === 'pod gone') {
      const p = this.#pods.get(`p${event.n}`);
      this.#pods.delete(`p${event.n}`);
      if (p) bench.pods.take(p);
    } else if (event.what === 'service') {
      this.#putService({ port: event.port, label: `${event.label}`, six: event.six });
    } else if (event.what === 'recreated') {
      bench.services.take(this.#service);
      this.#service = service({ ...this.#service.spec, uid: `uid-${++this.#uids}` });
      bench.services.put(this.#service);
      if (event.collected) this.collectGarbage();
    } else if (event.what === 'node') {
      if (event.gone) this.#takeNode(`node-${event.n}`);
      else this.#putNode(`node-${event.n}`, `z${event.zone}`);
    } else if (event.what === 'slice deleted') {
      const victim = this.#slice(event.n);
      if (victim && event.unseen) bench.api.removeUnseen(victim.metadata.name);
      else if (victim) bench.api.remove(victim.metadata.name);
    } else if (event.what === 'slice edited') {
      const victim = this.#slice(event.n);
      if (victim) bench.api.put(edited(victim, event.how));
    } else if (event.what === 'fails') {
      let left = event.count;
      const fail = () => (left-- > 0 ? apiError(event.code, 'as told') : undefined);
      if (event.served) bench.api.lose = fail;
      else bench.api.fail = fail;
    } else if (event.what === 'cache lags') bench.api.hold();
    else if (event.what === 'cache catches up') bench.api.release();
    else if (event.what === 'restart') await bench.restart();
    else await bench.clock.advance(event.ms);
  }

  /** What the garbage collector does: slices go whose Service is gone. */
  collectGarbage(): void {
    for (const slice of [...this.bench.api.slices.values()]) {
      const owner = slice.metadata.ownerReferences?.[0]?.uid;
      if (owner !== this.#service.metadata.uid) this.bench.api.remove(slice.metadata.name);
    }
  }

  /** Lines of what every slice should say together, found by looking at everything. */
  expected(): string[] {
    const families = this.#service.spec.ipFamilies ?? [];
    return families
      .flatMap((family) =>
        [...this.#pods.values()].flatMap((p) => {
          const on = this.#nodes.get(p.spec.nodeName ?? '');
          if (!on || p.status.phase === 'Failed' || p.metadata.labels?.app !== 'web') return [];
          const ip = p.status.podIPs?.[family === 'IPv4' ? 0 : 1]?.ip;
          const port = this.#service.spec.ports?.[0]?.targetPort;
          const ready = p.status.conditions?.[0]?.status === 'True';
          return [
            [family, port, ip, p.metadata.name, ready, on.metadata.labels?.['topology.kubernetes.io/zone']].join(),
          ];
        }),
      )
      .sort();
  }

  actual(): string[] {
    return this.#ours()
      .flatMap((s) =>
        s.endpoints.map((e) =>
          [s.addressType, s.ports[0]?.port, e.addresses, e.targetRef?.name, e.conditions?.ready, e.zone].join(),
        ),
      )
      .sort();
  }

  check(): void {
    expect(this.actual()).toEqual(this.expected());
    for (const slice of this.#ours()) {
      expect(slice.endpoints.length).toBeLessThanOrEqual(MAX);
      expect(slice.metadata.ownerReferences?.[0]?.uid).toBe(this.#service.metadata.uid);
      expect(slice.metadata.labels?.tier).toBe(this.#service.metadata.labels?.tier);
    }
    for (const family of this.#service.spec.ipFamilies ?? []) {
      expect(this.#ours().filter((s) => s.addressType === family).length).toBeGreaterThan(0);
    }
  }

  #ours(): EndpointSlice[] {
    return [...this.bench.api.slices.values()].filter(
      (s) => s.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io',
    );
  }

  #slice(n: number): EndpointSlice | undefined {
    const all = [...this.bench.api.slices.values()];
    return all[n % Math.max(1, all.length)];
  }

  #putService({ port, label, six }: { port: number; label: string; six: boolean }): void {
    this.#service = service({
      uid: this.#service.metadata.uid ?? '',
      labels: { tier: label },
      ports: [{ ...HTTP, targetPort: port }],
      ipFamilies: six ? ['IPv4', 'IPv6'] : ['IPv4'],
    });
    this.bench.services.put(this.#service);
  }

  #putNode(name: string, zone: string): void {
    const n = node(name, { zone });
    this.#nodes.set(name, n);
    this.bench.nodes.put(n);
  }

  /** A node leaves for good only together with its Pods. */
  #takeNode(name: string): void {
    const n = this.#nodes.get(name);
    if (!n) return;
    for (const p of [...this.#pods.values()].filter((x) => x.spec.nodeName === name)) {
      this.#pods.delete(p.metadata.name);
      this.bench.pods.take(p);
    }
    this.#nodes.delete(name);
    this.bench.nodes.take(n);
  }
}

function edited(slice: EndpointSlice, how: number): EndpointSlice {
  if (how === 0) return { ...slice, endpoints: [endpoint('evil', '10.6.6.6')] };
  const managedBy = { 'endpointslice.kubernetes.io/managed-by': 'somebody-else' };
  const labels = how === 1 ? { foreign: 'yes' } : managedBy;
  return { ...slice, metadata: { ...slice.metadata, labels: { ...slice.metadata.labels, ...labels } } };
}

describe('the controller, whatever happens and whatever fails', () => {
  it('ends up with slices that say what they should, and then writes nothing more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (events) => {
        const world = new World();
        await world.bench.start();
        for (const event of events) await world.happen(event);
        world.bench.api.fail = () => undefined;
        world.bench.api.lose = () => undefined;
        world.bench.api.release();
        world.collectGarbage();
        await world.bench.clock.advance(3_000_000);
        world.check();
        await world.bench.newCalls();
        await world.bench.restart();
        await world.bench.clock.advance(10_000);
        const later = await world.bench.newCalls();
        expect(later).toEqual([]);
        await world.bench.controller.stop();
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('never takes a ready endpoint away that stays ready, whatever write fails or is cut off in the middle', async () => {
    const change = fc.record({
      service: fc.option(fc.constantFrom('web', 'other'), { nil: undefined, freq: 3 }),
      pods: fc.array(fc.record({ n: fc.nat(9), port: fc.constantFrom(81, 82), gone: fc.boolean() }), { maxLength: 6 }),
      writes: fc.array(fc.constantFrom('ok', 'fails', 'answer lost'), { maxLength: 5 }),
      code: fc.constantFrom(...CODES),
      lags: fc.boolean(),
      restart: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 8 }), async (changes) => {
        const bench = new Bench({ plan: { ...DEFAULT_PLAN_OPTIONS, maxEndpointsPerSlice: MAX } });
        const named = (targetPort: string) =>
          service({ ports: [{ ...HTTP, targetPort }], ipFamilies: ['IPv4', 'IPv6'] });
        bench.nodes.put(node('node-a'));
        bench.services.put(named('web'));
        await bench.start();
        const present = () =>
          new Set(
            [...bench.api.slices.values()].flatMap((s) =>
              s.endpoints.map((e) => `${s.addressType} ${e.targetRef?.name}`),
            ),
          );
        const pods = new Map<string, Pod>();
        let lasting: string[] = [];
        const missing: string[] = [];
        bench.api.onChange = () => {
          const now = present();
          missing.push(...lasting.filter((name) => !now.has(name)));
        };
        for (const { service: target, pods: moved, writes, code, lags, restart } of changes) {
          const outcomes = [...writes];
          bench.api.fail = () => (outcomes[0] === 'fails' && outcomes.shift() ? apiError(code, 'as told') : undefined);
          bench.api.lose = () => (outcomes.shift() === 'answer lost' ? apiError('TIMEOUT', 'as told') : undefined);
          const gone = new Set(moved.filter((m) => m.gone).map((m) => `p${m.n}`));
          lasting = [...present()].filter((entry) => {
            const [, name = ''] = entry.split(' ');
            return pods.has(name) && !gone.has(name);
          });
          if (lags) bench.api.hold();
          if (target) bench.services.put(named(target));
          for (const { n, port, gone: leaves } of moved) {
            const ports = [
              { name: 'web', containerPort: port },
              { name: 'other', containerPort: 90 },
            ];
            const ips = [`10.0.0.${n + 1}`, `fd00::${n + 1}`];
            const p = pod(`p${n}`, { ips, uid: `${n}-${port}`, containers: [{ ports }] });
            if (leaves && pods.delete(p.metadata.name)) bench.pods.take(p);
            else if (!leaves && !gone.has(p.metadata.name)) {
              pods.set(p.metadata.name, p);
              bench.pods.put(p);
            }
          }
          await bench.clock.advance(1500);
          bench.api.release();
          if (restart) await bench.restart();
          await bench.clock.advance(3_000_000);
          expect(missing).toEqual([]);
          const all = [...pods.keys()].flatMap((name) => [`IPv4 ${name}`, `IPv6 ${name}`]);
          expect([...present()].sort()).toEqual(all.sort());
        }
        await bench.controller.stop();
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});
