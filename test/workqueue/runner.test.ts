import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { WorkQueueMetrics } from '../../src/workqueue/metrics.ts';
import { DelayingQueue } from '../../src/workqueue/queue.ts';
import { Runner, type RunnerOptions } from '../../src/workqueue/runner.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

/** Work that ends only when the test says so. */
class Gates {
  started: string[] = [];
  #open = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();

  work = (key: string): Promise<void> => {
    this.started.push(key);
    return new Promise((resolve, reject) => this.#open.set(key, { resolve, reject }));
  };

  async finish(key: string): Promise<void> {
    this.#open.get(key)?.resolve();
    await settle();
  }

  async fail(key: string, message = 'no'): Promise<void> {
    this.#open.get(key)?.reject(new Error(message));
    await settle();
  }
}

function setUp(options: Partial<RunnerOptions> = {}) {
  const clock = new FakeClock();
  const queue = new DelayingQueue({ clock });
  const gates = new Gates();
  const runner = new Runner({ queue, concurrency: 2, work: gates.work, ...options });
  return { clock, queue, gates, runner };
}

describe('the runner', () => {
  it('works on at most `concurrency` keys and leaves the rest in the queue', async () => {
    const { queue, gates, runner } = setUp();
    runner.start();
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await settle();
    expect(gates.started).toEqual(['a', 'b']);
    expect(queue.stats()).toMatchObject({ inWork: 2, ready: 2 });
    await gates.finish('b');
    expect(gates.started).toEqual(['a', 'b', 'c']);
    await gates.finish('a');
    expect(gates.started).toEqual(['a', 'b', 'c', 'd']);
  });

  it('never starts work within the call that added the key', async () => {
    const { queue, gates, runner } = setUp();
    runner.start();
    queue.add('a');
    expect(gates.started).toEqual([]);
    await settle();
    expect(gates.started).toEqual(['a']);
  });

  it('gives the event loop a turn now and then, though no work ever waits', async () => {
    let done = 0;
    const { queue, runner } = setUp({
      work: async () => {
        done++;
      },
    });
    for (let i = 0; i < 1000; i++) queue.add(`key-${i}`);
    runner.start();
    const atEachTurn: number[] = [];
    while (done < 1000) {
      await new Promise((resolve) => setImmediate(resolve));
      atEachTurn.push(done);
    }
    expect(Math.max(...atEachTurn.map((n, i) => n - (atEachTurn[i - 1] ?? 0)))).toBeLessThanOrEqual(64);
  });

  it('takes up keys that were ready before it started', async () => {
    const { queue, gates, runner } = setUp();
    queue.add('a');
    runner.start();
    await settle();
    expect(gates.started).toEqual(['a']);
  });

  it('retries a failed key with backoff and reports each failure', async () => {
    const failures: unknown[] = [];
    const { queue, clock, gates, runner } = setUp({
      onFailure: ({ key, error, failures: n, retryInMs }) =>
        failures.push([key, (error as Error).message, n, retryInMs]),
    });
    runner.start();
    queue.add('a');
    await settle();
    await gates.fail('a', 'first');
    await clock.advance(999);
    expect(gates.started).toEqual(['a']);
    await clock.advance(1);
    expect(gates.started).toEqual(['a', 'a']);
    await gates.fail('a', 'second');
    expect(failures).toEqual([
      ['a', 'first', 1, 1000],
      ['a', 'second', 2, 2000],
    ]);
  });

  it('starts over at 1 s after a success', async () => {
    const { queue, clock, gates, runner } = setUp();
    runner.start();
    queue.add('a');
    await settle();
    await gates.fail('a');
    await clock.advance(1000);
    await gates.finish('a');
    expect(queue.failures('a')).toBe(0);
  });

  it('never gives up unless told how often to retry', async () => {
    const { queue, clock, gates, runner } = setUp();
    runner.start();
    queue.add('a');
    await settle();
    for (let i = 0; i < 30; i++) {
      await gates.fail('a');
      await clock.advance(1_000_000);
    }
    expect(gates.started).toHaveLength(31);
  });

  it('gives a key up after `maxRetries` and starts afresh with the next change', async () => {
    const retries: (number | undefined)[] = [];
    const { queue, clock, gates, runner } = setUp({
      maxRetries: 2,
      onFailure: ({ retryInMs }) => retries.push(retryInMs),
    });
    runner.start();
    queue.add('a');
    await settle();
    for (let i = 0; i < 3; i++) {
      await gates.fail('a');
      await clock.advance(10_000);
    }
    expect(retries).toEqual([1000, 2000, undefined]);
    expect(gates.started).toHaveLength(3);
    queue.add('a');
    await settle();
    await gates.fail('a');
    expect(retries.at(-1)).toBe(1000);
  });

  it('waits as long as the failure asks for', async () => {
    const { queue, clock, gates, runner } = setUp({ retryAfterMs: () => 7000 });
    runner.start();
    queue.add('a');
    await settle();
    await gates.fail('a');
    await clock.advance(6999);
    expect(gates.started).toHaveLength(1);
    await clock.advance(1);
    expect(gates.started).toHaveLength(2);
  });

  it('stops when the keys in work are finished, and starts nothing new', async () => {
    const { queue, gates, runner } = setUp();
    runner.start();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settle();
    let stopped = false;
    void runner.stop().then(() => {
      stopped = true;
    });
    await gates.finish('a');
    expect(stopped).toBe(false);
    await gates.finish('b');
    expect(stopped).toBe(true);
    expect(gates.started).toEqual(['a', 'b']);
  });

  it('can finish everything ready before it stops', async () => {
    const { queue, gates, runner } = setUp();
    runner.start();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settle();
    const stopped = runner.stop({ finishReady: true });
    for (const key of ['a', 'b', 'c']) await gates.finish(key);
    await stopped;
    expect(gates.started).toEqual(['a', 'b', 'c']);
  });

  it('refuses a concurrency below one', () => {
    expect(() => setUp({ concurrency: 0 })).toThrow('concurrency must be a whole number of at least 1, but got 0');
  });
});

describe('the metrics of a queue', () => {
  it('appear under the names that dashboards know', async () => {
    const clock = new FakeClock();
    const registry = new Registry();
    const metrics = new WorkQueueMetrics(registry);
    const queue = new DelayingQueue({ clock, hooks: metrics.hooks('endpoint_slice') });
    metrics.watch('endpoint_slice', () => queue.stats());
    queue.add('a');
    queue.add('b');
    await clock.advance(2000);
    queue.take();
    await clock.advance(3000);
    queue.addRateLimited('c');
    const page = await registry.metrics();
    expect(page).toContain('workqueue_depth{name="endpoint_slice"} 1');
    expect(page).toContain('workqueue_adds_total{name="endpoint_slice"} 2');
    expect(page).toContain('workqueue_retries_total{name="endpoint_slice"} 1');
    expect(page).toContain('workqueue_queue_duration_seconds_sum{name="endpoint_slice"} 2');
    expect(page).toContain('workqueue_unfinished_work_seconds{name="endpoint_slice"} 3');
    expect(page).toContain('workqueue_longest_running_processor_seconds{name="endpoint_slice"} 3');
    expect(page).toContain('# HELP workqueue_depth [BETA] Current depth of workqueue');
    expect(page).toContain(
      'workqueue_queue_duration_seconds_bucket{le="0.000009999999999999999",name="endpoint_slice"} 0',
    );
  });
});
