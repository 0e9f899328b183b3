import type { KubeObject } from './meta.ts';

export const ZONE_LABEL = 'topology.kubernetes.io/zone';

export interface NodeAddress {
  type: string;
  address: string;
}

export interface Node extends KubeObject {
  spec: {
    podCIDR?: string;
    podCIDRs?: string[];
    unschedulable?: boolean;
    taints?: { key: string; value?: string; effect?: string }[];
  };
  status: {
    addresses?: NodeAddress[];
    /** Only `cpu` is kept by the projection, as the API prints it: `2`, `1900m`. */
    allocatable?: Record<string, string>;
    /** Only `Ready` is kept by the projection. */
    conditions?: { type: string; status: string }[];
  };
}

export function isNodeReady(node: Node): boolean {
  return node.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}
