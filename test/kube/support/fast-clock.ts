import { type Clock, realClock } from '../../../src/clock.ts';

/** Real time, but `factor` times as fast: pauses of seconds pass in milliseconds, while real I/O goes on between them. */
export function fastClock(factor: number): Clock {
  return {
    monotonic: () => realClock.monotonic() * factor,
    now: () => realClock.now(),
    setTimer: (fn, ms) => realClock.setTimer(fn, ms / factor),
  };
}
