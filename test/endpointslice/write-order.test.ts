import { describe, expect, it } from 'vitest';
import { planService } from '../../src/endpointslice/planner.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import type { Pod } from '../../src/objects/pod.ts';
import { endpoint, HTTP, type InputParts, input, pod, service, slice } from './support/build.ts';
import { allWrites, carryOutWrite } from './support/carry-out.ts';

/** Writes in short: `update s1 [a b]`. */
function writesOf(parts: InputParts): string[] {
  return allWrites(planService(input(parts))).map(({ op, slice: s }) => {
    const names = s.endpoints.map((e) => e.targetRef?.name).join(' ');
    return op === 'delete' ? `delete ${s.metadata.name}` : `${op} ${s.metadata.name || 'new'} [${names}]`;
  });
}

/** Names of the endpoints that are missing at some moment although they are ready before and after. */
function gaps(slices: EndpointSlice[], parts: InputParts): string[] {
  const ready = (state: EndpointSlice[]) =>
    new Set(state.flatMap((s) => s.endpoints.filter((e) => e.conditions?.ready).map((e) => e.targetRef?.name ?? '')));
  const states = [slices];
  for (const write of allWrites(planService(input({ ...parts, slices }))))
    states.push(carryOutWrite(states.at(-1) ?? [], write));
  const after = ready(states.at(-1) ?? []);
  return [...ready(slices)].filter((name) => after.has(name) && !states.every((state) => ready(state).has(name)));
}

const named = service({ ports: [{ ...HTTP, targetPort: 'web' }] });
const on = (name: string, ip: string, port: number): Pod =>
  pod(name, { ip, containers: [{ ports: [{ name: 'web', containerPort: port }] }] });
const at = (port: number) => [{ name: 'http', protocol: 'TCP' as const, port }];

describe('writing without gaps', () => {
  it('writes the slice that gains an endpoint before the one that loses it', () => {
    const slices = [
      slice('s1', { ports: at(80), endpoints: [endpoint('a', '10.0.0.1'), endpoint('b', '10.0.0.2')] }),
      slice('s2', { ports: at(81), endpoints: [endpoint('c', '10.0.0.3')] }),
    ];
    // b now listens on 81, and so belongs into s2.
    const pods = [on('a', '10.0.0.1', 80), on('b', '10.0.0.2', 81), on('c', '10.0.0.3', 81)];
    expect(writesOf({ service: named, pods, slices })).toEqual(['update s2 [c b]', 'update s1 [a]']);
    expect(writesOf({ service: named, pods, slices, options: { zeroGap: false } })).toHaveLength(2);
  });

  it('breaks an exchange between two slices with one write more', () => {
    const slices = [
      slice('s1', { ports: at(80), endpoints: [endpoint('a', '10.0.0.1'), endpoint('b', '10.0.0.2')] }),
      slice('s2', { ports: at(81), endpoints: [endpoint('c', '10.0.0.3'), endpoint('d', '10.0.0.4')] }),
    ];
    const pods = [on('a', '10.0.0.1', 80), on('b', '10.0.0.2', 81), on('c', '10.0.0.3', 80), on('d', '10.0.0.4', 81)];
    expect(writesOf({ service: named, pods, slices })).toEqual(['create new [c]', 'update s2 [d b]', 'update s1 [a]']);
    expect(gaps(slices, { service: named, pods })).toEqual([]);
    expect(gaps(slices, { service: named, pods, options: { zeroGap: false } })).not.toEqual([]);
  });

  it('does not recycle slices that would have to exchange endpoints', () => {
    const slices = [
      slice('s1', { ports: at(1), endpoints: [endpoint('a', '10.0.0.1'), endpoint('b', '10.0.0.2')] }),
      slice('s2', { ports: at(2), endpoints: [endpoint('c', '10.0.0.3'), endpoint('d', '10.0.0.4')] }),
    ];
    const pods = [on('a', '10.0.0.1', 80), on('b', '10.0.0.2', 81), on('c', '10.0.0.3', 80), on('d', '10.0.0.4', 81)];
    const writes = writesOf({ service: named, pods, slices });
    expect(writes).toEqual(['create new [a c]', 'update s2 [b d]', 'delete s1']);
    expect(gaps(slices, { service: named, pods })).toEqual([]);
  });

  it('lets two recycled slices change places rather than write one more', () => {
    const slices = [
      slice('s1', { ports: at(1), endpoints: [endpoint('a', '10.0.0.1')] }),
      slice('s2', {
        ports: at(1),
        endpoints: [endpoint('b', '10.0.0.2'), endpoint('c', '10.0.0.3'), endpoint('d', '10.0.0.4')],
      }),
    ];
    // Dealt in the order of the old slices, and to those with most in common: [a b c] to s2, which would then lose d to s1.
    const pods = ['a', 'b', 'c', 'd'].map((name, i) => on(name, `10.0.0.${i + 1}`, 80));
    const parts = { service: named, pods, options: { maxEndpointsPerSlice: 3 } };
    expect(writesOf({ ...parts, slices })).toEqual(['update s1 [a b c]', 'update s2 [d]']);
    expect(gaps(slices, parts)).toEqual([]);
  });

  it('lets a recycled slice and a new one change places rather than write one more', () => {
    const slices = [
      slice('s1', {
        ports: at(1),
        endpoints: [endpoint('a', '10.0.0.1'), endpoint('b', '10.0.0.2'), endpoint('c', '10.0.0.3')],
      }),
      slice('s2', { ports: at(1), endpoints: [endpoint('d', '10.0.0.4')] }),
    ];
    const pods = [on('a', '10.0.0.1', 80), on('d', '10.0.0.4', 80), on('b', '10.0.0.2', 81), on('c', '10.0.0.3', 82)];
    expect(writesOf({ service: named, pods, slices })).toHaveLength(3);
    expect(gaps(slices, { service: named, pods })).toEqual([]);
  });

  it('puts what a slice gains in an exchange into one that is created anyway, if it fits', () => {
    const slices = [
      slice('s1', { ports: at(80), endpoints: [endpoint('a', '10.0.0.1'), endpoint('b', '10.0.0.2')] }),
      slice('s2', { ports: at(81), endpoints: [endpoint('c', '10.0.0.3'), endpoint('d', '10.0.0.4')] }),
    ];
    const pods = [
      on('a', '10.0.0.1', 80),
      on('c', '10.0.0.3', 80),
      on('e', '10.0.0.5', 80),
      on('b', '10.0.0.2', 81),
      on('d', '10.0.0.4', 81),
    ];
    const parts = { service: named, pods, options: { maxEndpointsPerSlice: 2 } };
    expect(writesOf({ ...parts, slices })).toEqual(['create new [e c]', 'update s2 [d b]', 'update s1 [a]']);
    expect(gaps(slices, parts)).toEqual([]);
  });

  it('does not order endpoints that are not ready', () => {
    const down = { conditions: { ready: false, serving: false, terminating: false } };
    const slices = [
      slice('s1', { ports: at(80), endpoints: [endpoint('a', '10.0.0.1'), endpoint('b', '10.0.0.2', down)] }),
      slice('s2', { ports: at(81), endpoints: [endpoint('c', '10.0.0.3', down), endpoint('d', '10.0.0.4')] }),
    ];
    const off = (p: Pod): Pod => ({ ...p, status: { ...p.status, conditions: [] } });
    const pods = [
      on('a', '10.0.0.1', 80),
      off(on('b', '10.0.0.2', 81)),
      off(on('c', '10.0.0.3', 80)),
      on('d', '10.0.0.4', 81),
    ];
    expect(writesOf({ service: named, pods, slices })).toEqual(['update s1 [a c]', 'update s2 [d b]']);
  });

  it('moves a chain of full slices one after the other', () => {
    const ids = Array.from({ length: 8 }, (_, i) => i);
    const all = ids.map((i) => endpoint(`p${i}`, `10.0.0.${i + 1}`));
    const slices = [
      slice('s1', { ports: at(1), endpoints: all.slice(0, 2) }),
      slice('s2', { ports: at(1), endpoints: all.slice(2, 5) }),
      slice('s3', { ports: at(1), endpoints: all.slice(5, 8) }),
    ];
    const pods = ids.map((i) => on(`p${i}`, `10.0.0.${i + 1}`, 80));
    const parts = { service: named, pods, options: { maxEndpointsPerSlice: 3 } };
    expect(writesOf({ ...parts, slices })).toEqual([
      'update s1 [p0 p1 p2]',
      'update s2 [p3 p4 p5]',
      'update s3 [p6 p7]',
    ]);
    expect(gaps(slices, parts)).toEqual([]);
  });
});
