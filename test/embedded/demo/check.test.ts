import { describe, expect, it } from 'vitest';
import { checkAnswered, checkFair, fairShare } from '../../../src/embedded/demo/check.ts';
import type { LoadResult } from '../../../src/embedded/hosts/load-result.ts';

function result(pods: Record<string, number>, errors: Record<string, number> = {}): LoadResult {
  const requests = [...Object.values(pods), ...Object.values(errors)].reduce((sum, n) => sum + n, 0);
  return { requests, pods, clients: {}, errors, totalMs: 1, slowestMs: 1 };
}

describe('checks of shares', () => {
  it('allow four standard deviations around a fair share', () => {
    const { expected, tolerance } = fairShare(300, 3);
    expect(expected).toBeCloseTo(100);
    expect(tolerance).toBeCloseTo(4 * Math.sqrt(300 * (1 / 3) * (2 / 3)));
    expect(() => checkFair(result({ a: 132, b: 100, c: 68 }), ['a', 'b', 'c'])).not.toThrow();
    expect(() => checkFair(result({ a: 133, b: 99, c: 68 }), ['a', 'b', 'c'])).toThrow(
      'a answered 133 of 300 requests; 100 ± 33 are within chance',
    );
  });

  it('miss a Pod that took no part, and see one that should not have', () => {
    expect(() => checkFair(result({ a: 150, b: 150 }), ['a', 'b', 'c'])).toThrow('answered');
    expect(() => checkFair(result({ a: 100, b: 100, c: 100, d: 1 }), ['a', 'b', 'c'])).toThrow(
      'd answered, and must not',
    );
  });

  it('name the failures of requests', () => {
    expect(() => checkAnswered(result({ a: 298 }, { ECONNREFUSED: 2 }))).toThrow(
      'of 300 requests some failed: 2 × ECONNREFUSED',
    );
  });
});
