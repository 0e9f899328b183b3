/** The passage of time, handed in so that tests can own it. All durations and instants are milliseconds. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  monotonic(): number;
  /** Wall clock, milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `fn` once, no earlier than `ms` from now. */
  setTimer(fn: () => void, ms: number): Timer;
}

export interface Timer {
  cancel(): void;
}

/** A source of numbers in [0, 1). */
export type Random = () => number;

/** Node's own timers count to this, 24.8 days, and fire at once when asked for more. */
const LONGEST_MS = 2 ** 31 - 1;

export const realClock: Clock = {
  monotonic: () => performance.now(),
  now: () => Date.now(),
  setTimer(fn, ms) {
    let handle: NodeJS.Timeout;
    const set = (left: number) => {
      handle = left > LONGEST_MS ? setTimeout(() => set(left - LONGEST_MS), LONGEST_MS) : setTimeout(fn, left);
    };
    set(ms);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.setTimer(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
