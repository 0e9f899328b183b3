import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { Service } from '../objects/service.ts';
import { type Draft, inState } from './draft.ts';
import { endpointIdentity, isOwnedBy } from './endpoint.ts';

/**
 * Turns pairs of "create one slice" and "delete another" into one update. A new slice takes over the one it has most
 * endpoints in common with, so that as few as possible move.
 */
export function recycle(drafts: Draft[], service: Service): Draft[] {
  const creates = inState(drafts, 'create');
  if (creates.length === 0) return drafts;
  const free = new Set(
    inState(drafts, 'delete').filter((draft) => draft.before !== undefined && isOwnedBy(draft.before, service)),
  );
  if (free.size === 0) return drafts;
  const holder = new Map<string, Draft>();
  for (const draft of free) for (const endpoint of draft.endpoints) holder.set(endpointIdentity(endpoint), draft);
  const waiting: Draft[] = [];
  for (const create of creates) {
    const source = mostShared(create, holder, free);
    if (source) takeOver(create, source, free);
    else waiting.push(create);
  }
  for (const create of waiting) {
    const [source] = free;
    if (source) takeOver(create, source, free);
  }
  return drafts.filter((draft) => draft.state !== 'delete' || draft.before !== undefined);
}

function mostShared(create: Draft, holder: Map<string, Draft>, free: ReadonlySet<Draft>): Draft | undefined {
  const shared = new Map<Draft, number>();
  let best: Draft | undefined;
  for (const endpoint of create.endpoints) {
    const source = holder.get(endpointIdentity(endpoint));
    if (source === undefined || !free.has(source)) continue;
    shared.set(source, (shared.get(source) ?? 0) + 1);
    if (best === undefined || (shared.get(source) ?? 0) > (shared.get(best) ?? 0)) best = source;
  }
  return best;
}

function takeOver(create: Draft, source: Draft, free: Set<Draft>): void {
  free.delete(source);
  create.state = 'update';
  create.before = source.before;
  // Spent: the slice it stood for lives on in `create`.
  source.before = undefined;
}

/** Whether the update `before` -> `after` gives a slice other ports, that is, another life. */
export function isRecycled(draft: Draft): draft is Draft & { before: EndpointSlice } {
  return draft.state === 'update' && draft.before !== undefined && draft.before.ports !== draft.ports;
}
