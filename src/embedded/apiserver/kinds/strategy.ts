import type { Cause, RawObject, Strategy, StrategyContext } from '../kind.ts';

/** Merge keys that every kind shares, because they stand in `metadata` (meta/v1 ObjectMeta). */
export const metadataMergeKeys: Record<string, string> = {
  'metadata.finalizers': '',
  'metadata.ownerReferences': 'uid',
};

/** What a kind states about itself; everything left out does nothing. `columns` and `row` have no sensible default. */
export type StrategyRules = Partial<Omit<Strategy, 'columns' | 'row' | 'mergeKeys'>> &
  Pick<Strategy, 'columns' | 'row'> & { mergeKeys?: Record<string, string> };

export function strategyOf(rules: StrategyRules): Strategy {
  return {
    prepareForCreate: nothing,
    setDefaults: nothing,
    validate: noCauses,
    prepareForUpdate: nothing,
    validateUpdate: noCauses,
    ...rules,
    mergeKeys: { ...metadataMergeKeys, ...rules.mergeKeys },
  };
}

function nothing(): void {}

function noCauses(_object: RawObject, _before: unknown, _third?: unknown, _context?: StrategyContext): Cause[] {
  return [];
}
