import type { Pod } from '../objects/pod.ts';
import type { Service } from '../objects/service.ts';

/** What was last seen of a Service and its Pods: times as the API prints them. */
export interface TriggerState {
  service: string;
  /** Pod name -> since when its readiness is what it is. Pods that never had any are absent. */
  pods: ReadonlyMap<string, string>;
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
  const created = service.metadata.creationTimestamp ?? '';
  const times = new Map<string, string>();
  let earliest = Number.POSITIVE_INFINITY;
  for (const pod of pods) {
    const since = readinessChange(pod);
    if (since === undefined) continue;
    const { name } = pod.metadata;
    const before = previous?.pods.get(name);
    // Most Pods are as they were, and need no reading of times.
    if (since !== before) {
      const at = Date.parse(since);
      if (Number.isNaN(at)) continue;
      if (before === undefined || at > Date.parse(before)) earliest = Math.min(earliest, at);
    }
    times.set(name, since);
  }
  const state = { service: created, pods: times };
  if (previous === undefined) earliest = Date.parse(created);
  else if (created !== previous.service && Date.parse(created) > Date.parse(previous.service)) {
    earliest = Math.min(earliest, Date.parse(created));
  }
  return { state, time: Number.isFinite(earliest) ? rfc3339(earliest) : undefined };
}

function readinessChange(pod: Pod): string | undefined {
  return pod.status.conditions?.find((condition) => condition.type === 'Ready')?.lastTransitionTime;
}

/** Without a fraction where there is none to tell, as the API's own times. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}
