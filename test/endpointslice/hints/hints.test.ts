import { describe, expect, it } from 'vitest';
import { hintMode } from '../../../src/endpointslice/hints/apply.ts';
import { needsRevisit } from '../../../src/endpointslice/hints/revisit.ts';
import { zoneShares } from '../../../src/endpointslice/hints/zone-shares.ts';
import type { PlanMemory } from '../../../src/endpointslice/plan.ts';
import { planService } from '../../../src/endpointslice/planner.ts';
import type { EndpointHints, EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { Node } from '../../../src/objects/node.ts';
import type { Pod } from '../../../src/objects/pod.ts';
import type { Service } from '../../../src/objects/service.ts';
import { endpoint, type InputParts, input, node, pod, service, slice } from '../support/build.ts';
import { carryOut } from '../support/carry-out.ts';

const AUTO = { 'service.kubernetes.io/topology-mode': 'Auto' };
const auto = service({ annotations: AUTO });
const zone = (name: string): EndpointHints => ({ forZones: [{ name }] });

/** Nodes n1, n2, ... one in each zone z1, z2, ... */
const nodesIn = (zones: number, cpu: string[] = []): Node[] =>
  Array.from({ length: zones }, (_, i) => node(`n${i + 1}`, { zone: `z${i + 1}`, cpu: cpu[i] ?? '4' }));

/** Pods spread as told: `spread(2, 1)` makes p1, p2 in z1 and p3 in z2. */
function spread(...counts: number[]): Pod[] {
  const pods: Pod[] = [];
  counts.forEach((count, i) => {
    for (let n = 0; n < count; n++) {
      const id = pods.length + 1;
      pods.push(pod(`p${id}`, { ip: `10.0.0.${id}`, node: `n${i + 1}` }));
    }
  });
  return pods;
}

function plan(nodes: Node[], parts: InputParts) {
  return planService(input({ service: auto, nodes, shares: zoneShares(nodes), ...parts }));
}

const hints = (slices: EndpointSlice[]) =>
  slices
    .flatMap((s) =>
      s.endpoints.map((e) => `${e.targetRef?.name}>${e.hints?.forZones?.map((z) => z.name).join() ?? '-'}`),
    )
    .sort();

describe('which hints a Service asks for', () => {
  const mode = (annotations: Record<string, string>, trafficDistribution?: string) =>
    hintMode(service({ annotations, ...(trafficDistribution ? { trafficDistribution } : {}) }));

  it.each<[Record<string, string>, string | undefined, string | undefined]>([
    [AUTO, undefined, 'auto'],
    [{ 'service.kubernetes.io/topology-mode': 'auto' }, undefined, 'auto'],
    [{ 'service.kubernetes.io/topology-mode': 'AUTO' }, undefined, undefined],
    [{ 'service.kubernetes.io/topology-aware-hints': 'Auto' }, undefined, 'auto'],
    [{ ...AUTO, 'service.kubernetes.io/topology-aware-hints': 'disabled' }, undefined, undefined],
    [AUTO, 'PreferClose', 'auto'],
    [{}, 'PreferClose', 'PreferClose'],
    [{}, 'PreferSameZone', 'PreferSameZone'],
    [{}, 'PreferSameNode', 'PreferSameNode'],
    [{}, 'Nearby', undefined],
    [{ 'service.kubernetes.io/topology-mode': 'Disabled' }, 'PreferClose', 'PreferClose'],
  ])('annotations %j and trafficDistribution %s ask for %s', (annotations, distribution, expected) => {
    expect(mode(annotations, distribution)).toBe(expected);
  });
});

describe('hints Auto', () => {
  it('hint every ready endpoint to its own zone where that is fair, with an event', () => {
    const p = plan(nodesIn(3), { pods: spread(1, 1, 1) });
    expect(hints(p.create)).toEqual(['p1>z1', 'p2>z2', 'p3>z3']);
    expect(p.events.map((e) => [e.type, e.reason, e.message])).toEqual([
      ['Normal', 'TopologyAwareHintsEnabled', 'Topology Aware Hints has been enabled, addressType: IPv4'],
    ]);
    expect(p.stats.topology).toBe('Auto');
  });

  it('lend endpoints to zones that have too few', () => {
    expect(hints(plan(nodesIn(3), { pods: spread(3, 0, 0) }).create)).toEqual(['p1>z2', 'p2>z3', 'p3>z1']);
  });

  it('follow the CPU of the zones', () => {
    const p = plan(nodesIn(2, ['6', '2']), { pods: spread(2, 2) });
    expect(hints(p.create)).toEqual(['p1>z1', 'p2>z1', 'p3>z1', 'p4>z2']);
  });

  it('leave endpoints that are not ready without hints, also stale ones', () => {
    const down = pod('p4', { ip: '10.0.0.4', node: 'n1', ready: false });
    const p = plan(nodesIn(3), { pods: [...spread(1, 1, 1), down] });
    expect(hints(p.create)).toEqual(['p1>z1', 'p2>z2', 'p3>z3', 'p4>-']);
    const stale = carryOut([], p).map((s) => ({
      ...s,
      endpoints: s.endpoints.map((e) => ({ ...e, hints: e.hints ?? zone('z1') })),
    }));
    expect(hints(plan(nodesIn(3), { pods: [...spread(1, 1, 1), down], slices: stale }).update)).toEqual([
      'p1>z1',
      'p2>z2',
      'p3>z3',
      'p4>-',
    ]);
  });

  it('do not write a slice whose hints still fit', () => {
    const first = plan(nodesIn(3), { pods: spread(2, 2, 3) });
    const p = plan(nodesIn(3), { pods: spread(2, 2, 3), slices: carryOut([], first), memory: first.memory });
    expect([p.create, p.update, p.delete, p.events]).toEqual([[], [], [], []]);
  });

  it('keep own-zone hints in a zone that has no share, without rewriting them for ever', () => {
    const nodes = [...nodesIn(2), node('n3', { zone: 'z3', ready: false })];
    const first = plan(nodes, { pods: spread(2, 2, 2) });
    expect(hints(first.create)).toEqual(['p1>z1', 'p2>z1', 'p3>z2', 'p4>z2', 'p5>z3', 'p6>z3']);
    const p = plan(nodes, { pods: spread(2, 2, 2), slices: carryOut([], first), memory: first.memory });
    expect([p.create, p.update, p.delete]).toEqual([[], [], []]);
  });

  it('write an unchanged slice again when its zone would have too many', () => {
    const slices = [
      slice('s1', {
        endpoints: [1, 2, 3].map((i) =>
          endpoint(`p${i}`, `10.0.0.${i}`, { nodeName: 'n1', zone: 'z1', hints: zone('z1') }),
        ),
      }),
    ];
    const p = plan(nodesIn(3), { pods: spread(3, 0, 0), slices });
    expect(hints(p.update)).toEqual(['p1>z2', 'p2>z3', 'p3>z1']);
  });

  it('write an unchanged slice again that has an endpoint without hints', () => {
    const slices = [
      slice('s1', {
        endpoints: [
          endpoint('p1', '10.0.0.1', { nodeName: 'n1', zone: 'z1' }),
          endpoint('p2', '10.0.0.2', { nodeName: 'n2', zone: 'z2', hints: zone('z2') }),
        ],
      }),
    ];
    expect(hints(plan(nodesIn(2), { pods: spread(1, 1), slices }).update)).toEqual(['p1>z1', 'p2>z2']);
  });

  it.each<[string, Node[], Pod[], string]>([
    [
      'no shares',
      [...nodesIn(2), node('n3')],
      spread(2, 2),
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    ['too few endpoints', nodesIn(3), spread(1, 1), 'Insufficient number of endpoints (2 endpoints, 3 zones)'],
    [
      'an uneven number',
      nodesIn(3),
      spread(2, 1, 1),
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)',
    ],
    [
      'a node without zone that is not ready',
      [...nodesIn(2), node('n3', { ready: false })],
      spread(1, 2, 1),
      'One or more endpoints do not have a zone specified',
    ],
  ])('are taken away with a warning for %s', (_, nodes, pods, problem) => {
    const hinted = pods.map((p, i) =>
      endpoint(p.metadata.name, `10.0.0.${i + 1}`, {
        nodeName: p.spec.nodeName ?? '',
        ...(p.spec.nodeName === 'n3' && problem.startsWith('One')
          ? {}
          : { zone: p.spec.nodeName?.replace('n', 'z') ?? '' }),
        hints: zone('z1'),
      }),
    );
    const p = plan(nodes, { pods, slices: [slice('s1', { endpoints: hinted })] });
    expect(p.update.flatMap((s) => s.endpoints.map((e) => e.hints))).toEqual(pods.map(() => undefined));
    expect(p.events.map((e) => [e.type, e.reason, e.message])).toEqual([
      ['Warning', 'TopologyAwareHintsDisabled', `${problem}, addressType: IPv4`],
    ]);
  });

  it('warn once for each problem, not at every sync', () => {
    const two = { nodes: nodesIn(3), pods: spread(1, 1) };
    const first = plan(two.nodes, { pods: two.pods });
    expect(first.events).toHaveLength(1);
    const again = plan(two.nodes, { pods: two.pods, memory: first.memory });
    expect(again.events).toEqual([]);
    expect(plan(two.nodes, { pods: spread(2, 1, 1), memory: again.memory }).events).toHaveLength(1);
    expect(
      plan(two.nodes, { pods: two.pods, memory: first.memory, options: { repeatHintWarnings: true } }).events,
    ).toHaveLength(1);
  });

  it('tell when they come back, and when the annotation is taken away', () => {
    const messages = (memory: PlanMemory | undefined, pods: Pod[], of: Service = auto) => {
      const p = plan(nodesIn(3), { pods, service: of, ...(memory ? { memory } : {}) });
      return { memory: p.memory, events: p.events.map((e) => e.message) };
    };
    const off = messages(undefined, spread(1, 1));
    const on = messages(off.memory, spread(1, 1, 1));
    expect(on.events).toEqual(['Topology Aware Hints has been enabled, addressType: IPv4']);
    const gone = messages(on.memory, spread(1, 1, 1), service());
    expect(gone.events).toEqual(['Topology Aware Hints has been disabled, addressType: IPv4']);
    expect(messages(gone.memory, spread(1, 1, 1), service()).events).toEqual([]);
  });

  it('do not flap between enabled and disabled where one family of a dual-stack Service has them and the other cannot', () => {
    const dual = service({ annotations: AUTO, ipFamilies: ['IPv4', 'IPv6'] });
    const pods = spread(1, 1, 1).map((p, i) =>
      i === 0 ? { ...p, status: { ...p.status, podIPs: [...(p.status.podIPs ?? []), { ip: 'fd00::1' }] } } : p,
    );
    const first = plan(nodesIn(3), { pods, service: dual });
    expect(first.events.map((e) => e.reason)).toEqual(['TopologyAwareHintsEnabled', 'TopologyAwareHintsDisabled']);
    expect(plan(nodesIn(3), { pods, service: dual, memory: first.memory }).events).toEqual([]);
  });

  it('are forgotten for an address type that is no longer wanted', () => {
    const memory: PlanMemory = { hints: { IPv6: { zones: new Map([['z1', 1]]) } }, invalidAddresses: '' };
    expect(plan(nodesIn(3), { pods: spread(1, 1, 1), memory }).memory.hints.IPv6).toBeUndefined();
  });
});

describe('a Service is looked at again after nodes changed', () => {
  const shares = zoneShares(nodesIn(2));
  const zones = {
    IPv4: {
      zones: new Map([
        ['z1', 2],
        ['z2', 2],
      ]),
    },
  };
  const failing = { IPv4: { problem: 'x' } };

  it.each([
    ['its hints are still fair', zones, shares, false],
    ['its hints would overload a zone', zones, zoneShares(nodesIn(3)), true],
    ['shares are unknown now', zones, undefined, true],
    ['hints had been impossible and shares are known', failing, shares, true],
    ['hints had been impossible and shares are unknown', failing, undefined, false],
  ])('if %s: see the table', (_, memory, now, expected) => {
    expect(needsRevisit(memory, now, { restoreHints: true })).toBe(expected);
  });

  it('but not to restore hints, when told to do as upstream does', () => {
    expect(needsRevisit(failing, shares, { restoreHints: false })).toBe(false);
  });
});

describe('trafficDistribution', () => {
  const close = (value: string) => service({ trafficDistribution: value });
  const nodes = nodesIn(2);

  it.each(['PreferClose', 'PreferSameZone'])('%s points each ready endpoint at its zone', (value) => {
    const down = pod('p3', { ip: '10.0.0.3', node: 'n1', ready: false });
    const p = plan(nodes, { service: close(value), pods: [...spread(1, 1), down] });
    expect(p.create[0]?.endpoints.map((e) => e.hints)).toEqual([zone('z1'), zone('z2'), undefined]);
    expect(p.events).toEqual([]);
    expect(p.stats).toEqual({ topology: 'Disabled', trafficDistribution: value });
  });

  it('PreferSameNode adds the node', () => {
    const p = plan(nodes, { service: close('PreferSameNode'), pods: spread(1) });
    expect(p.create[0]?.endpoints[0]?.hints).toEqual({ forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] });
  });

  it('gives no empty hints where there is neither zone nor node', () => {
    const p = plan([node('n1')], { service: close('PreferClose'), pods: spread(1) });
    expect(p.create[0]?.endpoints[0]).not.toHaveProperty('hints');
  });

  it.each<[string, EndpointHints | undefined]>([
    ['none', undefined],
    ['another zone', zone('z9')],
    ['two zones', { forZones: [{ name: 'z1' }, { name: 'z2' }] }],
    ['a node nobody asked for', { ...zone('z1'), forNodes: [{ name: 'n1' }] }],
  ])('rewrites a slice whose hints are %s', (_, stale) => {
    const old = endpoint('p1', '10.0.0.1', { nodeName: 'n1', zone: 'z1', ...(stale ? { hints: stale } : {}) });
    const p = plan(nodes, {
      service: close('PreferClose'),
      pods: spread(1),
      slices: [slice('s1', { endpoints: [old] })],
    });
    expect(p.update.map((s) => s.endpoints[0]?.hints)).toEqual([zone('z1')]);
  });

  it('leaves a slice alone whose hints are right', () => {
    const old = endpoint('p1', '10.0.0.1', { nodeName: 'n1', zone: 'z1', hints: zone('z1') });
    expect(
      plan(nodes, { service: close('PreferClose'), pods: spread(1), slices: [slice('s1', { endpoints: [old] })] })
        .update,
    ).toEqual([]);
  });

  it('takes hints away when it is unset', () => {
    const old = endpoint('p1', '10.0.0.1', { nodeName: 'n1', zone: 'z1', hints: zone('z1') });
    const p = plan(nodes, { service: service(), pods: spread(1), slices: [slice('s1', { endpoints: [old] })] });
    expect(p.update.map((s) => s.endpoints[0]?.hints)).toEqual([undefined]);
  });
});
