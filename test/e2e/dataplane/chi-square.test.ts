import { expect, test } from 'vitest';
import { chiSquare, looksEven } from './chi-square.ts';

test('the statistic is that of the textbook', () => {
  expect(chiSquare([22, 24, 38, 30, 46, 44])).toBeCloseTo(15.29, 2);
  expect(chiSquare([10, 10])).toBe(0);
});

test('600 in four parts: what chance does is let through, what a wrong probability does is not', () => {
  expect(looksEven([150, 131, 170, 149])).toBe(true);
  // The classic mistake: each rule takes a quarter of what is left, and the last one all the rest.
  expect(looksEven([150, 113, 84, 253])).toBe(false);
  // An endpoint that gets nothing, one that gets everything.
  expect(looksEven([200, 200, 200, 0])).toBe(false);
  expect(looksEven([600, 0, 0, 0])).toBe(false);
});

test('a number of parts for which there is no limit is refused', () => {
  expect(() => looksEven([1])).toThrow('1 counts: from 2 to 6 are possible');
});
