import {
  type Condition,
  type DeploymentObject,
  type DeploymentStatus,
  type ReplicaSetObject,
  transition,
} from './objects.ts';
import { sameTemplate, TEMPLATE_HASH_LABEL, templateHash } from './template-hash.ts';

export const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';

export interface DeploymentPlan {
  /** The ReplicaSet to create, complete. */
  create: ReplicaSetObject | undefined;
  /** Existing ReplicaSets whose size or revision must change. */
  change: { set: ReplicaSetObject; replicas?: number; revision?: string }[];
  delete: ReplicaSetObject[];
  /** Revision to note on the Deployment itself, when it is not there yet. */
  revision: string | undefined;
  status: DeploymentStatus;
}

/**
 * What a Deployment needs done, given the ReplicaSets that it controls. One step of a rolling update: the new set grows as far as
 * `maxSurge` allows, old sets shrink as far as `maxUnavailable` allows, and the next change of status brings the next step.
 *
 * @param now RFC 3339, for the conditions
 */
export function planDeployment(
  deployment: DeploymentObject,
  sets: readonly ReplicaSetObject[],
  now: string,
): DeploymentPlan {
  const desired = deployment.spec.replicas ?? 1;
  const current = sets.find((set) => sameTemplate(set.spec.template, deployment.spec.template));
  const old = sets.filter((set) => set !== current);
  const limits = rolloutLimits(deployment, desired);
  const top = Math.max(0, ...sets.map(revisionOf));
  const change: DeploymentPlan['change'] = [];
  let create: ReplicaSetObject | undefined;

  if (deployment.spec.paused) {
    // A paused Deployment can still be scaled.
    const active = sets.filter((set) => size(set) > 0);
    const only = active.length <= 1 ? (active[0] ?? current) : undefined;
    if (only && size(only) !== desired) change.push({ set: only, replicas: desired });
  } else {
    const allowed = newSetSize(desired, limits, current, old);
    if (!current) {
      create = newReplicaSet(deployment, allowed, `${top + 1}`);
    } else {
      // A template that comes back (a rollback) is the newest revision again.
      const revision = revisionOf(current) < top || revisionOf(current) === 0 ? `${top + 1}` : undefined;
      const replicas = size(current) === allowed ? undefined : allowed;
      if (revision !== undefined || replicas !== undefined) {
        change.push({
          set: current,
          ...(replicas === undefined ? {} : { replicas }),
          ...(revision ? { revision } : {}),
        });
      }
    }
    change.push(...shrinkOld(desired, limits, current, old));
  }

  const revision = create
    ? `${top + 1}`
    : (change.find((c) => c.revision)?.revision ?? (current ? `${revisionOf(current)}` : undefined));
  return {
    create,
    change,
    delete: deployment.spec.paused ? [] : outdated(deployment, old),
    revision: deployment.metadata.annotations?.[REVISION_ANNOTATION] === revision ? undefined : revision,
    status: deploymentStatus(deployment, { desired, current: current ?? create, sets, limits, now }),
  };
}

interface Limits {
  recreate: boolean;
  maxSurge: number;
  maxUnavailable: number;
}

/** A percentage of surge is rounded up and one of unavailability down; both zero would stand still (Deployment documentation). */
function rolloutLimits(deployment: DeploymentObject, desired: number): Limits {
  const { type, rollingUpdate } = deployment.spec.strategy ?? {};
  if (type === 'Recreate') return { recreate: true, maxSurge: 0, maxUnavailable: desired };
  const maxSurge = resolveCount(rollingUpdate?.maxSurge ?? '25%', desired, Math.ceil);
  const maxUnavailable = resolveCount(rollingUpdate?.maxUnavailable ?? '25%', desired, Math.floor);
  const standsStill = maxSurge === 0 && maxUnavailable === 0;
  return { recreate: false, maxSurge, maxUnavailable: Math.min(desired, standsStill ? 1 : maxUnavailable) };
}

function resolveCount(value: number | string, total: number, round: (x: number) => number): number {
  if (typeof value === 'number') return value;
  return value.endsWith('%') ? round((Number.parseInt(value, 10) * total) / 100) : Number.parseInt(value, 10);
}

function newSetSize(
  desired: number,
  limits: Limits,
  current: ReplicaSetObject | undefined,
  old: readonly ReplicaSetObject[],
): number {
  const now = current ? size(current) : 0;
  if (now > desired) return desired;
  if (limits.recreate) return old.some((set) => size(set) > 0 || (set.status?.replicas ?? 0) > 0) ? now : desired;
  const total = now + sum(old, size);
  return Math.min(desired, now + Math.max(0, desired + limits.maxSurge - total));
}

function shrinkOld(
  desired: number,
  limits: Limits,
  current: ReplicaSetObject | undefined,
  old: readonly ReplicaSetObject[],
): DeploymentPlan['change'] {
  const left = new Map(old.filter((set) => size(set) > 0).map((set) => [set, size(set)]));
  const newUnavailable = current ? Math.max(0, size(current) - available(current)) : 0;
  const minAvailable = desired - limits.maxUnavailable;
  let budget = limits.recreate
    ? Infinity
    : (current ? size(current) : 0) + sum(old, size) - minAvailable - newUnavailable;
  const take = (set: ReplicaSetObject, wanted: number) => {
    const taken = Math.max(0, Math.min(wanted, left.get(set) ?? 0, budget));
    left.set(set, (left.get(set) ?? 0) - taken);
    budget -= taken;
  };
  // First what serves nobody anyway, then healthy replicas as far as the rest still suffices.
  for (const set of left.keys()) take(set, size(set) - available(set));
  const healthy = (current ? available(current) : 0) + sum(old, available);
  budget = Math.min(budget, limits.recreate ? Infinity : healthy - minAvailable);
  for (const set of left.keys()) take(set, left.get(set) ?? 0);
  return [...left].flatMap(([set, replicas]) => (replicas === size(set) ? [] : [{ set, replicas }]));
}

function outdated(deployment: DeploymentObject, old: readonly ReplicaSetObject[]): ReplicaSetObject[] {
  const empty = old.filter(
    (set) => size(set) === 0 && (set.status?.replicas ?? 0) === 0 && set.metadata.deletionTimestamp === undefined,
  );
  const excess = empty.length - (deployment.spec.revisionHistoryLimit ?? 10);
  return excess > 0 ? empty.sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, excess) : [];
}

function newReplicaSet(deployment: DeploymentObject, replicas: number, revision: string): ReplicaSetObject {
  const { name, namespace, uid } = deployment.metadata;
  const hash = templateHash(deployment.spec.template);
  const { template, minReadySeconds, selector } = deployment.spec;
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash };
  return {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: { [REVISION_ANNOTATION]: revision },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'Deployment', name, uid: uid ?? '', controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: {
      replicas,
      ...(minReadySeconds ? { minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** Reasons and messages are those of upstream's controller: `kubectl rollout status` and people read them. */
function deploymentStatus(
  deployment: DeploymentObject,
  state: {
    desired: number;
    current: ReplicaSetObject | undefined;
    sets: readonly ReplicaSetObject[];
    limits: Limits;
    now: string;
  },
): DeploymentStatus {
  const { desired, current, sets, limits, now } = state;
  const before = deployment.status?.conditions;
  const count = (value: number) => (value > 0 ? value : undefined);
  const replicas = sum(sets, (set) => set.status?.replicas ?? 0);
  const updated = current?.status?.replicas ?? 0;
  const availableNow = sum(sets, available);
  const enough = availableNow >= desired - limits.maxUnavailable;
  const complete = updated === desired && replicas === desired && availableNow >= desired;
  const name = current?.metadata.name;
  const conditions: Condition[] = [
    {
      type: 'Available',
      status: enough ? 'True' : 'False',
      reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      message: `Deployment ${enough ? 'has' : 'does not have'} minimum availability.`,
    },
    {
      type: 'Progressing',
      status: 'True',
      reason: complete ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
      message: complete ? `ReplicaSet "${name}" has successfully progressed.` : `ReplicaSet "${name}" is progressing.`,
    },
  ].map((condition) => updatedCondition(before, condition as Condition, now));
  return dropUndefined({
    observedGeneration: deployment.metadata.generation,
    replicas: count(replicas),
    updatedReplicas: count(updated),
    readyReplicas: count(sum(sets, (set) => set.status?.readyReplicas ?? 0)),
    availableReplicas: count(availableNow),
    unavailableReplicas: count(Math.max(0, Math.max(desired, replicas) - availableNow)),
    conditions,
  });
}

function updatedCondition(before: readonly Condition[] | undefined, next: Condition, now: string): Condition {
  const condition = transition(before, next, now);
  const old = before?.find(({ type }) => type === next.type);
  const unchanged = old?.status === next.status && old.reason === next.reason && old.message === next.message;
  return { ...condition, lastUpdateTime: (unchanged ? old.lastUpdateTime : undefined) ?? now };
}

function dropUndefined(status: { [K in keyof DeploymentStatus]: DeploymentStatus[K] | undefined }): DeploymentStatus {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined)) as DeploymentStatus;
}

function size(set: ReplicaSetObject): number {
  return set.spec.replicas ?? 1;
}

function available(set: ReplicaSetObject): number {
  return Math.min(size(set), set.status?.availableReplicas ?? 0);
}

function revisionOf(set: ReplicaSetObject): number {
  return Number(set.metadata.annotations?.[REVISION_ANNOTATION] ?? 0) || 0;
}

function sum<T>(items: Iterable<T>, value: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += value(item);
  return total;
}
