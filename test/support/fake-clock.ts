import type { Clock, Timer } from '../../src/clock.ts';

/** A clock that moves only when a test says so. */
export class FakeClock implements Clock {
  #elapsed = 0;
  #epoch: number;
  #nextId = 0;
  #timers = new Map<number, { at: number; fn: () => void }>();

  constructor(startsAt = Date.parse('2026-01-01T00:00:00Z')) {
    this.#epoch = startsAt;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  now(): number {
    return this.#epoch + this.#elapsed;
  }

  setTimer(fn: () => void, ms: number): Timer {
    const id = this.#nextId++;
    this.#timers.set(id, { at: this.#elapsed + Math.max(0, ms), fn });
    return { cancel: () => this.#timers.delete(id) };
  }

  /** Milliseconds until the next timer, or undefined when none is set. */
  get nextTimerIn(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#elapsed;
  }

  /** Moves time forward, firing timers in order and letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const target = this.#elapsed + ms;
    await settle();
    for (let next = this.#next(); next && next.at <= target; next = this.#next()) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      this.#timers.delete(next.id);
      next.fn();
      await settle();
    }
    this.#elapsed = target;
    await settle();
  }

  #next(): { id: number; at: number; fn: () => void } | undefined {
    let best: { id: number; at: number; fn: () => void } | undefined;
    for (const [id, timer] of this.#timers) if (!best || timer.at < best.at) best = { id, ...timer };
    return best;
  }
}

/** Lets every promise that is already resolvable run its continuations. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
