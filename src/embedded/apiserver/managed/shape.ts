import { isRecord, type JsonRecord } from '../json.ts';
import type { Strategy } from '../kind.ts';

/** How the parts of an object merge: what server-side apply calls its schema. Derived from a kind's strategy. */
export class Shape {
  readonly #strategy: Pick<Strategy, 'mergeKeys' | 'applyKeys'>;

  constructor(strategy: Pick<Strategy, 'mergeKeys' | 'applyKeys'>) {
    this.#strategy = strategy;
  }

  /**
   * @param pattern where the list stands, with `[]` for any element: `spec.template.spec.containers[].ports`
   * @returns the keys of its items, `'set'` for a list of distinct primitives, `'atomic'` for one that is replaced as a whole
   */
  list(pattern: string): readonly string[] | 'set' | 'atomic' {
    const { applyKeys, mergeKeys } = this.#strategy;
    const keys = own(applyKeys, pattern);
    if (keys) return keys.length === 0 ? 'atomic' : keys[0] === '' ? 'set' : keys;
    const key = own(mergeKeys, pattern);
    if (key === undefined) return 'atomic';
    return key === '' ? 'set' : [key];
  }

  /** Whether the map or struct at `pattern` is owned as a whole. */
  isAtomicMap(pattern: string): boolean {
    return own(this.#strategy.applyKeys, pattern)?.length === 0;
  }
}

function own<T>(record: Record<string, T> | undefined, key: string): T | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** What a key field counts as when an item leaves it out (the only key with a default in the built-in API). */
const keyDefaults: Readonly<JsonRecord> = { protocol: 'TCP' };

/** The path element of an item in a list with keys; undefined when a key is missing or the item is no map. */
export function itemElement(item: unknown, keys: readonly string[]): string | undefined {
  if (!isRecord(item)) return undefined;
  const values: JsonRecord = {};
  for (const key of keys.toSorted()) {
    const value = item[key] ?? keyDefaults[key];
    if (value === undefined) return undefined;
    values[key] = value;
  }
  return `k:${JSON.stringify(values)}`;
}

export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}

/** The items of a list by their path elements, in order; undefined when they cannot be told apart (then treat it as atomic). */
export function itemsByElement(
  list: readonly unknown[],
  type: readonly string[] | 'set',
): Map<string, unknown> | undefined {
  const items = new Map<string, unknown>();
  for (const item of list) {
    const element = type === 'set' ? valueElement(item) : itemElement(item, type);
    if (element === undefined || items.has(element)) return undefined;
    items.set(element, item);
  }
  return items;
}

export function memberPattern(pattern: string, key: string): string {
  return pattern === '' ? key : `${pattern}.${key}`;
}
