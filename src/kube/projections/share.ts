import { isRecord } from '../values.ts';

/**
 * `after`, or `before` where both are the same JSON. Inside of what differs, parts that are the same are replaced by those of `before`, so
 * that of an object that changes often only the changes are new memory.
 */
export function share(before: unknown, after: unknown): unknown {
  if (before === after) return before;
  if (Array.isArray(before) && Array.isArray(after)) return shareList(before, after);
  if (isRecord(before) && isRecord(after)) return shareRecord(before, after);
  return after;
}

function shareList(before: unknown[], after: unknown[]): unknown[] {
  let same = before.length === after.length;
  for (let i = 0; i < after.length && i < before.length; i++) {
    after[i] = share(before[i], after[i]);
    same &&= after[i] === before[i];
  }
  return same ? before : after;
}

function shareRecord(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> {
  let same = true;
  let fields = 0;
  for (const field in after) {
    const shared = share(before[field], after[field]);
    after[field] = shared;
    same &&= shared === before[field];
    fields++;
  }
  return same && Object.keys(before).length === fields ? before : after;
}
