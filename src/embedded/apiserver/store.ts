import type { RawObject } from './kind.ts';

/** One committed change. Objects are shared by everyone who reads them: never mutate them. */
export interface StoreEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  revision: number;
  key: string;
  /** The state after the change; for DELETED the last state, carrying the revision of the deletion. */
  object: RawObject;
  /** The state before the change; undefined for ADDED. */
  before: RawObject | undefined;
  /** Milliseconds of the injected clock. */
  at: number;
}

/** How much history a kind keeps: as the real watch cache, at least a time span, within bounds on the number of events. */
export interface HistoryLimits {
  minEvents: number;
  maxEvents: number;
  keepMs: number;
}

export const defaultHistory: HistoryLimits = { minEvents: 1000, maxEvents: 100_000, keepMs: 75_000 };

/** One stored object with its key. Shared: never mutate it. */
export interface StoreEntry {
  key: string;
  object: RawObject;
}

/** Thrown when a revision is older than the history that is still held. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly requested: number;
  readonly oldest: number;

  constructor(requested: number, oldest: number) {
    super(`revision ${requested} is compacted, the oldest held is ${oldest}`);
    this.requested = requested;
    this.oldest = oldest;
  }
}

/** `namespace/name`, or `name` for cluster-scoped kinds. */
export function storeKey(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** All objects of all kinds, ordered by one revision counter, as one etcd would hold them. */
export class Store {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;
  readonly #limits: HistoryLimits;
  #revision = 1;

  constructor(now: () => number, limits: HistoryLimits = defaultHistory) {
    this.#now = now;
    this.#limits = limits;
  }

  /** The revision of the latest change of any kind. */
  get revision(): number {
    return this.#revision;
  }

  bucket(plural: string): Bucket {
    let bucket = this.#buckets.get(plural);
    if (!bucket) {
      bucket = new Bucket({
        next: () => ++this.#revision,
        current: () => this.#revision,
        now: this.#now,
        limits: this.#limits,
      });
      this.#buckets.set(plural, bucket);
    }
    return bucket;
  }
}

interface BucketInit {
  next(): number;
  current(): number;
  now(): number;
  limits: HistoryLimits;
}

/** The objects of one kind in key order, with the history of their changes. */
export class Bucket {
  readonly #init: BucketInit;
  readonly #entries = new Map<string, StoreEntry>();
  /** Sorted, so that a namespace is one contiguous range and a page starts with a binary search. */
  readonly #keys: string[] = [];
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #history: StoreEvent[] = [];
  /** Index of the oldest event still held; the array is cut now and then, not at each event. */
  #head = 0;
  /** Every change after this revision is still held. */
  #compacted = 0;

  constructor(init: BucketInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#keys.length;
  }

  get(key: string): RawObject | undefined {
    return this.#entries.get(key)?.object;
  }

  *values(): Iterable<RawObject> {
    for (const { object } of this.#entries.values()) yield object;
  }

  /** The objects of one namespace (all when undefined), in key order, as they are now. */
  list(namespace?: string): StoreEntry[] {
    const found: StoreEntry[] = [];
    const prefix = prefixOf(namespace);
    for (let i = lowerBound(this.#keys, prefix); i < this.#keys.length; i++) {
      const key = this.#keys[i] ?? '';
      if (!key.startsWith(prefix)) break;
      const entry = this.#entries.get(key);
      if (entry) found.push(entry);
    }
    return found;
  }

  /** Whether a namespace holds any object. */
  hasAny(namespace: string): boolean {
    const prefix = prefixOf(namespace);
    return this.#keys[lowerBound(this.#keys, prefix)]?.startsWith(prefix) ?? false;
  }

  /**
   * The same as the objects were at `revision`.
   * @throws CompactedError when the history does not reach back that far.
   */
  listAt(revision: number, namespace?: string): StoreEntry[] {
    const prefix = prefixOf(namespace);
    const original = new Map<string, RawObject | undefined>();
    for (const event of this.since(revision)) {
      if (event.key.startsWith(prefix) && !original.has(event.key)) original.set(event.key, event.before);
    }
    const current = this.list(namespace);
    if (original.size === 0) return current;
    const restored: StoreEntry[] = [];
    for (const [key, object] of original) if (object) restored.push({ key, object });
    restored.sort((a, b) => (a.key < b.key ? -1 : 1));
    return mergeSorted(
      current.filter(({ key }) => !original.has(key)),
      restored,
    );
  }

  /**
   * The changes after `revision`, oldest first.
   * @throws CompactedError when some of them are no longer held.
   */
  since(revision: number): StoreEvent[] {
    if (revision < this.#compacted) throw new CompactedError(revision, this.#compacted);
    let low = this.#head;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return this.#history.slice(low);
  }

  /** Calls `listener` synchronously at each commit; returns the function that ends it. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stores `object` under `key`, stamping the new resourceVersion on it. The caller gives the object away. */
  put(key: string, object: RawObject): RawObject {
    const before = this.get(key);
    const revision = this.#init.next();
    object.metadata.resourceVersion = String(revision);
    if (!before) this.#keys.splice(lowerBound(this.#keys, key), 0, key);
    this.#entries.set(key, { key, object });
    this.#commit({ type: before ? 'MODIFIED' : 'ADDED', revision, key, object, before, at: this.#init.now() });
    return object;
  }

  /** Removes the object and returns its last state with the revision of the removal; undefined when there is none. */
  remove(key: string): RawObject | undefined {
    const before = this.get(key);
    if (!before) return undefined;
    const revision = this.#init.next();
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } };
    this.#keys.splice(lowerBound(this.#keys, key), 1);
    this.#entries.delete(key);
    this.#commit({ type: 'DELETED', revision, key, object, before, at: this.#init.now() });
    return object;
  }

  /** Forgets all history: whoever asks for a revision before the present one gets `CompactedError`. */
  compact(): void {
    this.#history = [];
    this.#head = 0;
    this.#compacted = this.#init.current();
  }

  #commit(event: StoreEvent): void {
    this.#history.push(event);
    this.#trim(event.at);
    for (const listener of [...this.#listeners]) listener(event);
  }

  #trim(now: number): void {
    const { minEvents, maxEvents, keepMs } = this.#init.limits;
    for (;;) {
      const held = this.#history.length - this.#head;
      const oldest = this.#history[this.#head];
      if (!oldest || held <= minEvents || (held <= maxEvents && now - oldest.at <= keepMs)) break;
      this.#compacted = oldest.revision;
      this.#head++;
    }
    if (this.#head > 1000 && this.#head * 2 > this.#history.length) {
      this.#history = this.#history.slice(this.#head);
      this.#head = 0;
    }
  }
}

export function keyOf(object: RawObject): string {
  return storeKey(object.metadata.namespace, object.metadata.name ?? '');
}

/** The start that all keys of a namespace share and no others have; `''` for all objects. */
export function prefixOf(namespace: string | undefined): string {
  return namespace === undefined ? '' : `${namespace}/`;
}

function mergeSorted(a: StoreEntry[], b: StoreEntry[]): StoreEntry[] {
  const merged: StoreEntry[] = [];
  let i = 0;
  for (const entry of b) {
    for (let next = a[i]; next && next.key < entry.key; next = a[++i]) merged.push(next);
    merged.push(entry);
  }
  for (const entry of a.slice(i)) merged.push(entry);
  return merged;
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
