/** Multiples of one core, in thousandths, of each suffix of a Kubernetes quantity that a CPU amount may carry. */
const SUFFIX: Record<string, number> = { n: 1e-6, u: 1e-3, m: 1, '': 1000, k: 1e6, M: 1e9, G: 1e12 };

/** `2` -> 2000, `1900m` -> 1900, `0.5` -> 500; fractions of a thousandth round up. 0 when absent or not a quantity. */
export function milliCpu(quantity: string | undefined): number {
  const match = /^\+?(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?([numkMG]?)$/.exec(quantity ?? '');
  if (!match) return 0;
  const [, digits = '0', exponent = '0', suffix = ''] = match;
  const exact = Number(digits) * 10 ** Number(exponent) * (SUFFIX[suffix] ?? 0);
  // The product of two decimals may miss a whole number by a few bits.
  return Math.ceil(Number(exact.toPrecision(15)));
}
