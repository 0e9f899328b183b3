import { UserError } from '../../user-error.ts';

/** All durations in milliseconds. Defaults and meaning as in client-go's leaderelection package. */
export interface LeaderElectionOptions {
  /** Unique among the replicas: `hostname_uuid`. */
  identity: string;
  /** How long the others wait after the last change of the record that they saw. */
  leaseDurationMs: number;
  /** How long the leader keeps trying to renew before it steps down. */
  renewDeadlineMs: number;
  /** Pause between tries. */
  retryPeriodMs: number;
  /** Whether a leader that stops on purpose hands the Lease back, so that the next one need not wait. */
  releaseOnCancel: boolean;
}

export const LEADER_ELECTION_DEFAULTS = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
  releaseOnCancel: true,
} as const;

/** client-go wants this many retry periods to fit into the renew deadline, and so do we: its settings are ours. */
export const JITTER = 1.2;

/** Waiting replicas pause for this part of the retry period at least and for all of it at most, so that they do not try in step. */
export const SHORTEST_PAUSE = 0.5;

const seconds = (ms: number): string => `${ms / 1000}s`;

/** @throws UserError naming the flags whose values cannot work together. */
export function validateLeaderElection(options: LeaderElectionOptions): void {
  const flags = [
    ['--leader-elect-lease-duration', options.leaseDurationMs],
    ['--leader-elect-renew-deadline', options.renewDeadlineMs],
    ['--leader-elect-retry-period', options.retryPeriodMs],
  ] as const;
  for (const [flag, value] of flags) {
    if (!(value > 0)) throw new UserError(`${flag}: ${seconds(value)} is not longer than 0`);
  }
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = options;
  if (leaseDurationMs <= renewDeadlineMs) {
    throw new UserError(
      `--leader-elect-lease-duration ${seconds(leaseDurationMs)} must be longer than --leader-elect-renew-deadline ${seconds(renewDeadlineMs)}`,
    );
  }
  if (renewDeadlineMs <= JITTER * retryPeriodMs) {
    throw new UserError(
      `--leader-elect-renew-deadline ${seconds(renewDeadlineMs)} must be longer than ${JITTER} times --leader-elect-retry-period ${seconds(retryPeriodMs)}`,
    );
  }
  if (leaseDurationMs < 1000) {
    throw new UserError(
      `--leader-elect-lease-duration ${seconds(leaseDurationMs)} is shorter than 1s, which a Lease cannot say`,
    );
  }
  if (options.identity === '') throw new UserError('the identity for leader election is empty');
}
