/** What a slice is to hold, by its plainest description: port -> endpoint -> everything else about it. */
export type Desired = Map<string, Map<string, string>>;

export interface Described {
  /** Set of ports as text. */
  ports: string;
  /** Endpoints as `identity=>everything else`, in order. */
  endpoints: [string, string][];
  owned: boolean;
  labelsDiffer: boolean;
  isPlaceholder: boolean;
}

/**
 * How many slices upstream's controller would create, update and delete for one address type, hints aside: its
 * published behaviour, counted without building a single slice.
 */
export function upstreamWrites(
  existing: Described[],
  desired: Desired,
  max: number,
): { create: number; update: number; delete: number } {
  let creates = 0;
  const updates: number[] = [];
  let deletes = existing.filter((slice) => !slice.owned).length;
  let recyclable = 0;
  const owned = existing.filter((slice) => slice.owned);
  const drop = () => {
    deletes++;
    recyclable++;
  };
  for (const slice of owned) if (!desired.has(slice.ports)) drop();
  for (const [ports, endpoints] of desired) {
    const left = new Map(endpoints);
    const unchanged: number[] = [];
    const open: number[] = [];
    for (const slice of owned.filter((s) => s.ports === ports)) {
      let kept = 0;
      let changed = false;
      for (const [identity, rest] of slice.endpoints) {
        const wanted = left.get(identity);
        if (wanted === undefined) continue;
        left.delete(identity);
        kept++;
        changed ||= wanted !== rest;
      }
      if (changed || kept < slice.endpoints.length) {
        if (kept === 0) drop();
        else open.push(kept);
      } else if (slice.labelsDiffer) open.push(kept);
      else unchanged.push(kept);
    }
    let n = left.size;
    open.sort((a, b) => b - a);
    for (const count of open) n -= Math.min(n, Math.max(0, max - count));
    updates.push(...open);
    while (n > 0) {
      const fits = unchanged.filter((count) => count + n <= max).sort((a, b) => b - a)[0];
      if (n < max && fits !== undefined) {
        unchanged.splice(unchanged.indexOf(fits), 1);
        updates.push(fits);
        n = 0;
      } else {
        creates++;
        n -= Math.min(n, max);
      }
    }
  }
  if (deletes === existing.length && creates === 0) {
    const [only] = existing;
    if (existing.length === 1 && only?.isPlaceholder && only.owned) {
      deletes--;
      recyclable--;
    } else creates++;
  }
  const recycled = Math.min(creates, recyclable);
  return { create: creates - recycled, update: updates.length + recycled, delete: deletes - recycled };
}
