import type { RawObject } from '../../kind.ts';

export interface NodeObject extends RawObject {
  spec: NodeSpec;
  status: NodeStatus;
}

export interface NodeSpec {
  podCIDR?: string;
  podCIDRs?: string[];
  providerID?: string;
  unschedulable?: boolean;
  taints?: Taint[];
}

export interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string;
}

export interface NodeStatus {
  capacity?: Record<string, string>;
  allocatable?: Record<string, string>;
  addresses?: { type: string; address: string }[];
  conditions?: { type: string; status: string }[];
  nodeInfo: { kubeletVersion: string; osImage: string; kernelVersion: string; containerRuntimeVersion: string };
}

/** An object of this kind's bucket; decoding made sure of the types. */
export function asNode(object: RawObject): NodeObject {
  return object as NodeObject;
}
