import type { Clock } from '../clock.ts';

/** How long a failed key has to wait. */
export interface RateLimiter {
  /** Milliseconds until `key` may run again; counts one more failure of it. */
  next(key: string): number;
  /** Failures of `key` since it was last forgotten. */
  failures(key: string): number;
  forget(key: string): void;
}

export interface RetryLimits {
  /** Wait after the first failure of a key; doubles with each further one. Milliseconds. */
  baseMs: number;
  maxMs: number;
  /** Retries a second over all keys, once the burst is used up. */
  perSecond: number;
  burst: number;
}

/** The limits of Kubernetes' own EndpointSlice controller. */
export const DEFAULT_RETRY_LIMITS: RetryLimits = { baseMs: 1000, maxMs: 1_000_000, perSecond: 10, burst: 100 };

/** Exponential backoff for each key, and one token bucket for all of them together; the longer of the two waits holds. */
export class RetryLimiter implements RateLimiter {
  #limits: RetryLimits;
  #bucket: TokenBucket;
  #failures = new Map<string, number>();

  constructor(clock: Clock, limits: RetryLimits = DEFAULT_RETRY_LIMITS) {
    this.#limits = limits;
    this.#bucket = new TokenBucket(clock, limits.perSecond, limits.burst);
  }

  next(key: string): number {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    const backoff = Math.min(this.#limits.baseMs * 2 ** failures, this.#limits.maxMs);
    return Math.max(backoff, this.#bucket.reserve());
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}

/** Tokens drip in at a steady rate up to `burst`. A reservation always succeeds; taken in debt, it has to wait. */
export class TokenBucket {
  #clock: Clock;
  #perSecond: number;
  #burst: number;
  #tokens: number;
  #asOf: number;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#asOf = clock.monotonic();
  }

  /** Takes one token and tells how many milliseconds to wait until it is really there. */
  reserve(): number {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#asOf) * this.#perSecond) / 1000) - 1;
    this.#asOf = now;
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1000) / this.#perSecond;
  }
}
