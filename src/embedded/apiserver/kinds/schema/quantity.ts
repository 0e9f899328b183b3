const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|([a-zA-Z]*))$/;

/** A resource.Quantity: the amount is `nano / 10^9`. */
export interface Quantity {
  nano: bigint;
  format: 'decimal' | 'binary' | 'exponent';
}

const nanoPerUnit = 10n ** 9n;

/** Reads `100m`, `1.5Gi`, `2e3`; parts finer than a nano are rounded up. Undefined when the text is no quantity. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = form.exec(text);
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = match ?? [];
  if (!match || whole + fraction === '') return undefined;
  const scale = scaleOf(exponent, suffix);
  if (!scale) return undefined;
  const digits = BigInt(whole + fraction) * nanoPerUnit * scale.times;
  const divisor = 10n ** BigInt(fraction.length) * scale.over;
  const nano = (digits + divisor - 1n) / divisor;
  return { nano: sign === '-' ? -nano : nano, format: scale.format };
}

function scaleOf(
  exponent: string | undefined,
  suffix: string,
): { times: bigint; over: bigint; format: Quantity['format'] } | undefined {
  if (exponent !== undefined) return { ...powerOfTen(Number(exponent.slice(1))), format: 'exponent' };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { times: 1024n ** BigInt(binary), over: 1n, format: 'binary' };
  const decimal = decimalSuffixes.indexOf(suffix);
  return decimal < 0 ? undefined : { ...powerOfTen((decimal - 3) * 3), format: 'decimal' };
}

function powerOfTen(exponent: number): { times: bigint; over: bigint } {
  const power = 10n ** BigInt(Math.abs(exponent));
  return exponent < 0 ? { times: 1n, over: power } : { times: power, over: 1n };
}

/** The canonical text: no fraction, the largest suffix that leaves a whole number, in the family it was written in. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const sign = nano < 0n ? '-' : '';
  const amount = nano < 0n ? -nano : nano;
  const kibi = 1024n * nanoPerUnit;
  if (format === 'binary' && amount >= kibi && amount % nanoPerUnit === 0n) {
    return sign + largest(amount / nanoPerUnit, 1024n, binarySuffixes);
  }
  if (format === 'exponent') {
    const [digits, steps] = reduce(amount, 1000n, decimalSuffixes.length - 1);
    return steps === 3 ? `${sign}${digits}` : `${sign}${digits}e${(steps - 3) * 3}`;
  }
  return sign + largest(amount, 1000n, decimalSuffixes);
}

function largest(amount: bigint, base: bigint, suffixes: string[]): string {
  const [digits, steps] = reduce(amount, base, suffixes.length - 1);
  return `${digits}${suffixes[steps] ?? ''}`;
}

function reduce(amount: bigint, base: bigint, most: number): [bigint, number] {
  let steps = 0;
  let rest = amount;
  while (steps < most && rest % base === 0n) {
    rest /= base;
    steps++;
  }
  return [rest, steps];
}

export function canonicalQuantity(text: string): string | undefined {
  const quantity = parseQuantity(text);
  return quantity && formatQuantity(quantity);
}
