import type { Node } from '../../objects/node.ts';

/** Set by the cluster autoscaler on a node that it is about to remove. */
export const TO_BE_DELETED_TAINT = 'ToBeDeletedByClusterAutoscaler';

/** Whether load balancers should send new connections to this node (KEP-3836): it exists and is not about to go. */
export function isNodeEligible(node: Node | undefined): boolean {
  if (!node || node.metadata.deletionTimestamp !== undefined) return false;
  return !(node.spec.taints ?? []).some((taint) => taint.key === TO_BE_DELETED_TAINT);
}
