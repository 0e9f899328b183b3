interface Entry {
  key: string;
  at: number;
}

/**
 * Keys ordered by an instant, earliest first. Each key is held once; every operation but `nextAt` is O(log n).
 * `#slots` mirrors where each key sits in `#entries`, so that a key can be moved or removed without a search.
 */
export class DeadlineHeap {
  #entries: Entry[] = [];
  #slots = new Map<string, number>();

  get size(): number {
    return this.#entries.length;
  }

  /** When the earliest key is due; undefined when there is none. */
  get nextAt(): number | undefined {
    return this.#entries[0]?.at;
  }

  at(key: string): number | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#entries[slot]?.at;
  }

  /** Puts `key` at `at`, wherever it was before. */
  set(key: string, at: number): void {
    const slot = this.#slots.get(key);
    const entry = slot === undefined ? undefined : this.#entries[slot];
    if (slot === undefined || entry === undefined) {
      this.#entries.push({ key, at });
      this.#slots.set(key, this.#entries.length - 1);
      this.#rise(this.#entries.length - 1);
      return;
    }
    entry.at = at;
    this.#rise(slot);
    this.#sink(slot);
  }

  /** Takes the earliest key if it is due at `now`. */
  shiftDue(now: number): string | undefined {
    const first = this.#entries[0];
    if (first === undefined || first.at > now) return undefined;
    this.delete(first.key);
    return first.key;
  }

  delete(key: string): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    this.#slots.delete(key);
    const last = this.#entries.pop();
    if (last !== undefined && slot < this.#entries.length) {
      this.#place(slot, last);
      this.#rise(slot);
      this.#sink(slot);
    }
    return true;
  }

  clear(): void {
    this.#entries = [];
    this.#slots.clear();
  }

  #place(slot: number, entry: Entry): void {
    this.#entries[slot] = entry;
    this.#slots.set(entry.key, slot);
  }

  #rise(from: number): void {
    let slot = from;
    while (slot > 0) {
      const up = (slot - 1) >> 1;
      if (!this.#swapIfEarlier(slot, up)) return;
      slot = up;
    }
  }

  #sink(from: number): void {
    let slot = from;
    for (;;) {
      const left = 2 * slot + 1;
      const right = left + 1;
      const earliest = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(earliest, slot)) return;
      slot = earliest;
    }
  }

  #isEarlier(a: number, b: number): boolean {
    const [x, y] = [this.#entries[a], this.#entries[b]];
    return x !== undefined && y !== undefined && x.at < y.at;
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    const [x, y] = [this.#entries[child], this.#entries[parent]];
    if (x === undefined || y === undefined || x.at >= y.at) return false;
    this.#place(parent, x);
    this.#place(child, y);
    return true;
  }
}
