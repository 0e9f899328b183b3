import { isActive, isTrue, type NodeObject, type PodObject, type Taint, type Toleration } from './objects.ts';
import { compare } from './replicaset-plan.ts';

export type Placement = { node: string } | { reason: string };

/**
 * A node for a Pod: among those that may have it, the one with the fewest Pods of the same owner, then with the fewest Pods at
 * all, then first by name. `pods` are all Pods that have a node.
 */
export function place(pod: PodObject, nodes: readonly NodeObject[], pods: Iterable<PodObject>): Placement {
  const problems = new Map<string, number>();
  const fit: NodeObject[] = [];
  for (const node of nodes) {
    const problem = obstacle(pod, node);
    if (problem === undefined) fit.push(node);
    else problems.set(problem, (problems.get(problem) ?? 0) + 1);
  }
  if (fit.length === 0) {
    const list = [...problems].map(([problem, count]) => `${count} ${problem}`).join(', ');
    return { reason: `0/${nodes.length} nodes are available${list && `: ${list}`}.` };
  }
  const owner = ownerOf(pod);
  const all = new Map<string, number>();
  const siblings = new Map<string, number>();
  for (const other of pods) {
    const name = other.spec.nodeName;
    if (name === undefined || !isActive(other)) continue;
    all.set(name, (all.get(name) ?? 0) + 1);
    if (owner !== undefined && ownerOf(other) === owner) siblings.set(name, (siblings.get(name) ?? 0) + 1);
  }
  const rank = ({ metadata: { name } }: NodeObject) => [siblings.get(name) ?? 0, all.get(name) ?? 0, name];
  const [best] = fit.sort((a, b) => compare(rank(a), rank(b)));
  return { node: best?.metadata.name ?? '' };
}

function ownerOf(pod: PodObject): string | undefined {
  return pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
}

/** Why a node may not have the Pod, in upstream's words; undefined when it may. */
function obstacle(pod: PodObject, node: NodeObject): string | undefined {
  if (!isTrue(node.status?.conditions, 'Ready')) return 'node(s) were not ready';
  if (node.spec.unschedulable) return 'node(s) were unschedulable';
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) {
    if (labels[key] !== value) return "node(s) didn't match Pod's node affinity/selector";
  }
  const taint = node.spec.taints?.find(
    (t) => t.effect !== 'PreferNoSchedule' && !pod.spec.tolerations?.some((toleration) => tolerates(toleration, t)),
  );
  return taint && `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
}

/** "Taints and Tolerations" in the documentation: an empty key with Exists tolerates all, an empty effect all effects. */
function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return toleration.key !== undefined && (toleration.value ?? '') === (taint.value ?? '');
}
