import type { Clock, Timer } from '../clock.ts';
import type { ObjectKey } from '../objects/meta.ts';

/** A watch shows a write within milliseconds; one that is down comes back within half a minute. */
const PATIENCE_MS = 30_000;

export interface ConfirmationsOptions {
  clock: Clock;
  /** Whether the cache does not show our writes of this Service yet. */
  isStale: (service: ObjectKey) => boolean;
  onOverdue: (service: ObjectKey) => void;
}

/**
 * Sees to it that every write shows up in the cache in the end. A slice that is created and then deleted by somebody
 * while the watch is down leaves no trace for the list that follows, and so no event that would set a sync off.
 */
export class Confirmations {
  #options: ConfirmationsOptions;
  /** Service -> monotonic instant of its oldest write that is not confirmed. */
  #waiting = new Map<ObjectKey, number>();
  #timer: Timer | undefined;

  constructor(options: ConfirmationsOptions) {
    this.#options = options;
  }

  /** To be called after the writes of a sync. */
  wrote(service: ObjectKey): void {
    if (this.#waiting.has(service) || !this.#options.isStale(service)) return;
    this.#waiting.set(service, this.#options.clock.monotonic());
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  #arm(): void {
    this.#timer ??= this.#options.clock.setTimer(() => {
      this.#timer = undefined;
      this.#look();
    }, PATIENCE_MS);
  }

  #look(): void {
    const { clock, isStale, onOverdue } = this.#options;
    const due = clock.monotonic() - PATIENCE_MS;
    for (const [service, since] of this.#waiting) {
      const stale = isStale(service);
      if (stale && since > due) continue;
      this.#waiting.delete(service);
      if (stale) onOverdue(service);
    }
    if (this.#waiting.size > 0) this.#arm();
  }
}
