import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { Node } from '../objects/node.ts';
import type { Pod } from '../objects/pod.ts';
import type { Service } from '../objects/service.ts';
import type { WrittenAddressType } from './endpoint.ts';
import type { HintMemory } from './hints/memory.ts';
import type { ZoneShares } from './hints/zone-shares.ts';

export interface PlanInput {
  /** With a selector, and not of type ExternalName. */
  service: Service;
  /** The Pods that the selector matches. */
  pods: Iterable<Pod>;
  /** The slices labelled as this Service's and as managed by this controller; without those being deleted. */
  slices: readonly EndpointSlice[];
  node: (name: string) => Node | undefined;
  shares: ZoneShares;
  /** RFC 3339: when what this sync writes was set in motion. Undefined when nothing newer is known. */
  triggerTime: string | undefined;
  /** What the last plan of this Service remembered. */
  memory?: PlanMemory;
  options: PlanOptions;
}

/** Where the planner may be told to do as upstream does. */
export interface PlanOptions {
  maxEndpointsPerSlice: number;
  /** No ready endpoint is missing between two writes. */
  zeroGap: boolean;
  /** Merge slices thinned out by scaling down, at the cost of at most one more write. */
  mergeSparse: boolean;
  /** A recycled slice keeps foreign annotations, owners and finalizers, and is written only if nobody else wrote it. */
  preserveRecycled: boolean;
  /** Leave out addresses that the API server would refuse, instead of having it refuse the whole slice. */
  skipInvalidAddresses: boolean;
  /** Warn at every sync that finds topology hints impossible. */
  repeatHintWarnings: boolean;
}

export const DEFAULT_PLAN_OPTIONS: PlanOptions = {
  maxEndpointsPerSlice: 100,
  zeroGap: true,
  mergeSparse: false,
  preserveRecycled: true,
  skipInvalidAddresses: true,
  repeatHintWarnings: false,
};

/** What the planner wants to be told at the next sync of the same Service, once this plan has been carried out. */
export interface PlanMemory {
  hints: HintMemory;
  /** The invalid addresses already warned about, joined to one text. */
  invalidAddresses: string;
}

export interface PlannedEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

export type PlannedWrite =
  | { op: 'create'; slice: EndpointSlice }
  /** `slice.metadata.resourceVersion` is absent where the write is meant to win whatever is there. */
  | { op: 'update'; slice: EndpointSlice; before: EndpointSlice }
  | { op: 'delete'; slice: EndpointSlice };

/** Writes that depend on each other, in the order in which they are to be made; the first failure ends them. */
export interface FamilyPlan {
  addressType: WrittenAddressType;
  writes: PlannedWrite[];
  stats: FamilyStats;
}

export interface FamilyStats {
  added: number;
  removed: number;
  /** Ports key -> what the family will have of it. */
  groups: Map<string, { endpoints: number; slices: number }>;
}

export interface Plan {
  /** One for each wanted address type. Independent of each other. */
  families: FamilyPlan[];
  /** Slices of address types no longer wanted: each is deleted by itself, after the families. */
  obsolete: EndpointSlice[];
  /** All of the above in one list, for whoever does not care about the order. */
  create: EndpointSlice[];
  update: EndpointSlice[];
  delete: EndpointSlice[];
  /** Why the sync counts as failed although everything possible is written: Pods that had to be left out. */
  errors: string[];
  events: PlannedEvent[];
  memory: PlanMemory;
  stats: PlanStats;
}

export interface PlanStats {
  topology: 'Auto' | 'Disabled';
  trafficDistribution: string;
}
