import type { Clock } from '../clock.ts';
import type { ObjectKey } from '../objects/meta.ts';

/** Longer than any leader is missed before another takes over. Milliseconds. */
const WINDOW_MS = 60_000;

/**
 * What changed lately while this process only watched: when it takes over, that is what the leader before may not have got round to, and
 * goes first. Remembers for one to two windows; a key costs a place in a set.
 */
export class RecentChanges {
  readonly #clock: Clock;
  #current = new Set<ObjectKey>();
  #before = new Set<ObjectKey>();
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  note(service: ObjectKey): void {
    this.#forgetOld();
    this.#current.add(service);
  }

  /** Forgets them. */
  take(): Set<ObjectKey> {
    this.#forgetOld();
    const all = this.#before.union(this.#current);
    this.#before = new Set();
    this.#current = new Set();
    return all;
  }

  #forgetOld(): void {
    const now = this.#clock.monotonic();
    const age = now - this.#since;
    if (age < WINDOW_MS) return;
    this.#before = age < 2 * WINDOW_MS ? this.#current : new Set();
    this.#current = new Set();
    this.#since = now;
  }
}
