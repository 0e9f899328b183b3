export type Labels = Readonly<Record<string, string>>;

interface Entry {
  service: string;
  selector: [string, string][];
  /** Position in `selector` of the pair under which the entry is filed. */
  anchor: number;
}

/** A bucket is looked through for entries that fit better elsewhere when it grows to this size, and at each doubling. */
const CROWDED = 8;

/**
 * Finds the Services of one namespace that select a set of labels. Each selector is filed under one of its pairs, its
 * anchor: labels can only match selectors filed under one of their own pairs. The anchor is the pair that fewest
 * selectors mention, so that a pair that all have (`app.kubernetes.io/part-of: shop`) makes no bucket of everything.
 */
export class ServiceSelectors {
  #entries = new Map<string, Entry>();
  #buckets = new Pairs<Set<Entry>>();
  /** How many selectors mention a pair. */
  #mentions = new Pairs<number>();

  get size(): number {
    return this.#entries.size;
  }

  /** No selector, or an empty one, selects nothing. */
  set(service: string, selector: Labels | undefined): void {
    this.delete(service);
    const pairs = Object.entries(selector ?? {});
    if (pairs.length === 0) return;
    const entry: Entry = { service, selector: pairs, anchor: 0 };
    for (const [key, value] of pairs) this.#mentions.set(key, value, (this.#mentions.get(key, value) ?? 0) + 1);
    this.#entries.set(service, entry);
    this.#file(entry);
  }

  delete(service: string): void {
    const entry = this.#entries.get(service);
    if (entry === undefined) return;
    this.#entries.delete(service);
    this.#unfile(entry);
    for (const [key, value] of entry.selector) {
      const mentions = (this.#mentions.get(key, value) ?? 0) - 1;
      if (mentions > 0) this.#mentions.set(key, value, mentions);
      else this.#mentions.delete(key, value);
    }
  }

  /** The Services whose selector matches `labels`. */
  matching(labels: Labels | undefined): string[] {
    const found: string[] = [];
    for (const key in labels) {
      const bucket = this.#buckets.get(key, labels[key] ?? '');
      if (bucket === undefined) continue;
      for (const { service, selector } of bucket) {
        if (selector.every(([k, v]) => labels[k] === v)) found.push(service);
      }
    }
    return found;
  }

  #file(entry: Entry): void {
    entry.anchor = this.#rarest(entry);
    const [key, value] = entry.selector[entry.anchor] ?? ['', ''];
    const bucket = this.#buckets.get(key, value);
    if (bucket === undefined) {
      this.#buckets.set(key, value, new Set([entry]));
      return;
    }
    bucket.add(entry);
    if (bucket.size < CROWDED || (bucket.size & (bucket.size - 1)) !== 0) return;
    for (const member of [...bucket]) {
      if (this.#rarest(member) === member.anchor) continue;
      this.#unfile(member);
      this.#file(member);
    }
  }

  #unfile(entry: Entry): void {
    const [key, value] = entry.selector[entry.anchor] ?? ['', ''];
    const bucket = this.#buckets.get(key, value);
    bucket?.delete(entry);
    if (bucket?.size === 0) this.#buckets.delete(key, value);
  }

  #rarest({ selector }: Entry): number {
    let best = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [i, [key, value]] of selector.entries()) {
      const mentions = this.#mentions.get(key, value) ?? 0;
      if (mentions < fewest) [best, fewest] = [i, mentions];
    }
    return best;
  }
}

/** A map by label key and value; two steps rather than one joined key, so that looking up makes no strings. */
export class Pairs<V> {
  #keys = new Map<string, Map<string, V>>();

  get(key: string, value: string): V | undefined {
    return this.#keys.get(key)?.get(value);
  }

  set(key: string, value: string, item: V): void {
    const values = this.#keys.get(key);
    if (values) values.set(value, item);
    else this.#keys.set(key, new Map([[value, item]]));
  }

  delete(key: string, value: string): void {
    const values = this.#keys.get(key);
    values?.delete(value);
    if (values?.size === 0) this.#keys.delete(key);
  }
}
