import { type Clock, type Random, sleep } from '../../clock.ts';
import type { Logger } from '../../observe/logger.ts';
import { isApiError } from '../errors.ts';
import { decide, type Observation, released } from './decision.ts';
import { type Lease, type LeaseClient, sameRecord } from './lease.ts';
import { JITTER, type LeaderElectionOptions, validateLeaderElection } from './options.ts';

export interface LeaderCallbacks {
  /** Called once, when the Lease is ours. `lost` aborts at the moment from which nothing may be written any more. */
  onStartedLeading(lost: AbortSignal): void;
  /** Called for each holder that this replica sees, itself included. */
  onNewLeader?(identity: string): void;
}

export interface LeaderElectorDeps {
  leases: LeaseClient;
  clock: Clock;
  random: Random;
  logger: Logger;
}

/**
 * Takes part in one election with the semantics of client-go: whoever holds the Lease leads; a leader that could not renew for
 * the renew deadline stops, and only a lease duration after the record last changed does anybody else start. Both are measured
 * on each replica's own monotonic clock, so the lease duration must exceed the renew deadline by more than the clocks drift.
 */
export class LeaderElector {
  readonly #options: LeaderElectionOptions;
  readonly #deps: LeaderElectorDeps;
  readonly #callbacks: LeaderCallbacks;
  #seen: Observation | undefined;
  #announced: string | undefined;
  /** Monotonic milliseconds at which the last successful renewal was *sent*; -Infinity while not leading. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  /** @throws UserError when the durations cannot work together. */
  constructor(options: LeaderElectionOptions, callbacks: LeaderCallbacks, deps: LeaderElectorDeps) {
    validateLeaderElection(options);
    this.#options = options;
    this.#callbacks = callbacks;
    this.#deps = deps;
  }

  /** True while writes are allowed: the last renewal is younger than the renew deadline. Checked at each write. */
  get isLeader(): boolean {
    return this.#deps.clock.monotonic() - this.#renewedAt < this.#options.renewDeadlineMs;
  }

  /** Whom the Lease names, as last seen; `''` when nobody. */
  get holder(): string {
    return this.#seen?.lease.spec.holderIdentity ?? '';
  }

  /**
   * Waits for the Lease, leads, and returns when leadership is lost or `stop` aborts. `beforeRelease` runs after the `lost`
   * signal and before the Lease is handed back: let in-flight writes finish there.
   */
  async run(stop: AbortSignal, beforeRelease: () => Promise<void> = async () => {}): Promise<'lost' | 'stopped'> {
    if (!(await this.#acquire(stop))) return 'stopped';
    const lost = new AbortController();
    this.#callbacks.onStartedLeading(lost.signal);
    const reason = await this.#keepRenewing(stop);
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    lost.abort();
    if (reason === 'stopped') {
      await beforeRelease();
      if (this.#options.releaseOnCancel) await this.#release();
    }
    return reason;
  }

  async #acquire(stop: AbortSignal): Promise<boolean> {
    const { clock, random, logger } = this.#deps;
    while (!stop.aborted) {
      if (await this.#tryOnce(this.#options.renewDeadlineMs, stop)) {
        logger.info({ identity: this.#options.identity }, 'leader election: lease acquired');
        return true;
      }
      await sleep(clock, this.#options.retryPeriodMs * (1 + random() * JITTER), stop);
    }
    return false;
  }

  async #keepRenewing(stop: AbortSignal): Promise<'lost' | 'stopped'> {
    const { clock, logger } = this.#deps;
    for (;;) {
      await sleep(clock, this.#options.retryPeriodMs, stop);
      if (stop.aborted) return 'stopped';
      const left = this.#renewedAt + this.#options.renewDeadlineMs - clock.monotonic();
      if (left > 0) await this.#tryOnce(left, stop);
      if (stop.aborted) return 'stopped';
      const expired = !this.isLeader;
      const taken = this.holder !== '' && this.holder !== this.#options.identity;
      if (expired || taken) {
        logger.error({ holder: this.holder, expired }, 'leader election: lease lost');
        return 'lost';
      }
    }
  }

  /** One try to take or renew, given up after `limitMs`. True when the Lease is ours. */
  async #tryOnce(limitMs: number, stop: AbortSignal): Promise<boolean> {
    const { clock, logger } = this.#deps;
    const sentAt = clock.monotonic();
    const limit = new AbortController();
    const timer = clock.setTimer(() => limit.abort(new Error(`no answer within ${limitMs} ms`)), limitMs);
    const signal = AbortSignal.any([stop, limit.signal]);
    try {
      // A leader knows the record that it wrote: renewing it unread saves a request, and a conflict tells the rest.
      if (!this.#knowsRecord || !(await this.#write(sentAt, signal))) {
        await this.#observe(signal);
        return await this.#write(sentAt, signal);
      }
      return true;
    } catch (error) {
      if (!stop.aborted) logger.warn({ err: String(error) }, 'leader election: could not take or renew the lease');
      return false;
    } finally {
      timer.cancel();
    }
  }

  get #knowsRecord(): boolean {
    return this.#renewedAt > Number.NEGATIVE_INFINITY && this.holder === this.#options.identity;
  }

  /** False when somebody else holds the Lease, or was quicker to write it. */
  async #write(sentAt: number, signal: AbortSignal): Promise<boolean> {
    const { clock, leases } = this.#deps;
    const decision = decide(this.#seen, { monotonic: clock.monotonic(), now: clock.now() }, this.#options);
    if (decision.kind === 'wait') return false;
    try {
      const written =
        decision.kind === 'create'
          ? await leases.create(decision.spec, signal)
          : await leases.update(decision.current, decision.spec, signal);
      this.#see(written);
      this.#renewedAt = sentAt;
      return true;
    } catch (error) {
      const outrun =
        isApiError(error, 'CONFLICT') || isApiError(error, 'ALREADY_EXISTS') || isApiError(error, 'NOT_FOUND');
      if (outrun) return false;
      throw error;
    }
  }

  async #observe(signal: AbortSignal): Promise<void> {
    try {
      this.#see(await this.#deps.leases.get(signal));
    } catch (error) {
      if (!isApiError(error, 'NOT_FOUND')) throw error;
      this.#seen = undefined;
    }
  }

  #see(lease: Lease): void {
    const unchanged = this.#seen !== undefined && sameRecord(this.#seen.lease.spec, lease.spec);
    this.#seen = { lease, changedAt: unchanged && this.#seen ? this.#seen.changedAt : this.#deps.clock.monotonic() };
    const holder = lease.spec.holderIdentity ?? '';
    if (holder !== '' && holder !== this.#announced) {
      this.#announced = holder;
      this.#callbacks.onNewLeader?.(holder);
    }
  }

  async #release(): Promise<void> {
    const { clock, leases, logger } = this.#deps;
    if (!this.#seen || this.holder !== this.#options.identity) return;
    const limit = new AbortController();
    const timer = clock.setTimer(() => limit.abort(), this.#options.retryPeriodMs);
    try {
      await leases.update(this.#seen.lease, released(this.#seen.lease.spec, clock.now()), limit.signal);
      logger.info({}, 'leader election: lease released');
    } catch (error) {
      logger.warn({ err: String(error) }, 'leader election: could not release the lease; it will expire');
    } finally {
      timer.cancel();
    }
  }
}
