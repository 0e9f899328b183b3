/** `low` is for keys nobody is waiting for, such as those of an initial list. */
export type Priority = 'normal' | 'low';

interface Entry {
  key: string;
  /** Monotonic milliseconds. */
  since: number;
}

/** After this many `normal` keys in a row one `low` key gets a turn, so that a flood of changes cannot starve it. */
const NORMAL_RUN = 16;

/** Keys that may be taken now: first in, first out within a priority. Each key is held once. */
export class ReadyList {
  #lanes: Record<Priority, Lane> = { normal: new Lane(), low: new Lane() };
  #entries = new Map<string, { entry: Entry; priority: Priority }>();
  #normalRun = 0;

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** A key already held is only ever raised from `low` to `normal`; it keeps the age it has. */
  push(key: string, priority: Priority, now: number): void {
    const held = this.#entries.get(key);
    if (held !== undefined && (held.priority === 'normal' || priority === 'low')) return;
    const entry = { key, since: held?.entry.since ?? now };
    this.#entries.set(key, { entry, priority });
    this.#lanes[priority].push(entry);
  }

  shift(): Entry | undefined {
    const order: Priority[] = this.#normalRun >= NORMAL_RUN ? ['low', 'normal'] : ['normal', 'low'];
    for (const priority of order) {
      for (let entry = this.#lanes[priority].shift(); entry !== undefined; entry = this.#lanes[priority].shift()) {
        // A raised key leaves its old entry behind in the low lane; only the entry on record counts.
        if (this.#entries.get(entry.key)?.entry !== entry) continue;
        this.#entries.delete(entry.key);
        this.#normalRun = priority === 'normal' ? this.#normalRun + 1 : 0;
        return entry;
      }
    }
    return undefined;
  }

  clear(): void {
    this.#entries.clear();
    this.#lanes = { normal: new Lane(), low: new Lane() };
  }
}

/** A queue on an array: `#head` is the first live slot, and the dead front is cut off once it is half of the array. */
class Lane {
  #items: (Entry | undefined)[] = [];
  #head = 0;

  push(entry: Entry): void {
    this.#items.push(entry);
  }

  shift(): Entry | undefined {
    const entry = this.#items[this.#head];
    if (entry === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }
}
