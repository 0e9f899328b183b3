import { isOverloaded } from './allocation.ts';
import { type HintMemory, hasZones } from './memory.ts';
import type { ZoneShares } from './zone-shares.ts';

/**
 * Whether new zone shares are a reason to look at a Service again: its hints would overload a zone, or hints were
 * impossible under the old shares and may have become possible (which upstream does not look at).
 */
export function needsRevisit(memory: HintMemory, shares: ZoneShares, options: { restoreHints: boolean }): boolean {
  return Object.values(memory).some((outcome) =>
    hasZones(outcome) ? isOverloaded(outcome.zones, shares) : options.restoreHints && shares !== undefined,
  );
}
