import { equalJson } from '../json.ts';

/**
 * Orders a merged list: what `order` names keeps that order; the rest keeps the order of the live list and is put before the first
 * named item that stands later in the live list than it.
 * @param keyOf what identifies an item, in the list and in `order`
 */
export function normalizeOrder(
  merged: readonly unknown[],
  order: readonly unknown[],
  live: readonly unknown[],
  keyOf: (item: unknown) => unknown,
): unknown[] {
  const position = (list: readonly unknown[], item: unknown) =>
    list.findIndex((other) => equalJson(keyOf(other), keyOf(item)));
  const byPosition = (list: readonly unknown[]) => (a: unknown, b: unknown) => position(list, a) - position(list, b);
  const named = merged.filter((item) => position(order, item) >= 0).sort(byPosition(order));
  const rest = merged.filter((item) => position(order, item) < 0).sort(byPosition(live));
  let from = 0;
  for (const item of rest) {
    const standsAt = position(live, item);
    while (from < named.length && !(position(live, named[from]) > standsAt)) from++;
    named.splice(from, 0, item);
    from++;
  }
  return named;
}
