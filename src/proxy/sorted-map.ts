/** Chunks are split above this size; half-empty neighbours are joined. */
const MAX_CHUNK = 128;
const MIN_CHUNK = 32;

interface Chunk<K, V> {
  readonly keys: readonly K[];
  readonly values: readonly V[];
}

/**
 * An immutable map in key order (`<` on strings). `update` returns a new map that shares every untouched chunk with the old
 * one, so that a change among many entries costs one chunk, and `changesSince` finds it again without looking at the rest.
 */
export class SortedMap<K extends string, V> implements ReadonlyMap<K, V> {
  readonly #chunks: readonly Chunk<K, V>[];
  readonly size: number;

  private constructor(chunks: readonly Chunk<K, V>[], size: number) {
    this.#chunks = chunks;
    this.size = size;
  }

  static empty<K extends string, V>(): SortedMap<K, V> {
    return new SortedMap<K, V>([], 0);
  }

  static from<K extends string, V>(entries: Iterable<readonly [K, V]>): SortedMap<K, V> {
    return SortedMap.empty<K, V>().update(entries);
  }

  get(key: K): V | undefined {
    const chunk = this.#chunks[this.#chunkFor(key)];
    if (!chunk) return undefined;
    const at = lowerBound(chunk.keys, key);
    return chunk.keys[at] === key ? chunk.values[at] : undefined;
  }

  has(key: K): boolean {
    const chunk = this.#chunks[this.#chunkFor(key)];
    return chunk !== undefined && chunk.keys[lowerBound(chunk.keys, key)] === key;
  }

  /** Sets each key to its value; `undefined` removes it; the last entry of a key counts. Returns `this` when nothing differs. */
  update(changes: Iterable<readonly [K, V | undefined]>): SortedMap<K, V> {
    const pending = [...new Map(changes)]
      .filter(([key, value]) => (value === undefined ? this.has(key) : this.get(key) !== value))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (pending.length === 0) return this;
    const chunks: Chunk<K, V>[] = [];
    let next = 0;
    const old = this.#chunks.length === 0 ? [{ keys: [], values: [] }] : this.#chunks;
    for (let i = 0; i < old.length; i++) {
      const chunk = old[i] as Chunk<K, V>;
      const bound = old[i + 1]?.keys[0];
      const from = next;
      while (next < pending.length && (bound === undefined || (pending[next]?.[0] ?? bound) < bound)) next++;
      if (from === next) chunks.push(chunk);
      else append(chunks, mergeChunk(chunk, pending.slice(from, next)));
    }
    let size = 0;
    for (const chunk of chunks) size += chunk.keys.length;
    return new SortedMap<K, V>(chunks, size);
  }

  /** The keys whose values differ in identity from those in `before`, in key order. */
  *changesSince(
    before: SortedMap<K, V>,
  ): Generator<{ key: K; before: V | undefined; after: V | undefined }, undefined> {
    if (before === this) return undefined;
    const old = unshared(before.#chunks, this.#chunks);
    const now = unshared(this.#chunks, before.#chunks);
    let o = 0;
    let n = 0;
    while (o < old.length || n < now.length) {
      const left = old[o];
      const right = now[n];
      if (left && (!right || left[0] < right[0])) {
        yield { key: left[0], before: left[1], after: undefined };
        o++;
      } else if (right && (!left || right[0] < left[0])) {
        yield { key: right[0], before: undefined, after: right[1] };
        n++;
      } else if (left && right) {
        if (left[1] !== right[1]) yield { key: left[0], before: left[1], after: right[1] };
        o++;
        n++;
      }
    }
    return undefined;
  }

  *entries(): Generator<[K, V], undefined> {
    for (const chunk of this.#chunks) yield* pairs(chunk);
    return undefined;
  }

  *keys(): Generator<K, undefined> {
    for (const chunk of this.#chunks) yield* chunk.keys;
    return undefined;
  }

  /** The keys that start with `prefix`, found without looking at others. */
  *keysWithPrefix(prefix: K): Generator<K, undefined> {
    for (let c = this.#chunkFor(prefix); c < this.#chunks.length; c++) {
      const { keys } = this.#chunks[c] as Chunk<K, V>;
      for (let i = lowerBound(keys, prefix); i < keys.length; i++) {
        const key = keys[i] as K;
        if (!key.startsWith(prefix)) return undefined;
        yield key;
      }
    }
    return undefined;
  }

  *values(): Generator<V, undefined> {
    for (const chunk of this.#chunks) yield* chunk.values;
    return undefined;
  }

  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries();
  }

  forEach(fn: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) fn(value, key, this);
  }

  /** Index of the chunk that holds `key`, if any does. */
  #chunkFor(key: K): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      const first = this.#chunks[mid]?.keys[0];
      if (first !== undefined && first <= key) low = mid;
      else high = mid - 1;
    }
    return low;
  }
}

function lowerBound<K extends string>(keys: readonly K[], key: K): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((keys[mid] as K) < key) low = mid + 1;
    else high = mid;
  }
  return low;
}

function* pairs<K, V>(chunk: Chunk<K, V>): Generator<[K, V], undefined> {
  for (let i = 0; i < chunk.keys.length; i++) yield [chunk.keys[i] as K, chunk.values[i] as V];
  return undefined;
}

function mergeChunk<K extends string, V>(chunk: Chunk<K, V>, changes: (readonly [K, V | undefined])[]): Chunk<K, V> {
  const keys: K[] = [];
  const values: V[] = [];
  const put = (key: K, value: V | undefined) => {
    if (value === undefined) return;
    keys.push(key);
    values.push(value);
  };
  let at = 0;
  for (const [key, value] of changes) {
    while (at < chunk.keys.length && (chunk.keys[at] as K) < key) put(chunk.keys[at] as K, chunk.values[at++]);
    if (chunk.keys[at] === key) at++;
    put(key, value);
  }
  while (at < chunk.keys.length) put(chunk.keys[at] as K, chunk.values[at++]);
  return { keys, values };
}

/** Appends `chunk` in pieces of at most MAX_CHUNK, joined to the last piece when one of the two is small. */
function append<K, V>(chunks: Chunk<K, V>[], chunk: Chunk<K, V>): void {
  let { keys, values } = chunk;
  const last = chunks.at(-1);
  const small = keys.length < MIN_CHUNK || (last !== undefined && last.keys.length < MIN_CHUNK);
  if (last && small && last.keys.length + keys.length <= MAX_CHUNK) {
    chunks.pop();
    keys = [...last.keys, ...keys];
    values = [...last.values, ...values];
  }
  const pieces = Math.ceil(keys.length / MAX_CHUNK);
  const each = Math.ceil(keys.length / Math.max(pieces, 1));
  for (let i = 0; i < keys.length; i += each) {
    chunks.push({ keys: keys.slice(i, i + each), values: values.slice(i, i + each) });
  }
}

/** The entries of the chunks of `mine` that are not among `theirs`. */
function unshared<K, V>(mine: readonly Chunk<K, V>[], theirs: readonly Chunk<K, V>[]): [K, V][] {
  const shared = new Set(theirs);
  return mine.filter((chunk) => !shared.has(chunk)).flatMap((chunk) => [...pairs(chunk)]);
}
