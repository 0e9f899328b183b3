import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortedMap } from '../../src/proxy/sorted-map.ts';

const keys = fc.integer({ min: 0, max: 2000 }).map((n) => `k${n}`);
const batches = fc.array(fc.array(fc.tuple(keys, fc.option(fc.integer(), { nil: undefined })), { maxLength: 400 }), {
  maxLength: 8,
});

const big = SortedMap.from(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, { i }] as const));

describe('a sorted map', () => {
  it('holds what a plain map holds after any updates, in key order', () => {
    fc.assert(
      fc.property(batches, (updates) => {
        const plain = new Map<string, number>();
        let map = SortedMap.empty<string, number>();
        for (const update of updates) {
          map = map.update(update);
          for (const [key, value] of update) value === undefined ? plain.delete(key) : plain.set(key, value);
          expect([...map]).toEqual([...plain].sort(([a], [b]) => (a < b ? -1 : 1)));
          expect(map.size).toBe(plain.size);
        }
        for (let n = 0; n <= 2000; n += 7) {
          expect(map.get(`k${n}`)).toBe(plain.get(`k${n}`));
          expect(map.has(`k${n}`)).toBe(plain.has(`k${n}`));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('names exactly the keys that differ from an earlier or foreign map', () => {
    fc.assert(
      fc.property(batches, batches, (one, two) => {
        const before = one.reduce((map, update) => map.update(update), SortedMap.empty<string, number>());
        const after = two.reduce((map, update) => map.update(update), before);
        const union = [...new Set([...before.keys(), ...after.keys()])].sort();
        const expected = union
          .map((key) => ({ key, before: before.get(key), after: after.get(key) }))
          .filter((change) => change.before !== change.after);
        expect([...after.changesSince(before)]).toEqual(expected);
        expect([...SortedMap.from(after).changesSince(before)]).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('is itself after an update that changes nothing', () => {
    expect(
      big.update([
        ['k5', big.get('k5')],
        ['k99999', undefined],
      ]),
    ).toBe(big);
  });

  it('keeps the old map as it was', () => {
    const next = big.update([
      ['k5', { i: -1 }],
      ['k6', undefined],
    ]);
    expect([big.get('k5')?.i, big.get('k6')?.i, big.size]).toEqual([5, 6, 10_000]);
    expect([next.get('k5')?.i, next.get('k6'), next.size]).toEqual([-1, undefined, 9_999]);
  });
});
