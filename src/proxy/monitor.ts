import { type Clock, sleep, type Timer } from '../clock.ts';
import type { Logger } from '../observe/logger.ts';
import { type Drift, describeDrift } from './iptables/apply.ts';
import { canaryIsAlive, createCanaries } from './iptables/canary.ts';
import { type Iptables, IptablesError } from './iptables/runner.ts';

export interface MonitorOptions {
  iptables: Iptables;
  /** Milliseconds between looks (`syncPeriod`). */
  intervalMs: number;
  clock: Clock;
  log: Logger;
  /** Compares the kernel with what was applied and repairs it. `patient`: may give up when something more urgent comes. */
  check: (options: { patient: boolean }) => Promise<Drift | 'interrupted' | undefined>;
  /** Called after drift was repaired. */
  onDrift: (drift: Drift) => void;
  /** Called when all tables were flushed: write everything anew, at once. */
  onFlush: () => void;
}

/** How long to wait for whoever flushes to be done with all tables, as kube-proxy does. */
const FLUSH_POLL_MS = 100;
const FLUSH_TIMEOUT_MS = 5_000;

/** A full comparison may use at most this share of one CPU's time, so that it is rarer where tables are very large. */
const CHECK_SHARE = 0.02;

/** Checks that gave way to a sync, in a row, before one insists. */
const MAX_PATIENCE = 3;

/**
 * Looks at the kernel once an interval. The canary chain costs little and shows that all tables were flushed (firewalld does
 * that); a comparison of all our chains and jumps shows everything else, which kube-proxy does not notice.
 */
export class RuleMonitor {
  readonly #options: MonitorOptions;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #current: Promise<void> = Promise.resolve();
  #hasCanaries = false;
  #nextCheckAt = 0;
  #interrupted = 0;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#current;
  }

  #schedule(): void {
    const { clock, intervalMs } = this.#options;
    this.#timer = clock.setTimer(() => {
      this.#current = this.#look().finally(() => {
        if (!this.#stopping.signal.aborted) this.#schedule();
      });
    }, intervalMs);
  }

  async #look(): Promise<void> {
    const { log } = this.#options;
    try {
      if (this.#hasCanaries && (await this.#flushed())) {
        this.#hasCanaries = false;
        this.#options.onFlush();
        return;
      }
      if (!this.#hasCanaries) await this.#placeCanaries();
      await this.#check();
    } catch (error) {
      if (error instanceof IptablesError) {
        log.warn({ err: error }, 'could not look at the iptables rules; trying again later');
      } else log.error({ err: error }, 'the look at the iptables rules failed');
    }
  }

  async #placeCanaries(): Promise<void> {
    try {
      await createCanaries(this.#options.iptables);
      this.#hasCanaries = true;
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      this.#options.log.warn({ err: error }, 'could not create the canary chains; trying again later');
    }
  }

  /** True when the canary of one table is gone and those of the others have followed, or had time to. */
  async #flushed(): Promise<boolean> {
    const { iptables, clock, log } = this.#options;
    if ((await canaryIsAlive(iptables, 'mangle')) !== false) return false;
    const deadline = clock.monotonic() + FLUSH_TIMEOUT_MS;
    while ((await canaryIsAlive(iptables, 'nat')) !== false || (await canaryIsAlive(iptables, 'filter')) !== false) {
      if (clock.monotonic() >= deadline || this.#stopping.signal.aborted) {
        log.warn('the mangle table was flushed, but nat and filter were not');
        break;
      }
      await sleep(clock, FLUSH_POLL_MS, this.#stopping.signal);
    }
    log.warn('iptables tables were flushed; writing all rules anew');
    return true;
  }

  async #check(): Promise<void> {
    const { clock, check, onDrift, log, intervalMs } = this.#options;
    if (clock.monotonic() < this.#nextCheckAt) return;
    const start = clock.monotonic();
    const patient = this.#interrupted < MAX_PATIENCE;
    const result = await check({ patient });
    if (result === 'interrupted') {
      this.#interrupted++;
      return;
    }
    this.#interrupted = 0;
    const took = clock.monotonic() - start;
    this.#nextCheckAt = start + Math.max(intervalMs, took / CHECK_SHARE) - intervalMs / 2;
    if (!result) return;
    log.warn({ drift: describeDrift(result) }, 'iptables rules were not as written; repaired');
    onDrift(result);
  }
}
