import type { ZoneShares } from './zone-shares.ts';

/** How far a zone may be loaded beyond its share before hints do more harm than good (KEP-2433). */
const OVERLOAD_THRESHOLD = 0.2;

/** Part of the endpoints that its share entitles a zone to, and the fewest and most it may have. */
export interface ZoneAllocation {
  desired: number;
  minimum: number;
  maximum: number;
}

export type Allocations = ReadonlyMap<string, ZoneAllocation>;

/** Number of endpoints hinted to each zone. */
export type ZoneTotals = ReadonlyMap<string, number>;

/**
 * The fewest endpoints that keep a zone under the overload threshold. Evaluated in IEEE doubles in just this order:
 * the rounding is observable (a share of 0.2 of 6 endpoints needs 2).
 */
function minimumOf(desired: number): number {
  return Math.ceil(desired * (1 / (1 + OVERLOAD_THRESHOLD)));
}

/** Divides `readyEndpoints` among the zones, or says why that cannot be done. */
export function allocate(shares: ZoneShares, readyEndpoints: number): Allocations | { problem: string } {
  if (shares === undefined) {
    return { problem: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes' };
  }
  const numbers = `${readyEndpoints} endpoints, ${shares.size} zones`;
  if (shares.size > readyEndpoints) return { problem: `Insufficient number of endpoints (${numbers})` };
  const allocations = new Map<string, ZoneAllocation>();
  let sum = 0;
  for (const [zone, share] of shares) {
    const minimum = minimumOf(share * readyEndpoints);
    allocations.set(zone, { desired: Math.max(share * readyEndpoints, minimum), minimum, maximum: 0 });
    sum += minimum;
  }
  if (sum > readyEndpoints) {
    return {
      problem: `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (${numbers})`,
    };
  }
  for (const allocation of allocations.values()) allocation.maximum = allocation.minimum + readyEndpoints - sum;
  return allocations;
}

export function isProblem(result: Allocations | { problem: string }): result is { problem: string } {
  return 'problem' in result;
}

/** Whether, under these shares, a zone would now get more traffic than the endpoints hinted to it should bear. */
export function isOverloaded(totals: ZoneTotals, shares: ZoneShares): boolean {
  if (totals.size === 0) return false;
  if (shares === undefined) return true;
  let sum = 0;
  for (const count of totals.values()) sum += count;
  for (const [zone, share] of shares) {
    const count = totals.get(zone);
    if (count === undefined || count < minimumOf(sum * share)) return true;
  }
  return false;
}
