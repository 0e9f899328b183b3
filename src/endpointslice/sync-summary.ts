import type { Plan } from './plan.ts';

/** What a sync did, for the log. */
export interface SyncSummary {
  /** What there is of both afterwards. */
  endpoints: number;
  slices: number;
  created: number;
  updated: number;
  deleted: number;
}

/** Counts of a plan that was carried out. */
export function summary({ families, obsolete }: Plan): SyncSummary {
  const count = { endpoints: 0, slices: 0, create: 0, update: 0, delete: obsolete.length };
  for (const { writes, stats } of families) {
    for (const group of stats.groups.values()) {
      count.endpoints += group.endpoints;
      count.slices += group.slices;
    }
    for (const { op } of writes) count[op]++;
  }
  const { endpoints, slices, create: created, update: updated, delete: deleted } = count;
  return { endpoints, slices, created, updated, deleted };
}
