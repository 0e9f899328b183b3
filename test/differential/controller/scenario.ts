import type { RowId } from './rows.ts';

/** What is compared after a step. */
export type Aspect =
  /** The slices, names and the like aside. */
  | 'slices'
  /** How many slices the controller has created, updated and deleted since the step before. */
  | 'writes'
  /** The Events so far. */
  | 'events'
  /** Whether there were calls that changed nothing. Only where scenarios are played one by one. */
  | 'needless';

/**
 * How exact the comparison of slices and writes is. `slices`: slice by slice. `dealt`: upstream deals endpoints to slices at random, so
 * only the sizes of slices, and what is in them together. `endpoints`: several changes at once, for which the number of syncs, writes
 * and slices depends on timing; only what is in the slices together.
 */
export type Precision = 'slices' | 'dealt' | 'endpoints';

export interface Step {
  /** What happens, as a sentence; also the name by which `differs` refers to the comparison that follows. */
  step: string;
  do: readonly Action[];
  /** Not to be compared before all slices together have this many endpoints. Without it, the first silence counts. */
  until?: { endpoints: number };
  /** @default slices */
  compare?: Precision;
  /** Writes are compared although `compare` says `endpoints`. */
  countWrites?: true;
  /** Hints are compared by how many endpoints of each zone go to which, for upstream picks them at random. */
  countHints?: true;
  /** Whether an Event was emitted once or several times is compared too. */
  countEvents?: true;
  /** Not compared, for timing decides. */
  ignore?: readonly Aspect[];
}

export interface Scenario {
  name: string;
  steps: readonly Step[];
  /** To be done afterwards, for the scenarios that follow. */
  cleanUp?: readonly Action[];
  /** Each of these must show, and nothing else may. */
  differs?: readonly Difference[];
  /** Upstream takes the families of a Service in no order, so that it is chance of which one an Event speaks. */
  anyFamily?: true;
}

export interface Difference {
  row: RowId;
  /** Shows only where Slicewise runs with `--like-upstream`, for other differences hide it otherwise; or only where it runs without. */
  only?: 'as upstream' | 'as it comes';
  /** Step -> what differs after it. */
  at: Readonly<Record<string, readonly Aspect[]>>;
}

export type Plural = 'services' | 'pods' | 'nodes' | 'endpointslices' | 'resourcequotas';

/** One thing that a user, a kubelet or the like does. Plain data, so that the same is done to all controllers. */
export type Action =
  | { op: 'create'; plural: Plural; object: Manifest }
  | { op: 'patch'; plural: Plural; name: string; patch: object; subresource?: 'status' }
  | { op: 'remove'; plural: Plural; name: string; graceSeconds?: number }
  /** What a kubelet reports; readiness gets the time of the scenario's own clock. */
  | { op: 'report'; pod: string; status: PodReport }
  /** Changes by hand every slice labelled as the Service's; a JSON merge patch, or what makes one out of the slice. */
  | { op: 'edit slices'; service: string; patch: object | ((slice: RawSlice) => object); only?: Which }
  /** Deletes them by hand. */
  | { op: 'remove slices'; service: string; only?: Which }
  /** Puts slices there as the controller would have written them in some past. */
  | { op: 'plant slices'; planting: Planting }
  /** Begins to delete the namespace. Nobody is there to finish that. */
  | { op: 'remove namespace' }
  | { op: 'all at once'; actions: readonly Action[] }
  /** Waits until the controller has seen what was done so far, so that what follows comes after it. */
  | { op: 'wait until seen' }
  /** Ends the controller and starts it again. */
  | { op: 'restart controller' };

/** The one with the most endpoints; those of the Service of that name that was created first. */
export type Which = 'largest' | 'owned by the first';

export interface Planting {
  service: string;
  /** Names of the Pods in each slice. */
  slices: readonly (readonly string[])[];
  port: number;
}

/** A slice as the API server sends it: an empty list is null. */
export interface RawSlice {
  addressType: string;
  endpoints: Record<string, unknown>[] | null;
  ports: Record<string, unknown>[] | null;
}

export interface PodReport {
  ips?: readonly string[];
  /** Absent: no such condition. */
  ready?: boolean | 'Unknown' | undefined;
  phase?: string;
}

export interface Manifest {
  metadata: { name: string; [field: string]: unknown };
  [field: string]: unknown;
}
