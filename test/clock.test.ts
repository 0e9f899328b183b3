import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { realClock } from '../src/clock.ts';

const DAY = 86_400_000;

describe('a timer of the real clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits its time, also when that is longer than what Node counts to', () => {
    const calls: string[] = [];
    realClock.setTimer(() => calls.push('soon'), 1000);
    realClock.setTimer(() => calls.push('late'), 60 * DAY);
    realClock.setTimer(() => calls.push('never'), Number.POSITIVE_INFINITY);
    vi.advanceTimersByTime(60 * DAY - 1);
    expect(calls).toEqual(['soon']);
    vi.advanceTimersByTime(1);
    expect(calls).toEqual(['soon', 'late']);
  });

  it('can be cancelled at any time', () => {
    const calls: string[] = [];
    const timer = realClock.setTimer(() => calls.push('late'), 60 * DAY);
    vi.advanceTimersByTime(30 * DAY);
    timer.cancel();
    vi.advanceTimersByTime(60 * DAY);
    expect(calls).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
