import { DEFAULT_PLAN_OPTIONS, type PlanOptions } from './plan.ts';

/** Durations in milliseconds. */
export interface ControllerOptions {
  /** Services worked on at the same time: `--concurrent-service-endpoint-syncs`. */
  concurrency: number;
  /** How long changes of Pods are gathered, from the first on: `--endpointslice-updates-batch-period`. */
  batchPeriodMs: number;
  /** Every Service is looked at again after one to two of these: `--min-resync-period`. */
  minResyncPeriodMs: number;
  /** Failures in a row after which a Service is given up until it changes again; undefined for never. */
  maxRetries?: number;
  /** A slice changed by others is put right at once, and further such changes of that Service a second apart. */
  repairAtOnce: boolean;
  /** Also notice that a slice was deleted which was written before this process started, or lost its owner. */
  repairUnknown: boolean;
  /** A Node that appears or changes zone requeues the Services of its Pods. */
  followNodes: boolean;
  /** A Pod that runs to its end requeues its Services even if nothing else about it changes. */
  watchPodPhase: boolean;
  /** When zone shares become known or change, Services whose hints were impossible are looked at again. */
  restoreHints: boolean;
  /** Delete the slices of a Service that lost its selector or became an ExternalName. */
  removeAbandoned: boolean;
  /** Count both address types of a Service in the gauges, not only the last one planned. */
  countAllFamilies: boolean;
  plan: PlanOptions;
}

export const DEFAULT_CONTROLLER_OPTIONS: ControllerOptions = {
  concurrency: 5,
  batchPeriodMs: 0,
  minResyncPeriodMs: 12 * 60 * 60 * 1000,
  repairAtOnce: true,
  repairUnknown: true,
  followNodes: true,
  watchPodPhase: true,
  restoreHints: true,
  removeAbandoned: false,
  countAllFamilies: true,
  plan: DEFAULT_PLAN_OPTIONS,
};

/** Ways in which a user may want upstream's behaviour back, by the name given to `--like-upstream`. */
export const UPSTREAM_WAYS = {
  retries: (o) => ({ ...o, maxRetries: 15 }),
  'slice-repair': (o) => ({ ...o, repairAtOnce: false, repairUnknown: false }),
  nodes: (o) => ({ ...o, followNodes: false }),
  'pod-phase': (o) => ({ ...o, watchPodPhase: false }),
  'hint-restore': (o) => ({ ...o, restoreHints: false }),
  'family-metrics': (o) => ({ ...o, countAllFamilies: false }),
  recycling: (o) => ({ ...o, plan: { ...o.plan, preserveRecycled: false } }),
  'invalid-addresses': (o) => ({ ...o, plan: { ...o.plan, skipInvalidAddresses: false } }),
  'hint-warnings': (o) => ({ ...o, plan: { ...o.plan, repeatHintWarnings: true } }),
  'write-order': (o) => ({ ...o, plan: { ...o.plan, zeroGap: false } }),
} as const satisfies Record<string, (options: ControllerOptions) => ControllerOptions>;

export type UpstreamWay = keyof typeof UPSTREAM_WAYS;

export function isUpstreamWay(name: string): name is UpstreamWay {
  return Object.hasOwn(UPSTREAM_WAYS, name);
}
