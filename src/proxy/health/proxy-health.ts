import type { Clock } from '../../clock.ts';
import type { IPFamily } from '../../objects/meta.ts';

/** The same moment on both clocks: durations are measured on the monotonic one, and the other one is shown. */
export interface Instant {
  readonly monotonic: number;
  /** Milliseconds since the Unix epoch. */
  readonly wall: number;
}

export interface FamilyState {
  /** When the kernel last held all that was known. */
  readonly lastUpdated?: Instant;
  /** When the oldest change that has not reached the kernel was queued. */
  readonly oldestPending?: Instant;
}

export type HealthState = Readonly<Partial<Record<IPFamily, FamilyState>>>;

export interface FamilyHealth {
  readonly healthy: boolean;
  readonly lastUpdated: Instant;
}

export interface ProxyHealth {
  /** No family is late. */
  readonly healthy: boolean;
  readonly now: Instant;
  /** The latest of any family; `undefined` before the first one. */
  readonly lastUpdated: Instant | undefined;
  /** Families that were updated at least once. */
  readonly families: Readonly<Partial<Record<IPFamily, FamilyHealth>>>;
}

const FAMILIES: readonly IPFamily[] = ['IPv4', 'IPv6'];

/** A change was queued: from now on there is something to be late with, unless there was already. */
export function queued(state: HealthState, family: IPFamily, now: Instant): HealthState {
  return { ...state, [family]: { oldestPending: now, ...state[family] } };
}

/** A sync has succeeded (or syncing begins): nothing is pending. */
export function updated(state: HealthState, family: IPFamily, now: Instant): HealthState {
  return { ...state, [family]: { lastUpdated: now } };
}

/**
 * kube-proxy's rule: a family is late once a change has been waiting for `timeoutMs`. A family that was never updated does not
 * count, and with nothing pending a proxier stays healthy for ever.
 */
export function judge(state: HealthState, now: Instant, timeoutMs: number): ProxyHealth {
  const families: Partial<Record<IPFamily, FamilyHealth>> = {};
  let latest: Instant | undefined;
  for (const family of FAMILIES) {
    const { lastUpdated, oldestPending } = state[family] ?? {};
    if (!lastUpdated) continue;
    const late = oldestPending !== undefined && now.monotonic - oldestPending.monotonic >= timeoutMs;
    families[family] = { healthy: !late, lastUpdated };
    if (!latest || lastUpdated.monotonic > latest.monotonic) latest = lastUpdated;
  }
  return { healthy: Object.values(families).every((f) => f.healthy), now, lastUpdated: latest, families };
}

/** The health of one kube-proxy process, which both families' proxiers report to, and all health pages read. */
export class ProxyHealthTracker {
  #clock: Clock;
  #timeoutMs: number;
  #state: HealthState = {};

  /** @param syncPeriod milliseconds; a change may wait for twice that. */
  constructor(clock: Clock, syncPeriod: number) {
    this.#clock = clock;
    this.#timeoutMs = 2 * syncPeriod;
  }

  queuedUpdate(family: IPFamily): void {
    this.#state = queued(this.#state, family, this.#now());
  }

  updated(family: IPFamily): void {
    this.#state = updated(this.#state, family, this.#now());
  }

  health(): ProxyHealth {
    return judge(this.#state, this.#now(), this.#timeoutMs);
  }

  #now(): Instant {
    return { monotonic: this.#clock.monotonic(), wall: this.#clock.now() };
  }
}
