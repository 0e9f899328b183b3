/** Durations as Kubernetes writes them in configuration: Go's `time.ParseDuration` and `Duration.String` (https://pkg.go.dev/time). */

/** Milliseconds; fractions reach down to a nanosecond. */
export type Milliseconds = number;

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5
  μs: 1e3, // U+03BC
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** What fits into 64 bits of nanoseconds, about 292 years. */
const MAX_NANOSECONDS = 2 ** 63;

/** Reads `30s`, `1h15m`, `-1.5ms`, `0`. @throws RangeError naming the text and what is wrong with it. */
export function parseDuration(text: string): Milliseconds {
  const refuse = (why: string): never => {
    throw new RangeError(`${JSON.stringify(text)} is not a duration such as 30s or 1h15m (${why})`);
  };
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0;
  if (rest === '') refuse('it is empty');
  let nanoseconds = 0;
  for (let at = 0; at < rest.length; ) {
    const [word = '', number = '', unit = ''] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest.slice(at)) ?? [];
    const size = NANOSECONDS[unit];
    if (word === '') refuse('a number is expected');
    if (unit === '') refuse('the unit is missing');
    if (size === undefined) return refuse(`${JSON.stringify(unit)} is not a unit`);
    nanoseconds += Number(number) * size;
    at += word.length;
  }
  if (nanoseconds >= MAX_NANOSECONDS) refuse('it is too long');
  return ((sign === '-' ? -1 : 1) * Math.round(nanoseconds)) / 1e6;
}

/** Prints as Go does: `0s`, `1.5ms`, `30s`, `15m0s`, `1h0m0s`. */
export function formatDuration(duration: Milliseconds): string {
  const nanoseconds = Math.round(duration * 1e6);
  if (nanoseconds === 0) return '0s';
  const sign = nanoseconds < 0 ? '-' : '';
  const size = Math.abs(nanoseconds);
  if (size < 1e3) return `${sign}${size}ns`;
  if (size < 1e6) return `${sign}${fraction(size, 1e3)}µs`;
  if (size < 1e9) return `${sign}${fraction(size, 1e6)}ms`;
  const minutes = Math.floor(size / 60e9);
  const seconds = `${fraction(size - minutes * 60e9, 1e9)}s`;
  if (minutes === 0) return `${sign}${seconds}`;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes - hours * 60}m${seconds}`;
}

/** `amount / unit` in plain decimals without trailing zeros; `unit` is a power of ten. */
function fraction(amount: number, unit: number): string {
  const whole = Math.floor(amount / unit);
  const digits = String(amount - whole * unit).padStart(Math.log10(unit), '0');
  return `${whole}.${digits}`.replace(/\.?0*$/, '');
}
