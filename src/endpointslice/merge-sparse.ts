import { type Draft, inState } from './draft.ts';

/**
 * Merges slices that scaling down has thinned out. Only done on the occasion of an update: one slice whose endpoints all
 * fit into others that are written anyway is emptied into them and deleted. Best is one that was itself to be updated,
 * which costs no further write, then the smallest; the delete of an unchanged slice is the one further write.
 */
export function mergeSparse(drafts: readonly Draft[], maxEndpoints: number): void {
  const updates = inState(drafts, 'update');
  if (updates.length === 0) return;
  const candidates = drafts
    .filter((draft) => draft.before !== undefined && (draft.state === 'update' || draft.state === 'unchanged'))
    .sort(
      (a, b) => Number(b.state === 'update') - Number(a.state === 'update') || a.endpoints.length - b.endpoints.length,
    );
  for (const source of candidates) {
    const targets = updates.filter((draft) => draft !== source);
    const room = targets.reduce((sum, draft) => sum + Math.max(0, maxEndpoints - draft.endpoints.length), 0);
    if (targets.length === 0 || room < source.endpoints.length) continue;
    const rest = [...source.endpoints];
    for (const target of targets.sort((a, b) => b.endpoints.length - a.endpoints.length)) {
      const free = Math.max(0, maxEndpoints - target.endpoints.length);
      target.endpoints = target.endpoints.concat(rest.splice(0, free));
    }
    source.state = 'delete';
    source.endpoints = source.before?.endpoints ?? [];
    return;
  }
}
