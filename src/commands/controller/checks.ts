import type { ReflectorStatus } from '../../kube/reflector.ts';
import { type HealthCheck, ping } from '../../observe/health-checks.ts';
import type { Candidacy } from './candidacy.ts';

/** What the health pages look at. */
export interface Checked {
  candidacy: Pick<Candidacy, 'problem'> | undefined;
  caches: Readonly<Record<string, { status(): ReflectorStatus }>>;
  /** Whether the process is about to end. */
  stopping: () => boolean;
}

/** Failures in a row after which a cache counts as stale: with the reflector's backoff, some ten seconds. */
const FAILURES = 4;

/** Whether the process had better be restarted. */
export function livenessChecks({ candidacy }: Checked): HealthCheck[] {
  return [ping, { name: 'leaderElection', problem: () => candidacy?.problem() }];
}

/** Whether it does, or could at once do, its work: a standby with warm caches is ready. */
export function readinessChecks(checked: Checked): HealthCheck[] {
  const { caches, stopping } = checked;
  return [
    ...livenessChecks(checked),
    ...Object.entries(caches).map(([kind, cache]) => ({
      name: `cache-${kind}`,
      problem: () => cacheProblem(cache.status()),
    })),
    { name: 'shutdown', problem: () => (stopping() ? 'the process is shutting down' : undefined) },
  ];
}

function cacheProblem({ synced, failures, lastError }: ReflectorStatus): string | undefined {
  // Failures are forgotten only after a healthy while; the last error is, once the API server is followed again.
  if (synced && (failures < FAILURES || lastError === undefined)) return undefined;
  const what = synced ? 'not followed any more' : 'not filled yet';
  return lastError === undefined ? what : `${what}: ${lastError}`;
}
