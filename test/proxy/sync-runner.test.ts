import { describe, expect, test } from 'vitest';
import { SyncRunner } from '../../src/proxy/sync-runner.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

function setUp() {
  const clock = new FakeClock();
  /** When each run started, and how to end it. */
  const starts: number[] = [];
  const failures: unknown[] = [];
  let end: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const instant = { on: true };
  const runner = new SyncRunner({
    clock,
    minIntervalMs: 1_000,
    retryIntervalMs: 30_000,
    maxIntervalMs: 3_600_000,
    onFailure: (error) => failures.push(error),
    sync: () => {
      starts.push(clock.monotonic());
      if (instant.on) return Promise.resolve();
      return new Promise((resolve, reject) => {
        end = { resolve, reject };
      });
    },
  });
  return {
    clock,
    runner,
    starts,
    failures,
    instant,
    finish: () => end?.resolve(),
    fail: () => end?.reject(new Error('no')),
  };
}

describe('the sync runner', () => {
  test('runs the first request after a quiet time at once', async () => {
    const { runner, starts, clock } = setUp();
    runner.start();
    await clock.advance(5_000);
    runner.request();
    expect(starts).toEqual([5_000]);
    await runner.stop();
  });

  test('a request before the start runs at the start', async () => {
    const { runner, starts } = setUp();
    runner.request();
    expect(starts).toEqual([]);
    runner.start();
    expect(starts).toEqual([0]);
    await runner.stop();
  });

  test('merges requests in the pause into one run at its end', async () => {
    const { runner, starts, clock } = setUp();
    runner.start();
    runner.request();
    await clock.advance(100);
    for (let i = 0; i < 50; i++) runner.request();
    await clock.advance(5_000);
    expect(starts).toEqual([0, 1_000]);
    await runner.stop();
  });

  test('counts the pause from the end of a run, and never runs twice at once', async () => {
    const { runner, starts, clock, instant, finish } = setUp();
    instant.on = false;
    runner.start();
    runner.request();
    await clock.advance(4_000);
    runner.request();
    expect(starts).toEqual([0]);
    finish();
    await settle();
    await clock.advance(999);
    expect(starts).toEqual([0]);
    await clock.advance(1);
    expect(starts).toEqual([0, 5_000]);
    finish();
    await runner.stop();
  });

  test('repeats a failed run after the retry interval, or earlier when asked', async () => {
    const { runner, starts, clock, instant, fail, failures } = setUp();
    instant.on = false;
    runner.start();
    runner.request();
    fail();
    await settle();
    instant.on = true;
    await clock.advance(29_999);
    expect(starts).toEqual([0]);
    await clock.advance(1);
    expect(starts).toEqual([0, 30_000]);
    expect(failures).toHaveLength(1);
    instant.on = false;
    await clock.advance(10_000);
    runner.request();
    fail();
    await settle();
    runner.request();
    await clock.advance(1_000);
    expect(starts).toEqual([0, 30_000, 40_000, 41_000]);
    fail();
    await runner.stop();
  });

  test('runs unasked after the longest interval', async () => {
    const { runner, starts, clock } = setUp();
    runner.start();
    runner.request();
    await clock.advance(3_600_000);
    expect(starts).toEqual([0, 3_600_000]);
    await runner.stop();
  });

  test('an urgent request does not wait for the end of the pause', async () => {
    const { runner, starts, clock } = setUp();
    runner.start();
    runner.request();
    await clock.advance(10);
    runner.requestNow();
    expect(starts).toEqual([0, 10]);
    await runner.stop();
  });

  test('stop waits for the run under way and starts no other', async () => {
    const { runner, starts, clock, instant, finish } = setUp();
    instant.on = false;
    runner.start();
    runner.request();
    runner.request();
    let stopped = false;
    const stopping = runner.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    finish();
    await stopping;
    await clock.advance(3_600_000);
    expect(starts).toEqual([0]);
    expect(clock.nextTimerIn).toBeUndefined();
  });
});
