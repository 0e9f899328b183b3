import type { Clock, Timer } from '../clock.ts';
import { TokenBucket } from './rate-limit.ts';

export interface FairLimiterOptions {
  clock: Clock;
  /** Turns a second, once the burst is used up. */
  perSecond: number;
  /** Turns that may be taken at once after a quiet time. */
  burst: number;
}

interface Waiter {
  since: number;
  grant: (waitedMs: number) => void;
  refuse: (reason: Error) => void;
}

/**
 * A token bucket whose tokens go round the keys that wait, one each: a key with a thousand things to do delays another by one turn, not by
 * a thousand. Within a key it is first come, first served.
 */
export class FairLimiter {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  /** In the order of their next turns. */
  readonly #waiting = new Map<string, Waiter[]>();
  #timer: Timer | undefined;
  #closed: Error | undefined;

  constructor({ clock, perSecond, burst }: FairLimiterOptions) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(clock, perSecond, burst);
  }

  /** Keys that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves when it is `key`'s turn, with the milliseconds that took. Rejects once the limiter is closed. */
  take(key: string): Promise<number> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((grant, refuse) => {
      const waiter = { since: this.#clock.monotonic(), grant, refuse };
      const others = this.#waiting.get(key);
      if (others) others.push(waiter);
      else this.#waiting.set(key, [waiter]);
      this.#serve();
    });
  }

  /** Refuses all who wait, and all who come later. */
  close(reason: Error): void {
    this.#closed = reason;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const waiters of this.#waiting.values()) for (const { refuse } of waiters) refuse(reason);
    this.#waiting.clear();
  }

  /** One token is reserved at a time; who gets it is decided when it is there. */
  #serve(): void {
    while (!this.#timer && this.#waiting.size > 0) {
      const waitMs = this.#bucket.reserve();
      if (waitMs <= 0) this.#grantNext();
      else {
        this.#timer = this.#clock.setTimer(() => {
          this.#timer = undefined;
          this.#grantNext();
          this.#serve();
        }, waitMs);
      }
    }
  }

  #grantNext(): void {
    const [next] = this.#waiting;
    if (!next) return;
    const [key, waiters] = next;
    const waiter = waiters.shift();
    this.#waiting.delete(key);
    // Back to the end of the round.
    if (waiters.length > 0) this.#waiting.set(key, waiters);
    waiter?.grant(this.#clock.monotonic() - waiter.since);
  }
}
