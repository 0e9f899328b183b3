import { type Lease, microTime } from './lease.ts';
import type { LeaderElectionOptions } from './options.ts';

/** The record as this replica last saw it change, by its own monotonic clock: other machines' clocks are never trusted. */
export interface Observation {
  lease: Lease;
  /** Monotonic milliseconds. */
  changedAt: number;
}

export type Decision =
  | { kind: 'create'; spec: Lease['spec'] }
  | { kind: 'update'; current: Lease; spec: Lease['spec'] }
  | { kind: 'wait'; holder: string };

/**
 * What to do about the Lease: make it, take or renew it, or wait for its holder. `seen` is undefined when there is no Lease.
 * A record is respected for our own lease duration since it last changed, and when its holder is empty not at all.
 */
export function decide(
  seen: Observation | undefined,
  time: { monotonic: number; now: number },
  options: Pick<LeaderElectionOptions, 'identity' | 'leaseDurationMs'>,
): Decision {
  const now = microTime(time.now);
  const mine: Lease['spec'] = {
    holderIdentity: options.identity,
    leaseDurationSeconds: Math.floor(options.leaseDurationMs / 1000),
    acquireTime: now,
    renewTime: now,
    leaseTransitions: 0,
  };
  if (!seen) return { kind: 'create', spec: mine };

  const { spec } = seen.lease;
  const transitions = spec.leaseTransitions ?? 0;
  if (spec.holderIdentity === options.identity) {
    const renewed = { ...mine, acquireTime: spec.acquireTime ?? now, leaseTransitions: transitions };
    return { kind: 'update', current: seen.lease, spec: renewed };
  }
  const held = spec.holderIdentity !== undefined && spec.holderIdentity !== '';
  if (held && seen.changedAt + options.leaseDurationMs > time.monotonic) {
    return { kind: 'wait', holder: spec.holderIdentity ?? '' };
  }
  return { kind: 'update', current: seen.lease, spec: { ...mine, leaseTransitions: transitions + 1 } };
}

/** The record a leader leaves behind: nobody's, and good for a second only. */
export function released(spec: Lease['spec'], now: number): Lease['spec'] {
  const time = microTime(now);
  return {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: time,
    renewTime: time,
    leaseTransitions: spec.leaseTransitions ?? 0,
  };
}
