import { formatDuration, type Milliseconds, parseDuration } from '../../duration.ts';
import { isRecord } from '../../kube/values.ts';

/** What a decoding found besides the value: one line each, naming the field by its path in the file. */
export interface Findings {
  /** Wrong types. */
  readonly errors: string[];
  /** Paths of fields that the schema does not know. */
  readonly unknown: string[];
  /** In the file a zero often means "not set"; a value given by flag is taken as it is. */
  readonly zeroMeansUnset: boolean;
}

/** One field of a configuration document: how it is read from JSON data, and written back. */
export interface Field<T> {
  /** Absent and null give the default; so does a value of a wrong type, after it was reported. */
  decode(value: unknown, path: string, findings: Findings): T;
  /** `undefined` leaves the field out. */
  encode(value: T): unknown;
}

interface ZeroOption {
  /** The file has no way to say zero or empty: that stands for the default (a Go field that is not a pointer). */
  zeroIsUnset?: boolean;
}

export function string(fallback = ''): Field<string> {
  return scalar(fallback, 'a string', (value) => (typeof value === 'string' ? value : REFUSED), { zeroIsUnset: true });
}

export function bool(fallback = false): Field<boolean> {
  return scalar(fallback, 'true or false', (value) => (typeof value === 'boolean' ? value : REFUSED));
}

/** Like `bool`, but left out when false. */
export function optionalBool(): Field<boolean> {
  return { ...bool(), encode: (value) => value || undefined };
}

export function int32(fallback: number, options: ZeroOption = {}): Field<number> {
  return integer(fallback, 'a whole number of 32 bits', -(2 ** 31), 2 ** 31 - 1, options);
}

export function uint32(fallback = 0): Field<number> {
  return integer(fallback, 'a whole number, 0 or more', 0, 2 ** 32 - 1, {});
}

export function float(fallback: number, options: ZeroOption = {}): Field<number> {
  return scalar(fallback, 'a number', (value) => (typeof value === 'number' ? value : REFUSED), options);
}

export function duration(fallback: string, options: ZeroOption = {}): Field<Milliseconds> {
  const expected = 'a duration such as "30s" or "1h15m"';
  const field = scalar(parseDuration(fallback), expected, readDuration, options);
  return { ...field, encode: formatDuration };
}

/** A number or a string, kept as it was written. */
export function numberOrString(fallback: string, options: ZeroOption = {}): Field<number | string> {
  const read = (value: unknown) => (typeof value === 'number' || typeof value === 'string' ? value : REFUSED);
  return scalar<number | string>(fallback, 'a number or a string', read, options);
}

/** `null` when absent, as Go prints a list that was never set. */
export function stringList(): Field<readonly string[] | null> {
  return {
    decode(value, path, findings) {
      if (value === undefined || value === null) return null;
      if (!Array.isArray(value)) return wrongType(findings, path, value, 'a list of strings', null);
      return value.map((entry, i) => string().decode(entry, `${path}[${i}]`, findings));
    },
    encode: (value) => value,
  };
}

/** Left out when empty. */
export function listOf<T>(element: Field<T>): Field<readonly T[]> {
  return {
    decode(value, path, findings) {
      if (value === undefined || value === null) return [];
      if (!Array.isArray(value)) return wrongType(findings, path, value, 'a list', []);
      return value.map((entry, i) => element.decode(entry, `${path}[${i}]`, findings));
    },
    encode: (value) => (value.length === 0 ? undefined : value.map((entry) => element.encode(entry))),
  };
}

/** Left out when empty. */
export function boolMap(): Field<Readonly<Record<string, boolean>>> {
  return {
    decode(value, path, findings) {
      if (value === undefined || value === null) return {};
      if (!isRecord(value)) return wrongType(findings, path, value, 'a map of names to true or false', {});
      const entries = Object.entries(value);
      return Object.fromEntries(entries.map(([key, v]) => [key, bool().decode(v, `${path}.${key}`, findings)]));
    },
    encode: (value) => (Object.keys(value).length === 0 ? undefined : value),
  };
}

/** Fields are written in the order of `fields`. `path` is empty for the document itself. */
export function object<T extends object>(fields: { readonly [K in keyof T]-?: Field<T[K]> }): Field<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    decode(value, path, findings) {
      const at = (name: string) => (path ? `${path}.${name}` : name);
      let given: Record<string, unknown> = {};
      if (isRecord(value)) given = value;
      else if (value !== undefined && value !== null) wrongType(findings, path, value, 'a map of fields', undefined);
      for (const name of Object.keys(given)) if (!Object.hasOwn(fields, name)) findings.unknown.push(at(name));
      const decoded: Partial<T> = {};
      for (const name of names) decoded[name] = fields[name].decode(given[name], at(name), findings);
      return decoded as T;
    },
    encode(value) {
      const entries = names.map((name) => [name, fields[name].encode(value[name])] as const);
      return Object.fromEntries(entries.filter(([, v]) => v !== undefined));
    },
  };
}

/** What a reader answers to a value of a wrong type. */
const REFUSED = Symbol('wrong type');

function scalar<T extends string | number | boolean>(
  fallback: T,
  expected: string,
  read: (value: unknown) => T | typeof REFUSED,
  options: ZeroOption = {},
): Field<T> {
  return {
    decode(value, path, findings) {
      if (value === undefined || value === null) return fallback;
      const got = read(value);
      if (got === REFUSED) return wrongType(findings, path, value, expected, fallback);
      const unset = options.zeroIsUnset && findings.zeroMeansUnset && (got === 0 || got === '');
      return unset ? fallback : got;
    },
    encode: (value) => value,
  };
}

function integer(fallback: number, expected: string, min: number, max: number, options: ZeroOption): Field<number> {
  const fits = (value: unknown): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
  return scalar(fallback, expected, (value) => (fits(value) ? value : REFUSED), options);
}

function readDuration(value: unknown): number | typeof REFUSED {
  if (typeof value !== 'string') return REFUSED;
  try {
    return parseDuration(value);
  } catch (error) {
    if (error instanceof RangeError) return REFUSED;
    throw error;
  }
}

function wrongType<T>(findings: Findings, path: string, value: unknown, expected: string, fallback: T): T {
  findings.errors.push(`${path || 'the document'}: ${JSON.stringify(value)} is not ${expected}`);
  return fallback;
}
