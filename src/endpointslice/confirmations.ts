import type { Clock, Timer } from '../clock.ts';
import type { ResourceHandler } from '../kube/handler.ts';
import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { ObjectKey } from '../objects/meta.ts';
import { serviceOfSlice } from './triggers.ts';

/** A watch shows a write within milliseconds; one that is down comes back within half a minute. */
const PATIENCE_MS = 30_000;

export interface ConfirmationsOptions {
  clock: Clock;
  /** Whether the cache does not show our writes of this Service yet. */
  isStale: (service: ObjectKey) => boolean;
  onOverdue: (service: ObjectKey) => void;
  /** The cache shows what a sync of this Service was held back for. */
  onShown: (service: ObjectKey) => void;
}

/**
 * Sees to it that every write shows up in the cache, and tells as soon as it does whoever had to wait for that: to be
 * attached to the slices after whatever updates the tracker. A slice that is created and then deleted by somebody while
 * the watch is down leaves no trace for the list that follows, and so no event that would set a sync off.
 */
export class Confirmations implements ResourceHandler<EndpointSlice> {
  #options: ConfirmationsOptions;
  /** Services with a sync that has to wait until the cache shows our writes. */
  #heldBack = new Set<ObjectKey>();
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

  /** A sync of this Service found the cache out of date. */
  holdBack(service: ObjectKey): void {
    this.#heldBack.add(service);
  }

  /** Nothing of this Service waits for the cache any more. */
  letGo(service: ObjectKey): void {
    this.#heldBack.delete(service);
  }

  /** Something was learned about the slices of this Service. */
  look(service: ObjectKey): void {
    if (!this.#heldBack.has(service) || this.#options.isStale(service)) return;
    this.#heldBack.delete(service);
    this.#options.onShown(service);
  }

  onAdd(slice: EndpointSlice): void {
    this.#saw(slice);
  }

  onUpdate(before: EndpointSlice, after: EndpointSlice): void {
    this.#saw(before);
    this.#saw(after);
  }

  onDelete(last: EndpointSlice): void {
    this.#saw(last);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#heldBack.clear();
  }

  #saw(slice: EndpointSlice): void {
    if (this.#heldBack.size === 0) return;
    const service = serviceOfSlice(slice);
    if (service !== undefined) this.look(service);
  }

  #arm(): void {
    this.#timer ??= this.#options.clock.setTimer(() => {
      this.#timer = undefined;
      this.#lookAtOverdue();
    }, PATIENCE_MS);
  }

  #lookAtOverdue(): void {
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
