import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../src/duration.ts';

describe('a Go duration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['30s', 30_000],
    ['1h15m', 4_500_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['+5s', 5_000],
    ['-1.5ms', -1.5],
    ['1us', 0.001],
    ['1µs1ns', 0.001001],
    ['24h', 86_400_000],
    ['1h15m30.918273645s', 4_530_918.273645],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    ['', 'it is empty'],
    ['3', 'the unit is missing'],
    ['3d', '"d" is not a unit'],
    ['1 s', '" s" is not a unit'],
    ['s', 'a number is expected'],
    ['5s x', '"s x" is not a unit'],
    ['--5s', 'a number is expected'],
    ['3000000h', 'it is too long'],
  ])('%j is refused: %s', (text, why) => {
    expect(() => parseDuration(text)).toThrow(
      `${JSON.stringify(text)} is not a duration such as 30s or 1h15m (${why})`,
    );
  });

  it.each([
    [0, '0s'],
    [1_000, '1s'],
    [900_000, '15m0s'],
    [3_600_000, '1h0m0s'],
    [86_400_000, '24h0m0s'],
    [1.5, '1.5ms'],
    [0.0015, '1.5µs'],
    [0.000005, '5ns'],
    [-1_000, '-1s'],
    [4_530_918.273645, '1h15m30.918273645s'],
    [61_500, '1m1.5s'],
  ])('%d ms is printed as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('of whole nanoseconds is the same after printing and reading, up to some days', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), (nanoseconds) => {
        const text = formatDuration(nanoseconds / 1e6);
        expect(Math.round(parseDuration(text) * 1e6) + 0).toBe(nanoseconds);
      }),
    );
  });
});
