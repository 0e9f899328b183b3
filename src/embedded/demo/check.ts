import type { LoadResult } from '../hosts/load-result.ts';

/** Something that the demo shows did not come out as it must: the demo's own failure, told in one line. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new CheckFailed(otherwise);
}

/**
 * How far a fair share of `requests` may be off: four standard deviations of a binomial distribution. Beyond them lies less
 * than one run in ten thousand.
 */
export function fairShare(requests: number, pods: number): { expected: number; tolerance: number } {
  const p = 1 / pods;
  return { expected: requests * p, tolerance: 4 * Math.sqrt(requests * p * (1 - p)) };
}

/** Every request was answered, each Pod took part, and no share is further from fair than chance explains. */
export function checkFair(result: LoadResult, pods: readonly string[]): void {
  checkAnswered(result);
  const { expected, tolerance } = fairShare(result.requests, pods.length);
  for (const pod of pods) {
    const share = result.pods[pod] ?? 0;
    check(
      Math.abs(share - expected) <= tolerance,
      `${pod} answered ${share} of ${result.requests} requests; ${expected.toFixed(0)} ± ${tolerance.toFixed(0)} are within chance`,
    );
  }
  checkOnly(result, pods);
}

export function checkAnswered(result: LoadResult): void {
  const failures = Object.entries(result.errors).map(([code, count]) => `${count} × ${code}`);
  check(failures.length === 0, `of ${result.requests} requests some failed: ${failures.join(', ')}`);
}

export function checkOnly(result: LoadResult, pods: readonly string[]): void {
  const others = Object.keys(result.pods).filter((pod) => !pods.includes(pod));
  check(others.length === 0, `${others.join(', ')} answered, and must not have`);
}
