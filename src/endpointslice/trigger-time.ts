import type { Pod } from '../objects/pod.ts';
import type { Service } from '../objects/service.ts';

/** What was last seen of a Service and its Pods: milliseconds since the epoch. */
export interface TriggerState {
  service: number;
  /** Pod name -> since when its readiness is what it is. Pods that never had any are absent. */
  pods: ReadonlyMap<string, number>;
}

/**
 * When the change that a sync is about to write down was set in motion: the earliest of the times that are later than
 * those remembered. At the first sync of a Service that is its creation. RFC 3339; undefined when nothing is newer, as
 * after a mere deletion. (Feeds the SLI of KEP-1860 by way of the annotation `last-change-trigger-time`.)
 */
export function triggerTime(
  previous: TriggerState | undefined,
  service: Service,
  pods: Iterable<Pod>,
): { state: TriggerState; time: string | undefined } {
  const created = Date.parse(service.metadata.creationTimestamp ?? '');
  const times = new Map<string, number>();
  let earliest = Number.POSITIVE_INFINITY;
  for (const pod of pods) {
    const since = readinessChange(pod);
    if (since === undefined) continue;
    times.set(pod.metadata.name, since);
    if (since > (previous?.pods.get(pod.metadata.name) ?? Number.NEGATIVE_INFINITY))
      earliest = Math.min(earliest, since);
  }
  const state = { service: created, pods: times };
  if (previous === undefined) earliest = created;
  else if (created > previous.service) earliest = Math.min(earliest, created);
  return { state, time: Number.isFinite(earliest) ? rfc3339(earliest) : undefined };
}

function readinessChange(pod: Pod): number | undefined {
  const ready = pod.status.conditions?.find((condition) => condition.type === 'Ready');
  const since = Date.parse(ready?.lastTransitionTime ?? '');
  return Number.isNaN(since) ? undefined : since;
}

/** Without a fraction where there is none to tell, as the API's own times. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}
