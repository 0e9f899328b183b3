import PQueue from 'p-queue';
import type { WorkQueue } from './queue.ts';

export interface RunnerOptions {
  queue: WorkQueue;
  /** Keys worked on at the same time. */
  concurrency: number;
  /** Does the work of one key. A rejection is a failure and is retried with backoff. */
  work: (key: string) => Promise<void>;
  /** Told of every failure, with the delay until the next attempt (ms), or undefined when the key is given up. */
  onFailure?: (failure: { key: string; error: unknown; failures: number; retryInMs: number | undefined }) => void;
  /** Failures in a row after which a key is given up until it is added again. Default: never. */
  maxRetries?: number;
  /** Milliseconds that this failure asks to wait at least, such as a server's `Retry-After`. */
  retryAfterMs?: (error: unknown) => number | undefined;
}

/**
 * Keys worked on before the event loop gets a turn. Work that never waits would otherwise keep everything else in the process waiting
 * until the queue is empty: answers to what it wrote, timers, a leader's lease.
 */
const KEYS_A_TURN = 32;

/**
 * Works the queue off, at most `concurrency` keys at a time. p-queue is the pool; a key is pulled only when it can
 * start at once, so that what waits stays in the work queue, where it is deduplicated and ordered.
 */
export class Runner {
  #options: RunnerOptions;
  #pool: PQueue;
  #pullSoon = false;
  /** Since the last turn. */
  #pulled = 0;

  constructor(options: RunnerOptions) {
    if (!Number.isInteger(options.concurrency) || options.concurrency < 1) {
      throw new RangeError(`concurrency must be a whole number of at least 1, but got ${options.concurrency}`);
    }
    this.#options = options;
    this.#pool = new PQueue({ concurrency: options.concurrency });
  }

  /**
   * Work never starts within the call that added its key: whoever adds may be in the middle of a change, and a burst of
   * changes is better seen whole.
   */
  start(): void {
    this.#options.queue.onReady(() => this.#soon());
  }

  /** Finishes the keys in work (and, with `finishReady`, those that are ready), then resolves. */
  async stop(options: { finishReady?: boolean } = {}): Promise<void> {
    this.#options.queue.shutDown({ dropReady: !options.finishReady });
    await this.#options.queue.drained();
    await this.#pool.onIdle();
  }

  #soon(): void {
    if (this.#pullSoon) return;
    this.#pullSoon = true;
    setImmediate(() => {
      this.#pullSoon = false;
      this.#pulled = 0;
      this.#pull();
    });
  }

  #pull(): void {
    const { queue, concurrency } = this.#options;
    while (this.#pool.pending + this.#pool.size < concurrency) {
      if (this.#pulled >= KEYS_A_TURN) {
        this.#soon();
        return;
      }
      const key = queue.take();
      if (key === undefined) return;
      this.#pulled++;
      void this.#pool.add(() => this.#run(key)).finally(() => this.#pull());
    }
  }

  /** Never rejects. */
  async #run(key: string): Promise<void> {
    const { queue, work } = this.#options;
    try {
      await work(key);
      queue.forget(key);
    } catch (error) {
      this.#failed(key, error);
    } finally {
      queue.done(key);
    }
  }

  #failed(key: string, error: unknown): void {
    const { queue, maxRetries = Number.POSITIVE_INFINITY, onFailure, retryAfterMs } = this.#options;
    const failures = queue.failures(key) + 1;
    let retryInMs: number | undefined;
    if (failures <= maxRetries) retryInMs = queue.addRateLimited(key, retryAfterMs?.(error));
    else queue.forget(key);
    onFailure?.({ key, error, failures, retryInMs });
  }
}
