import type { Occurrence } from '../events/occurrence.ts';
import type { Lease } from './lease.ts';

/** What client-go tells of an election, on the Lease: `kubectl describe lease` shows it. */
export function leaseEvent(
  lease: Lease | undefined,
  election: { namespace: string; name: string; identity: string },
  what: 'became leader' | 'stopped leading',
): Occurrence {
  const { namespace, name, identity } = election;
  const { uid, resourceVersion } = lease?.metadata ?? {};
  return {
    regarding: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace,
      name,
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    type: 'Normal',
    reason: 'LeaderElection',
    message: `${identity} ${what}`,
  };
}
