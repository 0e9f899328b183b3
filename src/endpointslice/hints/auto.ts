import type { Endpoint } from '../../objects/endpointslice.ts';
import { type Draft, inState } from '../draft.ts';
import { isEndpointReady } from '../endpoint.ts';
import { type Allocations, allocate, isProblem, type ZoneAllocation, type ZoneTotals } from './allocation.ts';
import { editHints, promote } from './edit.ts';
import type { ZoneShares } from './zone-shares.ts';

/**
 * Topology hints `Auto` (KEP-2433): every ready endpoint is hinted to one zone so that each zone gets endpoints in
 * proportion to its share of the cluster's CPU. Edits `drafts`, promoting unchanged slices whose hints no longer fit.
 * Returns the endpoints hinted to each zone, or why hints are impossible; in that case the drafts need stripping.
 */
export function hintByCpu(drafts: readonly Draft[], shares: ZoneShares): ZoneTotals | { problem: string } {
  let ready = 0;
  for (const draft of drafts) {
    if (draft.state !== 'delete') for (const endpoint of draft.endpoints) if (isEndpointReady(endpoint)) ready++;
  }
  const allocations = allocate(shares, ready);
  if (isProblem(allocations)) return allocations;

  for (;;) {
    const totals = hintOnce(drafts, allocations);
    if ('problem' in totals) return totals;
    // Endpoints of slices left alone cannot be lent. Where that leaves a zone with too many, the next sync would write
    // such a slice; so it is written now.
    const stuck = inState(drafts, 'unchanged').findLast((draft) => addsToExcess(draft, allocations, totals));
    if (stuck === undefined) return totals;
    promote(stuck);
  }
}

function hintOnce(drafts: readonly Draft[], allocations: Allocations): Map<string, number> | { problem: string } {
  const totals = new Map<string, number>();
  for (const draft of inState(drafts, 'unchanged')) {
    if (!keepsItsHints(draft, allocations, totals)) promote(draft);
  }
  const open = [...inState(drafts, 'create'), ...inState(drafts, 'update')];
  for (const draft of open) {
    for (const endpoint of draft.endpoints) {
      if (!isEndpointReady(endpoint)) continue;
      if (!endpoint.zone) return { problem: 'One or more endpoints do not have a zone specified' };
      totals.set(endpoint.zone, (totals.get(endpoint.zone) ?? 0) + 1);
    }
  }
  const moves = new Moves(allocations, totals);
  for (const draft of open) editHints(draft, (endpoint) => zoneHint(endpoint, moves, totals));
  return totals.size === 0 ? { problem: 'No hints allocated for zones' } : totals;
}

function addsToExcess(draft: Draft, allocations: Allocations, totals: ZoneTotals): boolean {
  return draft.endpoints.some((endpoint) => {
    const zone = endpoint.hints?.forZones?.[0]?.name ?? '';
    const maximum = allocations.get(zone)?.maximum ?? Number.POSITIVE_INFINITY;
    return isEndpointReady(endpoint) && (totals.get(zone) ?? 0) > maximum;
  });
}

/**
 * Whether a slice that needs no write can keep the hints it has. If so they are added to `totals`. A hint to the
 * endpoint's own zone is all there can be where that zone has no share, so it is no reason for a rewrite.
 */
function keepsItsHints(draft: Draft, allocations: Allocations, totals: Map<string, number>): boolean {
  const counts = new Map<string, number>();
  for (const endpoint of draft.endpoints) {
    const zone = endpoint.hints?.forZones?.[0]?.name;
    if (!isEndpointReady(endpoint)) {
      if (endpoint.hints !== undefined) return false;
      continue;
    }
    if (zone === undefined || endpoint.hints?.forNodes?.length) return false;
    if (!allocations.has(zone) && zone !== endpoint.zone) return false;
    counts.set(zone, (counts.get(zone) ?? 0) + 1);
  }
  for (const [zone, count] of counts) {
    const maximum = allocations.get(zone)?.maximum ?? Number.POSITIVE_INFINITY;
    if ((totals.get(zone) ?? 0) + count > maximum) return false;
  }
  for (const [zone, count] of counts) totals.set(zone, (totals.get(zone) ?? 0) + count);
  return true;
}

function zoneHint(endpoint: Endpoint, moves: Moves, totals: Map<string, number>): Endpoint['hints'] {
  if (!isEndpointReady(endpoint) || !endpoint.zone) return undefined;
  const to = moves.take(endpoint.zone);
  if (to === undefined) return { forZones: [{ name: endpoint.zone }] };
  totals.set(endpoint.zone, (totals.get(endpoint.zone) ?? 0) - 1);
  totals.set(to, (totals.get(to) ?? 0) + 1);
  return { forZones: [{ name: to }] };
}

/** How many endpoints each zone with too many has to give to zones with too few. */
class Moves {
  #giving = new Map<string, number>();
  #receiving = new Map<string, number>();

  /**
   * Moves whole endpoints, always from the fullest zone to the emptiest, while that still evens things out. Rounding may
   * leave a zone above its most while another is below its least; then moving goes on, for such hints would count as
   * unfit at the next sync.
   */
  constructor(allocations: Allocations, totals: ZoneTotals) {
    const zones = [...allocations.keys()].sort();
    const over = (bound: keyof ZoneAllocation) =>
      new Map(
        zones.map((zone) => {
          const count = (totals.get(zone) ?? 0) + (this.#receiving.get(zone) ?? 0) - (this.#giving.get(zone) ?? 0);
          return [zone, count - (allocations.get(zone)?.[bound] ?? 0)];
        }),
      );
    for (;;) {
      const difference = over('desired');
      const [giver, gives] = largest(difference);
      const [receiver, takes] = largest(negated(difference));
      if (giver === undefined || receiver === undefined) break;
      if ((gives < 1 && takes < 1) || gives < 0.5 || takes < 0.5) break;
      this.#move(giver, receiver);
    }
    for (;;) {
      const [giver] = largest(over('maximum'));
      const [receiver] = largest(negated(over('minimum')));
      if (giver === undefined || receiver === undefined) break;
      this.#move(giver, receiver);
    }
  }

  #move(giver: string, receiver: string): void {
    this.#giving.set(giver, (this.#giving.get(giver) ?? 0) + 1);
    this.#receiving.set(receiver, (this.#receiving.get(receiver) ?? 0) + 1);
  }

  /** The zone to which the next endpoint of `zone` goes, or undefined when it stays. */
  take(zone: string): string | undefined {
    const left = this.#giving.get(zone) ?? 0;
    if (left === 0) return undefined;
    for (const [receiver, wanted] of this.#receiving) {
      if (wanted === 0) continue;
      this.#giving.set(zone, left - 1);
      this.#receiving.set(receiver, wanted - 1);
      return receiver;
    }
    return undefined;
  }
}

function largest(amounts: ReadonlyMap<string, number>): [string, number] | [undefined, 0] {
  let best: [string, number] | [undefined, 0] = [undefined, 0];
  for (const [zone, amount] of amounts) if (amount > best[1]) best = [zone, amount];
  return best;
}

function negated(amounts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...amounts].map(([zone, amount]) => [zone, -amount]));
}
