import { type Clock, type Random, sleep } from '../../clock.ts';
import type { Logger } from '../../observe/logger.ts';
import { isApiError } from '../errors.ts';
import { missingGrant } from '../forbidden.ts';
import { unlessAborted } from '../time-limit.ts';
import { messageOf } from '../values.ts';
import { decide, type Observation, released } from './decision.ts';
import { type Lease, type LeaseClient, sameRecord } from './lease.ts';
import { type LeaderElectionOptions, SHORTEST_PAUSE, validateLeaderElection } from './options.ts';

export interface LeaderCallbacks {
  /** Called once, when the Lease is ours. `lost` aborts at the moment from which nothing may be written any more. */
  onStartedLeading(lost: AbortSignal): void;
  /** Called for each holder that this replica sees, itself included. */
  onNewLeader?(identity: string): void;
  /** Called when leadership ends, by loss or by a stop; no more than once, and only after `onStartedLeading`. */
  onStoppedLeading?(): void;
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
 * Wall clocks only fill the times in the record, for people. (A monotonic clock stands still while a machine is suspended; a leader
 * that wakes from that may write until it next looks at the Lease, here as with client-go.)
 *
 * Other than client-go, a waiting replica looks at least once in a retry period, and again at the very moment at which the record
 * expires: a dead leader is followed within lease duration plus retry period of its death.
 */
export class LeaderElector {
  readonly #options: LeaderElectionOptions;
  readonly #deps: LeaderElectorDeps;
  readonly #callbacks: LeaderCallbacks;
  #seen: Observation | undefined;
  #announced: string | undefined;
  /** What the last try failed with; undefined when it did not. */
  #trouble: string | undefined;
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

  /** As last seen at the server, or written. */
  get lease(): Lease | undefined {
    return this.#seen?.lease;
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
    this.#callbacks.onStoppedLeading?.();
    if (reason === 'stopped') {
      await beforeRelease();
      if (this.#options.releaseOnCancel) await this.#release();
    }
    return reason;
  }

  async #acquire(stop: AbortSignal): Promise<boolean> {
    const { clock, random, logger } = this.#deps;
    const { renewDeadlineMs, retryPeriodMs, identity } = this.#options;
    while (!stop.aborted) {
      if (await this.#tryOnce(renewDeadlineMs, stop)) {
        logger.info({ identity }, 'leader election: lease acquired');
        return true;
      }
      await sleep(clock, Math.min(retryPeriodMs * (1 - random() * (1 - SHORTEST_PAUSE)), this.#untilExpiry()), stop);
    }
    return false;
  }

  /** Milliseconds until the record that somebody else holds may be taken over; Infinity when that is now, or unknown. */
  #untilExpiry(): number {
    if (!this.#seen) return Number.POSITIVE_INFINITY;
    const left = this.#seen.changedAt + this.#options.leaseDurationMs - this.#deps.clock.monotonic();
    return left > 0 ? left : Number.POSITIVE_INFINITY;
  }

  async #keepRenewing(stop: AbortSignal): Promise<'lost' | 'stopped'> {
    const { clock, logger } = this.#deps;
    const { retryPeriodMs, renewDeadlineMs } = this.#options;
    const left = () => this.#renewedAt + renewDeadlineMs - clock.monotonic();
    for (;;) {
      // Not beyond the deadline: whoever is told of the loss must hear of it then, not a pause later.
      await sleep(clock, Math.min(retryPeriodMs, left()), stop);
      if (stop.aborted) return 'stopped';
      // Half of it at most, so that a dead connection leaves time for a try on another.
      if (left() > 0) await this.#tryOnce(Math.min(left(), renewDeadlineMs / 2), stop);
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
    const { clock } = this.#deps;
    const sentAt = clock.monotonic();
    const limit = new AbortController();
    const giveUp = () => limit.abort(new Error('the API server did not answer in time'));
    // A turn of the event loop later: in a process that was kept from running the answer may lie there, unread.
    const timer = clock.setTimer(() => setImmediate(giveUp), limitMs);
    const signal = AbortSignal.any([stop, limit.signal]);
    try {
      // Whatever becomes of a call: when it is given up is decided here, because the deadline depends on it.
      return await unlessAborted(signal, this.#take(sentAt, signal));
    } catch (error) {
      if (!stop.aborted) this.#report(limit.signal.aborted ? limit.signal.reason : error);
      return false;
    } finally {
      timer.cancel();
    }
  }

  async #take(sentAt: number, signal: AbortSignal): Promise<boolean> {
    // A leader knows the record that it wrote: renewing it unread saves a request, and a conflict tells the rest.
    if (this.#knowsRecord && (await this.#write(sentAt, signal))) return true;
    await this.#observe(signal);
    return this.#write(sentAt, signal);
  }

  /** The same trouble again and again is one line, not a line every retry period. */
  #report(error: unknown): void {
    const message = messageOf(error);
    const level = message === this.#trouble ? 'debug' : 'warn';
    this.#trouble = message;
    this.#deps.logger[level](
      { err: message, grant: missingGrant(error) },
      'leader election: could not take or renew the lease',
    );
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
      // An answer after the end of the try must not make a leader of who has stopped being one.
      signal.throwIfAborted();
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
    this.#trouble = undefined;
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
