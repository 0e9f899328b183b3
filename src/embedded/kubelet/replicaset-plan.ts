import { isActive, isTrue, type PodObject, type ReplicaSetObject, type ReplicaSetStatus } from './objects.ts';

export interface ReplicaSetPlan {
  /** How many Pods to create. */
  create: number;
  delete: PodObject[];
  status: ReplicaSetStatus;
}

/**
 * What a ReplicaSet needs done, given all Pods that it controls. Counts are of Pods that exist now, not of those to come.
 *
 * @param now milliseconds since the epoch, for `minReadySeconds`
 */
export function planReplicaSet(set: ReplicaSetObject, controlled: readonly PodObject[], now: number): ReplicaSetPlan {
  const active = controlled.filter(isActive);
  const wanted = set.spec.replicas ?? 1;
  const surplus = active.length - wanted;
  const ready = active.filter((pod) => isTrue(pod.status?.conditions, 'Ready'));
  const available = ready.filter((pod) => readyForMs(pod, now) >= (set.spec.minReadySeconds ?? 0) * 1000);
  const status: ReplicaSetStatus = { replicas: active.length };
  // Counters of zero are absent, as the API server prints them.
  if (active.length > 0) status.fullyLabeledReplicas = active.length;
  if (ready.length > 0) status.readyReplicas = ready.length;
  if (available.length > 0) status.availableReplicas = available.length;
  if (set.metadata.generation !== undefined) status.observedGeneration = set.metadata.generation;
  return {
    create: Math.max(0, -surplus),
    delete: surplus > 0 ? leastMissed(active).slice(0, surplus) : [],
    status,
  };
}

function readyForMs(pod: PodObject, now: number): number {
  const since = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  return since === undefined ? 0 : Math.max(0, now - Date.parse(since));
}

/**
 * Pods in the order in which to give them up: without a node, not running, not ready, crowded on one node, young
 * ("ReplicaSet: Scaling a ReplicaSet" in the documentation, without the deletion cost).
 */
function leastMissed(pods: readonly PodObject[]): PodObject[] {
  const perNode = new Map<string, number>();
  for (const { spec } of pods) perNode.set(spec.nodeName ?? '', (perNode.get(spec.nodeName ?? '') ?? 0) + 1);
  const rank = (pod: PodObject): (number | string)[] => [
    pod.spec.nodeName ? 1 : 0,
    pod.status?.phase === 'Running' ? 1 : 0,
    isTrue(pod.status?.conditions, 'Ready') ? 1 : 0,
    -(perNode.get(pod.spec.nodeName ?? '') ?? 0),
    -Date.parse(pod.metadata.creationTimestamp ?? '1970-01-01T00:00:00Z'),
    pod.metadata.name,
  ];
  return pods
    .map((pod) => ({ pod, rank: rank(pod) }))
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ pod }) => pod);
}

export function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, x] of a.entries()) {
    const y = b[index] ?? x;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
