import { describe, expect, it } from 'vitest';
import { allocate, isOverloaded, isProblem } from '../../../src/endpointslice/hints/allocation.ts';

const equal = (zones: number) => new Map(Array.from({ length: zones }, (_, i) => [`z${i + 1}`, 1 / zones]));
const minima = (shares: ReadonlyMap<string, number>, n: number) => {
  const result = allocate(shares, n);
  return isProblem(result) ? result.problem : [...result.values()].map((a) => [a.minimum, a.maximum]);
};

describe('dividing endpoints among zones', () => {
  it.each([
    [3, true],
    [4, false],
    [5, false],
    [6, true],
    [7, true],
    [8, false],
    [9, true],
    [10, true],
    [11, false],
    [12, true],
    [13, true],
    [14, true],
    [100, true],
  ])('with %s endpoints in three equal zones is possible: %s', (n, possible) => {
    expect(isProblem(allocate(equal(3), n))).toBe(!possible);
  });

  it('rounds as IEEE doubles do: a fifth of six needs two, though 1.2 / 1.2 is one', () => {
    const fifths = new Map([
      ['z1', 0.2],
      ['z2', 0.8],
    ]);
    expect(minima(fifths, 6)).toMatch('Unable to allocate');
    expect(minima(fifths, 7)).toEqual([
      [2, 2],
      [5, 5],
    ]);
  });

  it('leaves every zone what the others do not need', () => {
    expect(minima(equal(3), 7)).toEqual([
      [2, 3],
      [2, 3],
      [2, 3],
    ]);
  });

  it('says why it cannot be done', () => {
    expect(allocate(undefined, 10)).toEqual({
      problem: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    });
    expect(minima(equal(3), 2)).toBe('Insufficient number of endpoints (2 endpoints, 3 zones)');
    expect(minima(equal(3), 4)).toBe(
      'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)',
    );
  });
});

describe('a zone is overloaded', () => {
  const totals = (...counts: number[]) => new Map(counts.map((count, i) => [`z${i + 1}`, count]));

  it.each([
    ['never without endpoints', totals(), equal(2), false],
    ['always when shares are unknown', totals(1, 1), undefined, true],
    ['when it has no endpoint at all', totals(2), equal(2), true],
    ['when it has less than its least', totals(5, 3), equal(2), true],
    ['not when it has its least', totals(5, 4), equal(2), false],
  ])('%s', (_, counts, shares, expected) => {
    expect(isOverloaded(counts, shares)).toBe(expected);
  });
});
