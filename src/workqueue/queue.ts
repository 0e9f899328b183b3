import type { Clock, Timer } from '../clock.ts';
import { DeadlineHeap } from './heap.ts';
import type { WorkQueueHooks } from './hooks.ts';
import { type RateLimiter, RetryLimiter } from './rate-limit.ts';
import { type Priority, ReadyList } from './ready-list.ts';

export type { Priority } from './ready-list.ts';

export interface AddOptions {
  /** Milliseconds before the key becomes ready; 0 or less is at once. */
  delayMs?: number;
  /** Default `normal`. */
  priority?: Priority;
}

/**
 * Work to be done, named by keys. The queue remembers only *that* a key needs work, so that any number of changes to
 * one key while it waits cost one run.
 *
 * - A key is handed out to one taker at a time: between `take` and `done` it is not handed out again.
 * - A key added while being worked on becomes ready once `done` is called (or later, if its delay says so): a change
 *   never gets lost in a run that had already read the old state.
 * - Each key waits at most once. A delayed add of a waiting key only ever moves it earlier, so a batching window is
 *   anchored at its first event; an immediate add takes a waiting key out of its delay, for the run to come sees
 *   everything that the delayed one would have.
 * - Ready keys leave first in, first out; `low` ones only when there is no `normal` one (with an occasional turn so
 *   that they do not starve). A key keeps the highest priority it was added with until it is taken.
 * - After `shutDown` every add is ignored and nothing becomes ready any more; keys in work can still be finished.
 *
 * One timer serves all delays. Adding and taking are O(log n).
 */
export interface WorkQueue {
  add(key: string, options?: AddOptions): void;
  /** Adds `key` after the backoff its failures have earned, or after `atLeastMs` if longer; returns the delay. */
  addRateLimited(key: string, atLeastMs?: number): number;
  /** Ends the backoff of `key`; call it after a success. */
  forget(key: string): void;
  /** Rate-limited adds of `key` since it was last forgotten. */
  failures(key: string): number;
  /** The next ready key, or undefined. Whoever takes a key must call `done` with it, whatever happens. */
  take(): string | undefined;
  /** @throws RangeError when `key` is not being worked on. */
  done(key: string): void;
  /** Calls `listener` whenever `take` may have something to give that it had not before. One listener at a time. */
  onReady(listener: () => void): void;
  /** `dropReady`: also forget the keys that are ready but not taken. Delayed keys are always dropped. */
  shutDown(options?: { dropReady?: boolean }): void;
  /** Resolves when the queue is shut down and no key is ready or in work. */
  drained(): Promise<void>;
  stats(): WorkQueueStats;
}

/** Durations in milliseconds. */
export interface WorkQueueStats {
  ready: number;
  delayed: number;
  inWork: number;
  /** Time spent so far on all keys in work together. */
  unfinishedMs: number;
  longestRunningMs: number;
}

export interface WorkQueueOptions {
  clock: Clock;
  limiter?: RateLimiter;
  hooks?: WorkQueueHooks;
}

export class DelayingQueue implements WorkQueue {
  #clock: Clock;
  #limiter: RateLimiter;
  #hooks: WorkQueueHooks;
  #ready = new ReadyList();
  /** Priorities of keys that wait in `#delayed`, or behind a run in `#again`. Absent means normal. */
  #lowWaiting = new Set<string>();
  #delayed = new DeadlineHeap();
  /** Keys in work -> monotonic instant at which they were taken. */
  #inWork = new Map<string, number>();
  /** Keys in work that must run again. */
  #again = new Set<string>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #down = false;
  #listener: () => void = () => {};
  #drainWaiters: (() => void)[] = [];

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#limiter = options.limiter ?? new RetryLimiter(options.clock);
    this.#hooks = options.hooks ?? {};
  }

  add(key: string, options: AddOptions = {}): void {
    if (this.#down) return;
    const priority = options.priority ?? 'normal';
    const delayMs = options.delayMs ?? 0;
    if (!(delayMs > 0)) {
      this.#makeReady(key, this.#mergePriority(key, priority));
      return;
    }
    // Already ready, or sure to run again: sooner than any delay.
    if (this.#ready.has(key) || this.#again.has(key)) {
      this.#makeReady(key, this.#mergePriority(key, priority));
      return;
    }
    const merged = this.#mergePriority(key, priority);
    if (merged === 'low') this.#lowWaiting.add(key);
    else this.#lowWaiting.delete(key);
    const at = this.#clock.monotonic() + delayMs;
    const before = this.#delayed.at(key);
    if (before === undefined || at < before) this.#delayed.set(key, at);
    this.#arm();
  }

  addRateLimited(key: string, atLeastMs = 0): number {
    const delayMs = Math.max(this.#limiter.next(key), atLeastMs);
    this.#hooks.onRetry?.();
    this.add(key, { delayMs });
    return delayMs;
  }

  forget(key: string): void {
    this.#limiter.forget(key);
  }

  failures(key: string): number {
    return this.#limiter.failures(key);
  }

  take(): string | undefined {
    const entry = this.#ready.shift();
    if (entry === undefined) return undefined;
    const now = this.#clock.monotonic();
    this.#inWork.set(entry.key, now);
    this.#hooks.onDepth?.(this.#ready.size);
    this.#hooks.onTake?.(now - entry.since);
    return entry.key;
  }

  done(key: string): void {
    const since = this.#inWork.get(key);
    if (since === undefined) throw new RangeError(`done("${key}"): this key is not being worked on`);
    this.#inWork.delete(key);
    this.#hooks.onDone?.(this.#clock.monotonic() - since);
    if (this.#again.delete(key)) this.#makeReady(key, this.#takePriority(key));
    this.#settleDrain();
  }

  onReady(listener: () => void): void {
    this.#listener = listener;
    if (this.#ready.size > 0) listener();
  }

  shutDown(options: { dropReady?: boolean } = {}): void {
    this.#down = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delayed.clear();
    if (options.dropReady) {
      this.#ready.clear();
      this.#again.clear();
      this.#hooks.onDepth?.(0);
    }
    this.#settleDrain();
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#drainWaiters.push(resolve);
      this.#settleDrain();
    });
  }

  stats(): WorkQueueStats {
    const now = this.#clock.monotonic();
    let unfinishedMs = 0;
    let longestRunningMs = 0;
    for (const since of this.#inWork.values()) {
      unfinishedMs += now - since;
      longestRunningMs = Math.max(longestRunningMs, now - since);
    }
    return {
      ready: this.#ready.size,
      delayed: this.#delayed.size,
      inWork: this.#inWork.size,
      unfinishedMs,
      longestRunningMs,
    };
  }

  #makeReady(key: string, priority: Priority): void {
    this.#delayed.delete(key);
    if (this.#inWork.has(key)) {
      this.#again.add(key);
      if (priority === 'low') this.#lowWaiting.add(key);
      else this.#lowWaiting.delete(key);
      return;
    }
    this.#lowWaiting.delete(key);
    const before = this.#ready.size;
    this.#ready.push(key, priority, this.#clock.monotonic());
    if (this.#ready.size > before) {
      this.#hooks.onAdd?.();
      this.#hooks.onDepth?.(this.#ready.size);
    }
    this.#listener();
  }

  /** What `key` gets when added with `priority`: the higher of that and what it already waits with. */
  #mergePriority(key: string, priority: Priority): Priority {
    const waits = this.#delayed.at(key) !== undefined || this.#again.has(key);
    return waits && !this.#lowWaiting.has(key) ? 'normal' : priority;
  }

  #takePriority(key: string): Priority {
    return this.#lowWaiting.delete(key) ? 'low' : 'normal';
  }

  /** Keeps the one timer set to the earliest delayed key. */
  #arm(): void {
    const at = this.#delayed.nextAt;
    if (at === undefined || at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.setTimer(() => this.#promoteDue(), Math.max(0, at - this.#clock.monotonic()));
  }

  #promoteDue(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    for (let key = this.#delayed.shiftDue(now); key !== undefined; key = this.#delayed.shiftDue(now)) {
      this.#makeReady(key, this.#takePriority(key));
    }
    this.#arm();
  }

  #settleDrain(): void {
    if (!this.#down || this.#inWork.size > 0 || this.#ready.size > 0) return;
    for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }
}
