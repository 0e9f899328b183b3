import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';

/** Upstream waits this long before every sync that a change of a slice set off. Milliseconds. */
export const MIN_REPAIR_INTERVAL = 1000;

export interface RepairDelayOptions {
  clock: Clock;
  batchPeriodMs: number;
  /** The first repair of a Service needs not wait. */
  atOnce: boolean;
}

/**
 * How long to wait before a slice changed by others is put right: not at all, unless the same Service had that within
 * the last second. So a slip is mended at once, and two controllers that quarrel over a slice do so at a bearable pace.
 */
export class RepairDelay {
  #options: RepairDelayOptions;
  /** Service -> when its last repair was or will be. Loss of an entry means one repair too early, no more. */
  #last = new LRUCache<string, number>({ max: 4096 });

  constructor(options: RepairDelayOptions) {
    this.#options = options;
  }

  /** Milliseconds. */
  next(service: string): number {
    const { clock, batchPeriodMs, atOnce } = this.#options;
    if (!atOnce) return Math.max(MIN_REPAIR_INTERVAL, batchPeriodMs);
    const now = clock.monotonic();
    const last = this.#last.get(service) ?? Number.NEGATIVE_INFINITY;
    // The repair that is still to come will see this change too.
    if (last > now) return last - now;
    const at = Math.max(now, last + MIN_REPAIR_INTERVAL);
    this.#last.set(service, at);
    return at - now;
  }
}
