import { cloneJson } from '../json.ts';
import type { Cause, RawObject, Strategy, StrategyContext } from '../kind.ts';
import { patchKeysOf } from './schema/keys.ts';

/** What a kind states about itself; everything left out does nothing. `columns` and `row` have no sensible default. */
export type StrategyRules = Partial<Omit<Strategy, 'columns' | 'row' | 'mergeKeys' | 'applyKeys'>> &
  Pick<Strategy, 'columns' | 'row'>;

/** @param className the kind's type in @kubernetes/client-node, from which follows how patches merge it */
export function strategyOf(className: string, rules: StrategyRules): Strategy {
  return {
    prepareForCreate: nothing,
    setDefaults: nothing,
    validate: noCauses,
    prepareForUpdate: nothing,
    validateUpdate: noCauses,
    ...rules,
    ...patchKeysOf(className),
  };
}

function nothing(): void {}

function noCauses(_object: RawObject, _before: unknown, _third?: unknown, _context?: StrategyContext): Cause[] {
  return [];
}

/** An update of the main resource cannot change `status`. */
export function keepStatus(object: RawObject, before: RawObject): void {
  keep('status', object, before);
}

/** An update of the `status` subresource cannot change `spec`. */
export function keepSpec(object: RawObject, before: RawObject): void {
  keep('spec', object, before);
}

/** The status of some newer kinds is written without any say in the metadata (apimachinery ResetObjectMetaForStatus). */
export function keepMetadata(object: RawObject, before: RawObject): void {
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
    delete object.metadata[field];
    const value = before.metadata[field];
    if (value !== undefined) Object.assign(object.metadata, { [field]: cloneJson(value) });
  }
}

function keep(field: 'spec' | 'status', object: RawObject, before: RawObject): void {
  if (before[field] === undefined) delete object[field];
  else object[field] = cloneJson(before[field]);
}

/** Kinds that count generations start at 1 and count a step when `changed` says so. */
export function countGeneration(object: RawObject, before: RawObject | undefined, changed = true): void {
  const last = before?.metadata.generation ?? 0;
  object.metadata.generation = before && !changed ? last : last + 1;
}
