import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zoneShares } from '../../src/endpointslice/hints/zone-shares.ts';
import {
  DEFAULT_PLAN_OPTIONS,
  type PlanMemory,
  type PlannedWrite,
  type PlanOptions,
} from '../../src/endpointslice/plan.ts';
import { planService } from '../../src/endpointslice/planner.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import type { Node } from '../../src/objects/node.ts';
import type { Pod } from '../../src/objects/pod.ts';
import type { Service } from '../../src/objects/service.ts';
import { HTTP, node, pod, service, slice } from './support/build.ts';
import { allWrites, carryOutWrite } from './support/carry-out.ts';
import { type Described, type Desired, upstreamWrites } from './support/upstream-writes.ts';

interface World {
  service: Service;
  nodes: Node[];
  pods: Pod[];
}

const NODES = ['node-a', 'node-b', 'node-c', 'node-d'];

const nodes = fc.tuple(
  ...NODES.map((name) =>
    fc
      .record({
        zone: fc.constantFrom('z1', 'z2', 'z3', undefined),
        cpu: fc.constantFrom('1', '2', '4'),
        ready: fc.boolean(),
      })
      .map(({ zone, cpu, ready }) => node(name, { cpu, ready, ...(zone === undefined ? {} : { zone }) })),
  ),
);

const pods = (zones: string[]) =>
  fc.uniqueArray(
    fc
      .record({
        n: fc.nat(24),
        ready: fc.boolean(),
        deleting: fc.boolean(),
        phase: fc.constantFrom('Running', 'Running', 'Running', 'Failed', 'Pending'),
        node: fc.constantFrom(...zones),
        port: fc.constantFrom(8080, 8080, 8081, undefined),
        six: fc.boolean(),
        bad: fc.integer({ min: 0, max: 19 }),
        uid: fc.constantFrom('1', '2'),
      })
      .map(({ n, port, six, bad, uid, ...parts }) =>
        pod(`p${n}`, {
          ...parts,
          uid: `${n}-${uid}`,
          ips: [bad === 0 ? '127.0.0.1' : `10.0.0.${n + 1}`, ...(six ? [`fd00::${n + 1}`] : [])],
          containers: port === undefined ? [] : [{ ports: [{ name: 'web', containerPort: port }] }],
        }),
      ),
    { selector: (p) => p.metadata.name, maxLength: 25 },
  );

const aService = fc
  .record({
    ipFamilies: fc.constantFrom<('IPv4' | 'IPv6')[]>(['IPv4'], ['IPv4', 'IPv6'], ['IPv6']),
    named: fc.boolean(),
    publish: fc.boolean(),
    labels: fc.constantFrom({}, { tier: 'front' }, { tier: 'back' }),
    mode: fc.constantFrom('Auto', 'PreferClose', 'PreferSameNode', undefined),
  })
  .map(({ named, publish, mode, ...parts }) =>
    service({
      ...parts,
      publishNotReadyAddresses: publish,
      ports: [{ ...HTTP, targetPort: named ? 'web' : 8080 }],
      ...(mode === 'Auto' ? { annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } } : {}),
      ...(mode !== undefined && mode !== 'Auto' ? { trafficDistribution: mode } : {}),
    }),
  );

const world: fc.Arbitrary<World> = fc.record({ service: aService, nodes, pods: pods([...NODES, 'node-gone']) });

/** What the slices must say, hints aside, worked out the slowest and plainest way: a line for each endpoint. */
function oracle({ service: s, nodes: all, pods: ps }: World): string[] {
  const lines: string[] = [];
  for (const family of s.spec.ipFamilies ?? []) {
    for (const p of ps) {
      if (p.status.phase === 'Failed' || p.status.phase === 'Succeeded') continue;
      const on = all.find((n) => n.metadata.name === p.spec.nodeName);
      if (!on && !s.spec.publishNotReadyAddresses) continue;
      const ips = (p.status.podIPs ?? []).map((x) => x.ip).filter((ip) => ip !== '127.0.0.1');
      const mine = ips.filter((ip) => ip.includes(':') === (family === 'IPv6'));
      if (mine.length === 0) continue;
      const target = s.spec.ports?.[0]?.targetPort;
      const port = target === 'web' ? p.spec.containers?.[0]?.ports?.[0]?.containerPort : target;
      const serving = p.status.conditions?.[0]?.status === 'True';
      const terminating = p.metadata.deletionTimestamp !== undefined;
      const ready = s.spec.publishNotReadyAddresses || (serving && !terminating);
      const zone = on?.metadata.labels?.['topology.kubernetes.io/zone'];
      lines.push(
        [
          family,
          port ?? 'none',
          mine,
          p.metadata.name,
          p.metadata.uid,
          p.spec.nodeName,
          zone,
          ready,
          serving,
          terminating,
        ].join(),
      );
    }
  }
  return lines.sort();
}

function described(slices: readonly EndpointSlice[]): string[] {
  return slices
    .flatMap((s) =>
      s.endpoints.map((e) =>
        [
          s.addressType,
          s.ports[0]?.port ?? 'none',
          e.addresses,
          e.targetRef?.name,
          e.targetRef?.uid,
          e.nodeName,
          e.zone,
          e.conditions?.ready,
          e.conditions?.serving,
          e.conditions?.terminating,
        ].join(),
      ),
    )
    .sort();
}

function plan(w: World, slices: EndpointSlice[], options: PlanOptions, memory?: PlanMemory) {
  return planService({
    service: w.service,
    pods: w.pods,
    slices,
    node: (name) => w.nodes.find((n) => n.metadata.name === name),
    shares: zoneShares(w.nodes),
    triggerTime: undefined,
    options,
    ...(memory ? { memory } : {}),
  });
}

const options = fc
  .record({
    zeroGap: fc.boolean(),
    mergeSparse: fc.boolean(),
    preserveRecycled: fc.boolean(),
    max: fc.constantFrom(1, 3, 5, 100),
  })
  .map(({ max, ...parts }): PlanOptions => ({ ...DEFAULT_PLAN_OPTIONS, ...parts, maxEndpointsPerSlice: max }));

const readyNames = (slices: readonly EndpointSlice[], family: string) =>
  new Set(
    slices
      .filter((s) => s.addressType === family)
      .flatMap((s) => s.endpoints.filter((e) => e.conditions?.ready).map((e) => `${e.addresses}|${e.targetRef?.name}`)),
  );

function withoutHints({
  metadata: { annotations: _, ...metadata },
  spec: { trafficDistribution: __, ...spec },
}: Service): Service {
  return { metadata, spec };
}

/** A slice as the model of upstream's counting wants it. */
function describeSlice(s: EndpointSlice, of: Service): Described {
  const { tier } = s.metadata.labels ?? {};
  const labelsDiffer = tier !== of.metadata.labels?.tier;
  return {
    ports: `${s.ports[0]?.port ?? 'none'}`,
    endpoints: s.endpoints.map((e) => [
      `${e.addresses}|${e.targetRef?.name}`,
      [
        e.targetRef?.uid,
        e.nodeName,
        e.zone,
        e.conditions?.ready,
        e.conditions?.serving,
        e.conditions?.terminating,
      ].join(),
    ]),
    owned: s.metadata.ownerReferences?.[0]?.uid === of.metadata.uid,
    labelsDiffer,
    isPlaceholder: s.endpoints.length === 0 && s.ports.length === 0 && !labelsDiffer,
  };
}

/** What the slices of one family should hold, by port; every Pod with an address makes its port wanted. */
function desiredOf(w: World, family: string): Desired {
  const desired: Desired = new Map();
  for (const p of w.pods) {
    if (p.status.phase === 'Failed' || !p.status.podIPs?.length) continue;
    const target = w.service.spec.ports?.[0]?.targetPort;
    const port = `${(target === 'web' ? p.spec.containers?.[0]?.ports?.[0]?.containerPort : target) ?? 'none'}`;
    const group = desired.get(port) ?? new Map<string, string>();
    desired.set(port, group);
    for (const line of oracle({ ...w, pods: [p] })) {
      const [type, , ip, name, ...rest] = line.split(',');
      if (type === family) group.set(`${ip}|${name}`, rest.join());
    }
  }
  return desired;
}

/** Every order of the updates, between the creates and the deletes. */
function orders(writes: readonly PlannedWrite[]): PlannedWrite[][] {
  const permute = (items: PlannedWrite[]): PlannedWrite[][] =>
    items.length < 2
      ? [items]
      : items.flatMap((item, i) => permute(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
  const of = (op: PlannedWrite['op']) => writes.filter((write) => write.op === op);
  const updates = of('update');
  return updates.length > 5 ? [] : permute(updates).map((order) => [...of('create'), ...order, ...of('delete')]);
}

function hasGap(slices: EndpointSlice[], writes: readonly PlannedWrite[], family: string): boolean {
  const states = [slices];
  for (const write of writes) states.push(carryOutWrite(states.at(-1) ?? [], write));
  const after = readyNames(states.at(-1) ?? [], family);
  const lasting = [...readyNames(slices, family)].filter((name) => after.has(name));
  return states.some((state) => {
    const now = readyNames(state, family);
    return lasting.some((name) => !now.has(name));
  });
}

describe('the planner, for any sequence of worlds', () => {
  it('makes the slices say what the oracle says, holds the limit, duplicates nothing, and then rests', () => {
    fc.assert(
      fc.property(fc.array(world, { minLength: 1, maxLength: 4 }), options, (worlds, opts) => {
        let slices: EndpointSlice[] = [slice('stale', { ownerUid: 'before', ports: [] })];
        let memory: PlanMemory | undefined;
        for (const w of worlds) {
          const p = plan(w, slices, opts, memory);
          memory = p.memory;
          slices = allWrites(p).reduce(carryOutWrite, slices);
          expect(described(slices)).toEqual(oracle(w));
          for (const s of slices) expect(s.endpoints.length).toBeLessThanOrEqual(opts.maxEndpointsPerSlice);
          for (const family of w.service.spec.ipFamilies ?? []) {
            expect(slices.filter((s) => s.addressType === family).length).toBeGreaterThan(0);
          }
          expect(allWrites(plan(w, slices, opts, memory)).map((x) => `${x.op} ${JSON.stringify(x.slice)}`)).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('hints every ready endpoint to exactly one zone or none at all, and no other endpoint', () => {
    fc.assert(
      fc.property(fc.array(world, { minLength: 1, maxLength: 3 }), options, (worlds, opts) => {
        let slices: EndpointSlice[] = [];
        for (const w of worlds) {
          slices = allWrites(plan(w, slices, opts)).reduce(carryOutWrite, slices);
          const auto = w.service.metadata.annotations !== undefined;
          for (const family of w.service.spec.ipFamilies ?? []) {
            const all = slices.filter((s) => s.addressType === family).flatMap((s) => s.endpoints);
            const hinted = all.filter((e) => e.hints !== undefined);
            const ready = all.filter((e) => e.conditions?.ready);
            expect(hinted.every((e) => e.conditions?.ready)).toBe(true);
            if (auto && hinted.length > 0) {
              expect(hinted).toHaveLength(ready.length);
              for (const e of hinted) expect(e.hints?.forZones).toHaveLength(1);
            }
            if (!auto && w.service.spec.trafficDistribution === undefined) expect(hinted).toEqual([]);
            if (w.service.spec.trafficDistribution) {
              for (const e of ready) expect(e.hints?.forZones?.[0]?.name).toBe(e.zone);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never leaves a gap: an endpoint ready before and after is present after every single write', () => {
    fc.assert(
      fc.property(fc.array(world, { minLength: 2, maxLength: 4 }), options, (worlds, opts) => {
        let slices: EndpointSlice[] = [];
        for (const w of worlds) {
          const p = plan(w, slices, { ...opts, zeroGap: true });
          for (const family of p.families) {
            expect(hasGap(slices, family.writes, family.addressType)).toBe(false);
            slices = family.writes.reduce(carryOutWrite, slices);
          }
          slices = p.obsolete.reduce((state, s) => carryOutWrite(state, { op: 'delete', slice: s }), slices);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('converges when a write fails in the middle and the rest of that family is not written', () => {
    fc.assert(
      fc.property(fc.array(world, { minLength: 2, maxLength: 3 }), options, fc.nat(3), (worlds, opts, failAt) => {
        let slices: EndpointSlice[] = [];
        for (const w of worlds) {
          for (const family of plan(w, slices, opts).families)
            slices = family.writes.slice(0, failAt).reduce(carryOutWrite, slices);
          slices = allWrites(plan(w, slices, opts)).reduce(carryOutWrite, slices);
          expect(described(slices)).toEqual(oracle(w));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('makes as many writes as upstream would, and one more only where no order of those is without a gap', () => {
    fc.assert(
      fc.property(fc.array(world, { minLength: 2, maxLength: 4 }), options, (worlds, opts) => {
        let slices: EndpointSlice[] = [];
        const ours = { ...opts, mergeSparse: false };
        for (const w of worlds) {
          const upstream = plan(w, slices, { ...ours, zeroGap: false, preserveRecycled: false });
          const p = plan(w, slices, { ...ours, zeroGap: true });
          for (const [i, family] of p.families.entries()) {
            const theirs = upstream.families[i]?.writes ?? [];
            expect(family.writes.length).toBeGreaterThanOrEqual(theirs.length);
            if (family.writes.length > theirs.length) {
              expect(orders(theirs).filter((order) => !hasGap(slices, order, family.addressType))).toEqual([]);
            }
          }
          slices = allWrites(p).reduce(carryOutWrite, slices);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('creates, updates and deletes exactly as many slices as upstream, hints and order of writes aside', () => {
    fc.assert(
      fc.property(fc.array(world, { minLength: 1, maxLength: 5 }), options, (worlds, opts) => {
        const ours = { ...opts, mergeSparse: false, zeroGap: false };
        let slices: EndpointSlice[] = [slice('stale', { ownerUid: 'before', endpoints: [] })];
        for (const w of worlds) {
          const plain = { ...w, service: withoutHints(w.service) };
          const p = plan(plain, slices, ours);
          for (const { addressType, writes } of p.families) {
            const existing = slices
              .filter((s) => s.addressType === addressType)
              .map((s) => describeSlice(s, plain.service));
            const counts = upstreamWrites(existing, desiredOf(plain, addressType), opts.maxEndpointsPerSlice);
            const of = (op: PlannedWrite['op']) => writes.filter((write) => write.op === op).length;
            expect({ create: of('create'), update: of('update'), delete: of('delete') }).toEqual(counts);
          }
          slices = allWrites(p).reduce(carryOutWrite, slices);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('merging costs at most one write more for each family and group of ports', () => {
    fc.assert(
      fc.property(fc.array(world, { minLength: 2, maxLength: 4 }), options, (worlds, opts) => {
        let slices: EndpointSlice[] = [];
        for (const w of worlds) {
          const apart = plan(w, slices, { ...opts, mergeSparse: false, zeroGap: false });
          const merged = plan(w, slices, { ...opts, mergeSparse: true, zeroGap: false });
          const groups = apart.families.reduce((sum, f) => sum + f.stats.groups.size, 0);
          expect(allWrites(merged).length).toBeLessThanOrEqual(allWrites(apart).length + groups);
          slices = allWrites(merged).reduce(carryOutWrite, slices);
          expect(described(slices)).toEqual(oracle(w));
        }
      }),
      { numRuns: 200 },
    );
  });
});
