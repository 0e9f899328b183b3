import type { RawObject } from '../../kind.ts';
import type { PodTemplate } from '../pod/types.ts';
import type { LabelSelector } from '../validation/selectors.ts';

/** A Deployment or ReplicaSet after decoding. */
export interface Workload extends RawObject {
  spec: WorkloadSpec;
  status: WorkloadStatus;
}

export interface WorkloadSpec {
  replicas?: number;
  selector: LabelSelector | null;
  template: PodTemplate;
  minReadySeconds?: number;
  strategy?: { type?: string; rollingUpdate?: RollingUpdate };
  revisionHistoryLimit?: number;
  progressDeadlineSeconds?: number;
  paused?: boolean;
}

export interface RollingUpdate {
  maxUnavailable?: number | string;
  maxSurge?: number | string;
}

export interface WorkloadStatus extends Record<string, unknown> {
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  fullyLabeledReplicas?: number;
  observedGeneration?: number;
  collisionCount?: number;
}

/** An object of such a kind's bucket; decoding made sure of the types. */
export function asWorkload(object: RawObject): Workload {
  return object as Workload;
}
