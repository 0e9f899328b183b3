import type { PodCondition } from '../../objects/pod.ts';

/** Many Pods become ready within one second. */
const MAX_KNOWN = 8192;
const known = new Map<string, PodCondition[]>();

/** The `Ready` condition of a Pod, in a list of its own, shared by all Pods for which it reads the same. */
export function readyConditions(status: string, lastTransitionTime: string | undefined): PodCondition[] {
  const key = `${status} ${lastTransitionTime ?? ''}`;
  const found = known.get(key);
  if (found) return found;
  const made = [{ type: 'Ready', status, ...(lastTransitionTime !== undefined && { lastTransitionTime }) }];
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, made);
  return made;
}
