import { describe, expect, it } from 'vitest';
import { milliCpu } from '../../../src/endpointslice/hints/cpu.ts';
import { affectsShares, sameShares, zoneShares } from '../../../src/endpointslice/hints/zone-shares.ts';
import type { Node } from '../../../src/objects/node.ts';
import { node } from '../support/build.ts';

const shares = (...nodes: Node[]) => {
  const found = zoneShares(nodes);
  return found && Object.fromEntries(found);
};

describe('CPU quantities', () => {
  it.each([
    ['2', 2000],
    ['1900m', 1900],
    ['0.5', 500],
    ['.1', 100],
    ['100u', 1],
    ['1500000n', 2],
    ['1e3m', 1000],
    ['2k', 2_000_000],
    ['0.29', 290],
    ['', 0],
    ['4Gi', 0],
    ['x', 0],
    [undefined, 0],
  ])('reads %s as %s thousandths', (text, expected) => {
    expect(milliCpu(text)).toBe(expected);
  });
});

describe("the zones' shares of CPU", () => {
  it('follow the allocatable CPU of their ready nodes', () => {
    expect(
      shares(
        node('a', { zone: 'z1', cpu: '4' }),
        node('b', { zone: 'z1', cpu: '2' }),
        node('c', { zone: 'z2', cpu: '2000m' }),
      ),
    ).toEqual({
      z1: 0.75,
      z2: 0.25,
    });
  });

  it.each(['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'])(
    'do not count nodes with %s',
    (role) => {
      expect(
        shares(node('a', { zone: 'z1' }), node('b', { zone: 'z2' }), node('c', { zone: 'z3', labels: { [role]: '' } })),
      ).toEqual({
        z1: 0.5,
        z2: 0.5,
      });
    },
  );

  it('do not count nodes that are not ready, even those without a zone', () => {
    expect(shares(node('a', { zone: 'z1' }), node('b', { zone: 'z2' }), node('c', { ready: false }))).toEqual({
      z1: 0.5,
      z2: 0.5,
    });
  });

  it.each([
    ['a ready node has no zone', [node('a', { zone: 'z1' }), node('b', { zone: 'z2' }), node('c')]],
    [
      'a ready node has no CPU',
      [node('a', { zone: 'z1' }), node('b', { zone: 'z2' }), node('c', { zone: 'z3', cpu: '0' })],
    ],
    ['there is one zone', [node('a', { zone: 'z1' }), node('b', { zone: 'z1' })]],
    ['there are no nodes', []],
  ])('are unknown where %s', (_, nodes) => {
    expect(zoneShares(nodes)).toBeUndefined();
  });

  it('are compared by value', () => {
    const two = () => zoneShares([node('a', { zone: 'z1' }), node('b', { zone: 'z2' })]);
    expect(sameShares(two(), two())).toBe(true);
    expect(sameShares(two(), undefined)).toBe(false);
    expect(sameShares(undefined, undefined)).toBe(true);
    expect(sameShares(two(), zoneShares([node('a', { zone: 'z1' }), node('b', { zone: 'z2', cpu: '1' })]))).toBe(false);
  });

  it.each([
    ['readiness', node('a', { zone: 'z1', ready: false }), true],
    ['zone', node('a', { zone: 'z2' }), true],
    ['CPU', node('a', { zone: 'z1', cpu: '1' }), true],
    ['role', node('a', { zone: 'z1', labels: { 'node-role.kubernetes.io/master': '' } }), true],
    ['another label', node('a', { zone: 'z1', labels: { x: 'y' } }), false],
  ])('may change with %s of a node: see the table', (_, after, expected) => {
    expect(affectsShares(node('a', { zone: 'z1' }), after)).toBe(expected);
  });
});
