import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DelayingQueue, type WorkQueue } from '../../src/workqueue/queue.ts';
import { FakeClock } from '../support/fake-clock.ts';

function setUp(): { queue: WorkQueue; clock: FakeClock } {
  const clock = new FakeClock();
  return { queue: new DelayingQueue({ clock }), clock };
}

/** Takes all that is ready and finishes it at once. */
function takeAll(queue: WorkQueue): string[] {
  const keys: string[] = [];
  for (let key = queue.take(); key !== undefined; key = queue.take()) {
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

describe('the work queue', () => {
  it('hands out a key once, however often it was added', () => {
    const { queue } = setUp();
    for (let i = 0; i < 5; i++) queue.add('a');
    queue.add('b');
    expect(takeAll(queue)).toEqual(['a', 'b']);
  });

  it('does not hand out a key that is being worked on', () => {
    const { queue } = setUp();
    queue.add('a');
    expect(queue.take()).toBe('a');
    queue.add('a');
    expect(queue.take()).toBeUndefined();
  });

  it('runs a key again afterwards when it was added during its run, and only once', () => {
    const { queue } = setUp();
    queue.add('a');
    queue.take();
    queue.add('a');
    queue.add('a');
    queue.done('a');
    expect(takeAll(queue)).toEqual(['a']);
    expect(takeAll(queue)).toEqual([]);
  });

  it('refuses done for a key that nobody took', () => {
    const { queue } = setUp();
    expect(() => queue.done('a')).toThrow('done("a"): this key is not being worked on');
  });

  it('holds a delayed key back until its time', async () => {
    const { queue, clock } = setUp();
    queue.add('a', { delayMs: 100 });
    await clock.advance(99);
    expect(queue.take()).toBeUndefined();
    await clock.advance(1);
    expect(queue.take()).toBe('a');
  });

  it('takes a delay of zero or less as no delay', () => {
    const { queue } = setUp();
    queue.add('a', { delayMs: 0 });
    queue.add('b', { delayMs: -5 });
    expect(takeAll(queue)).toEqual(['a', 'b']);
  });

  it('anchors a batching window at its first event: later delayed adds do not push it back', async () => {
    const { queue, clock } = setUp();
    queue.add('a', { delayMs: 100 });
    await clock.advance(60);
    queue.add('a', { delayMs: 100 });
    await clock.advance(40);
    expect(takeAll(queue)).toEqual(['a']);
    await clock.advance(1000);
    expect(takeAll(queue)).toEqual([]);
  });

  it('moves a delayed key earlier when a shorter delay is asked for', async () => {
    const { queue, clock } = setUp();
    queue.add('a', { delayMs: 1000 });
    queue.add('a', { delayMs: 10 });
    await clock.advance(10);
    expect(queue.take()).toBe('a');
  });

  it('lets an immediate add pass a waiting delayed one, which is then spent', async () => {
    const { queue, clock } = setUp();
    queue.add('a', { delayMs: 1000 });
    queue.add('a');
    expect(takeAll(queue)).toEqual(['a']);
    await clock.advance(5000);
    expect(takeAll(queue)).toEqual([]);
  });

  it('keeps a delayed add made during a run for its time, not for the end of the run', async () => {
    const { queue, clock } = setUp();
    queue.add('a');
    queue.take();
    queue.add('a', { delayMs: 100 });
    queue.done('a');
    expect(queue.take()).toBeUndefined();
    await clock.advance(100);
    expect(queue.take()).toBe('a');
  });

  it('runs a key again when its delay ran out during a run', async () => {
    const { queue, clock } = setUp();
    queue.add('a');
    queue.take();
    queue.add('a', { delayMs: 100 });
    await clock.advance(200);
    expect(queue.take()).toBeUndefined();
    queue.done('a');
    expect(takeAll(queue)).toEqual(['a']);
  });

  it('needs one timer for any number of delayed keys', () => {
    const clock = new FakeClock();
    let live = 0;
    const queue = new DelayingQueue({
      clock: {
        monotonic: () => clock.monotonic(),
        now: () => clock.now(),
        setTimer(fn, ms) {
          live++;
          const timer = clock.setTimer(fn, ms);
          return {
            cancel() {
              live--;
              timer.cancel();
            },
          };
        },
      },
    });
    for (let i = 1000; i > 0; i--) queue.add(`k${i}`, { delayMs: i });
    expect(live).toBe(1);
  });

  it('lets real changes pass the keys of an initial list', () => {
    const { queue } = setUp();
    queue.add('listed-1', { priority: 'low' });
    queue.add('listed-2', { priority: 'low' });
    queue.add('changed');
    expect(takeAll(queue)).toEqual(['changed', 'listed-1', 'listed-2']);
  });

  it('raises a low key that really changes, and never lowers one', () => {
    const { queue } = setUp();
    queue.add('a', { priority: 'low' });
    queue.add('b', { priority: 'low' });
    queue.add('c');
    queue.add('b');
    queue.add('c', { priority: 'low' });
    expect(takeAll(queue)).toEqual(['c', 'b', 'a']);
  });

  it('keeps the priority of a delayed key when a low immediate add passes it', () => {
    const { queue } = setUp();
    queue.add('x', { priority: 'low' });
    queue.add('a', { delayMs: 50 });
    queue.add('a', { priority: 'low' });
    expect(takeAll(queue)).toEqual(['a', 'x']);
  });

  it('does not starve low keys under a flood of changes', () => {
    const { queue } = setUp();
    queue.add('low', { priority: 'low' });
    for (let i = 0; i < 100; i++) queue.add(`k${i}`);
    const order = takeAll(queue);
    expect(order).toHaveLength(101);
    expect(order.indexOf('low')).toBeLessThan(20);
  });

  it('backs a failing key off from 1 s, doubling, up to 1000 s, until it is forgotten', () => {
    const { queue } = setUp();
    const delays = Array.from({ length: 12 }, () => queue.addRateLimited('a') / 1000);
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]);
    expect(queue.failures('a')).toBe(12);
    expect(queue.addRateLimited('b')).toBe(1000);
    queue.forget('a');
    expect(queue.failures('a')).toBe(0);
    expect(queue.addRateLimited('a')).toBe(1000);
  });

  it('limits retries of all keys together to 10 a second after a burst of 100', () => {
    const { queue } = setUp();
    const delays = Array.from({ length: 130 }, (_, i) => queue.addRateLimited(`k${i}`));
    expect(delays.slice(0, 110).every((d) => d === 1000)).toBe(true);
    expect(delays[110]).toBe(1100);
    expect(delays[129]).toBe(3000);
  });

  it('waits at least as long as the caller asks', () => {
    const { queue } = setUp();
    expect(queue.addRateLimited('a', 5000)).toBe(5000);
    expect(queue.addRateLimited('a', 500)).toBe(2000);
  });

  it('calls the listener when a key becomes ready, also by time or by done', async () => {
    const { queue, clock } = setUp();
    let calls = 0;
    queue.onReady(() => calls++);
    queue.add('a');
    expect(calls).toBe(1);
    queue.take();
    queue.add('a');
    queue.add('b', { delayMs: 10 });
    expect(calls).toBe(1);
    queue.done('a');
    expect(calls).toBe(2);
    await clock.advance(10);
    expect(calls).toBe(3);
  });

  it('drains: refuses new keys, drops delayed ones, and is drained when the last ready key is done', async () => {
    const { queue, clock } = setUp();
    queue.add('a');
    queue.add('b');
    queue.add('later', { delayMs: 10 });
    queue.take();
    queue.add('a');
    queue.shutDown();
    queue.add('new');
    let drained = false;
    void queue.drained().then(() => {
      drained = true;
    });
    await clock.advance(100);
    queue.done('a');
    expect(takeAll(queue)).toEqual(['b', 'a']);
    await clock.advance(0);
    expect(drained).toBe(true);
    expect(clock.nextTimerIn).toBeUndefined();
  });

  it('can drop what is ready and wait only for what is in work', async () => {
    const { queue } = setUp();
    queue.add('a');
    queue.add('b');
    queue.take();
    queue.shutDown({ dropReady: true });
    expect(queue.take()).toBeUndefined();
    queue.done('a');
    await queue.drained();
  });

  it('reports what waits and how long work has been going on', async () => {
    const { queue, clock } = setUp();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    queue.add('d', { delayMs: 1000 });
    queue.take();
    await clock.advance(30);
    queue.take();
    await clock.advance(20);
    expect(queue.stats()).toEqual({ ready: 1, delayed: 1, inWork: 2, unfinishedMs: 70, longestRunningMs: 50 });
  });

  it('tells its hooks what happens, with durations', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    const queue = new DelayingQueue({
      clock,
      hooks: {
        onAdd: () => seen.push('add'),
        onDepth: (n) => seen.push(`depth ${n}`),
        onTake: (ms) => seen.push(`waited ${ms}`),
        onDone: (ms) => seen.push(`worked ${ms}`),
        onRetry: () => seen.push('retry'),
      },
    });
    queue.add('a');
    queue.add('a');
    await clock.advance(5);
    queue.take();
    await clock.advance(7);
    queue.addRateLimited('a');
    queue.done('a');
    expect(seen).toEqual(['add', 'depth 1', 'depth 0', 'waited 5', 'retry', 'worked 7']);
  });

  it('never loses a change and never hands a key out twice, whatever the sequence', async () => {
    const operation = fc.oneof(
      fc.record({ op: fc.constant('add' as const), key: fc.nat(4), delayMs: fc.nat(50), low: fc.boolean() }),
      fc.record({ op: fc.constant('take' as const) }),
      fc.record({ op: fc.constant('done' as const), key: fc.nat(4) }),
      fc.record({ op: fc.constant('tick' as const), ms: fc.nat(30) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 80 }), async (operations) => {
        const { queue, clock } = setUp();
        const inWork = new Set<string>();
        /** Keys with a change that no run started after it has seen. */
        const unseen = new Set<string>();
        for (const operation of operations) {
          if (operation.op === 'add') {
            const key = `k${operation.key}`;
            queue.add(key, { delayMs: operation.delayMs, priority: operation.low ? 'low' : 'normal' });
            unseen.add(key);
          } else if (operation.op === 'take') {
            const key = queue.take();
            if (key === undefined) continue;
            expect(inWork.has(key)).toBe(false);
            inWork.add(key);
            unseen.delete(key);
          } else if (operation.op === 'done') {
            const key = `k${operation.key}`;
            if (inWork.delete(key)) queue.done(key);
          } else await clock.advance(operation.ms);
        }
        for (const key of inWork) queue.done(key);
        await clock.advance(50);
        for (const key of takeAll(queue)) unseen.delete(key);
        expect([...unseen]).toEqual([]);
        expect(queue.stats()).toMatchObject({ ready: 0, delayed: 0, inWork: 0 });
      }),
      { numRuns: 60 },
    );
  });
});
