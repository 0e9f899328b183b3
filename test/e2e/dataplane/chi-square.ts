/** Chi-square that even shares exceed by chance once in a million, by degrees of freedom. */
const ONE_IN_A_MILLION: Readonly<Record<number, number>> = { 1: 23.928, 2: 27.631, 3: 30.665, 4: 33.377, 5: 35.888 };

/**
 * Whether counts can well be the outcome of an even choice between all of them.
 * @throws RangeError for fewer than two or more than six counts
 */
export function looksEven(counts: readonly number[]): boolean {
  const limit = ONE_IN_A_MILLION[counts.length - 1];
  if (limit === undefined) throw new RangeError(`${counts.length} counts: from 2 to 6 are possible`);
  return chiSquare(counts) <= limit;
}

/** Pearson's statistic against an even share. */
export function chiSquare(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
}
