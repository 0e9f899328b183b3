import type { AddressType } from '../../objects/endpointslice.ts';
import type { ZoneTotals } from './allocation.ts';

/** What became of hints `Auto` at the last sync of one address type of a Service. */
export type HintOutcome = { zones: ZoneTotals } | { problem: string };

/** By address type; a type without entry has no hints `Auto`. Absent altogether where no Service asked for them. */
export type HintMemory = Partial<Record<AddressType, HintOutcome>>;

export function hasZones(outcome: HintOutcome | undefined): outcome is { zones: ZoneTotals } {
  return outcome !== undefined && 'zones' in outcome;
}

/** Whether any address type of the Service carries hints `Auto` now. */
export function isPopulated(memory: HintMemory | undefined): boolean {
  return memory !== undefined && Object.values(memory).some(hasZones);
}
