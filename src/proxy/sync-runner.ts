import type { Clock, Timer } from '../clock.ts';

export interface SyncRunnerOptions {
  /** Must not be called while it runs; a rejection counts as a failed run. */
  sync: () => Promise<void>;
  /** Milliseconds between the end of one run and the start of the next (`minSyncPeriod`). */
  minIntervalMs: number;
  /** Milliseconds after which a failed run is repeated without being asked for (`syncPeriod`). */
  retryIntervalMs: number;
  /** Milliseconds after which a run happens without being asked for. */
  maxIntervalMs: number;
  clock: Clock;
  onFailure: (error: unknown) => void;
}

/**
 * Runs a function when asked, but never twice at once and never more often than `minIntervalMs` allows. The first request after
 * a quiet time runs at once; requests during a run or in the pause after it are merged into one run at the end of the
 * pause. That is how kube-proxy 1.34 and later bounds its syncs.
 */
export class SyncRunner {
  readonly #options: SyncRunnerOptions;
  #state: 'stopped' | 'idle' | 'running' | 'pausing' = 'stopped';
  #requested = false;
  /** Ends the pause. */
  #pause: Timer | undefined;
  /** Starts a run that nobody asked for. */
  #next: Timer | undefined;
  #nextDueAt = 0;
  #current: Promise<void> = Promise.resolve();

  constructor(options: SyncRunnerOptions) {
    this.#options = options;
  }

  /** Lets requested runs happen; the first unasked one comes after `maxIntervalMs`. */
  start(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'idle';
    this.#schedule(this.#options.maxIntervalMs);
    if (this.#requested) this.#run();
  }

  request(): void {
    this.#requested = true;
    if (this.#state === 'idle') this.#run();
  }

  /** As `request`, but does not wait for the end of a pause; after a run that is under way. */
  requestNow(): void {
    if (this.#state === 'pausing') {
      this.#pause?.cancel();
      this.#state = 'idle';
    }
    this.request();
  }

  /** No run starts any more. Resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#pause?.cancel();
    this.#next?.cancel();
    await this.#current;
  }

  #run(): void {
    this.#state = 'running';
    this.#requested = false;
    this.#next?.cancel();
    this.#current = this.#runOnce();
  }

  async #runOnce(): Promise<void> {
    const { sync, onFailure, minIntervalMs, retryIntervalMs, maxIntervalMs, clock } = this.#options;
    let failed = false;
    try {
      await sync();
    } catch (error) {
      failed = true;
      onFailure(error);
    }
    // `stop` may have been called meanwhile.
    if (this.#state !== 'running') return;
    this.#schedule(failed ? Math.min(retryIntervalMs, maxIntervalMs) : maxIntervalMs);
    this.#state = 'pausing';
    this.#pause = clock.setTimer(() => {
      this.#state = 'idle';
      if (this.#requested || clock.monotonic() >= this.#nextDueAt) this.#run();
    }, minIntervalMs);
  }

  #schedule(ms: number): void {
    const { clock } = this.#options;
    this.#next?.cancel();
    this.#nextDueAt = clock.monotonic() + ms;
    this.#next = clock.setTimer(() => {
      // While pausing, the end of the pause sees that the time has come.
      if (this.#state === 'idle') this.#run();
    }, ms);
  }
}
