import type { Endpoint } from '../objects/endpointslice.ts';
import { type Draft, freshDraft, inState } from './draft.ts';
import { endpointIdentity, isEndpointReady } from './endpoint.ts';
import { isRecycled } from './recycle.ts';

/**
 * Orders the writes so that no ready endpoint is ever missing between them: a slice that gains an endpoint is written
 * before the slice that loses it, and writing stops at the first failure. Creates lose nothing and come first; deletes
 * gain nothing and come last; updates are sorted by who waits for whom. Where updates wait for each other in a circle
 * (two slices exchange endpoints), one of them is split: its gains go into a new slice, which costs one more write.
 */
export function orderWithoutGaps(drafts: Draft[], options: { mayCreate: boolean }): Draft[] {
  const updates = inState(drafts, 'update');
  if (updates.length < 2) return drafts;
  const written = drafts.filter((draft) => draft.state !== 'update');
  let left = updates;
  while (left.length > 0) {
    const waits = waitsBetween(left, written);
    const free = left.filter((draft) => !waits.has(draft));
    if (free.length > 0) {
      written.push(...free);
      left = left.filter((draft) => waits.has(draft));
      continue;
    }
    // A Service on its way out gets no new slices, and then there is no way to break a circle.
    if (!options.mayCreate) return [...written, ...left];
    const circle = findCircle(waits);
    const victim = circle.find(isRecycled) ?? circle[0];
    if (victim === undefined) return [...written, ...left];
    written.push(split(victim));
    if (victim.state === 'delete') {
      left = left.filter((draft) => draft !== victim);
      written.push(victim);
    }
  }
  return written;
}

/** Updates of `left` that lose a ready endpoint which another of them has yet to gain -> that other. */
function waitsBetween(left: readonly Draft[], written: readonly Draft[]): Map<Draft, Draft> {
  const safe = new Set<string>();
  for (const draft of written) {
    if (draft.state !== 'delete') for (const id of readyIn(draft.endpoints)) safe.add(id);
  }
  const gainer = new Map<string, Draft>();
  for (const draft of left) {
    const before = new Set(readyIn(draft.before?.endpoints ?? []));
    for (const id of readyIn(draft.endpoints)) {
      if (before.has(id)) safe.add(id);
      else gainer.set(id, draft);
    }
  }
  const waits = new Map<Draft, Draft>();
  for (const draft of left) {
    for (const id of readyIn(draft.before?.endpoints ?? [])) {
      const other = safe.has(id) ? undefined : gainer.get(id);
      if (other !== undefined) waits.set(draft, other);
    }
  }
  return waits;
}

/** Follows who waits for whom, starting anywhere, until it comes back to where it has been. */
function findCircle(waits: ReadonlyMap<Draft, Draft>): Draft[] {
  const path: Draft[] = [];
  let [at] = waits.keys();
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = waits.get(at);
  }
  return at === undefined ? [] : path.slice(path.indexOf(at));
}

/** Leaves to `draft` only what it had; the rest goes into the new slice that is returned. */
function split(draft: Draft): Draft {
  if (isRecycled(draft)) {
    const fresh = freshDraft(draft.ports, draft.endpoints);
    draft.state = 'delete';
    draft.ports = draft.before.ports;
    draft.endpoints = draft.before.endpoints;
    return fresh;
  }
  const before = new Set((draft.before?.endpoints ?? []).map(endpointIdentity));
  const isGain = (endpoint: Endpoint) => !before.has(endpointIdentity(endpoint));
  const fresh = freshDraft(draft.ports, draft.endpoints.filter(isGain));
  draft.endpoints = draft.endpoints.filter((endpoint) => !isGain(endpoint));
  return fresh;
}

function* readyIn(endpoints: readonly Endpoint[]): Iterable<string> {
  for (const endpoint of endpoints) if (isEndpointReady(endpoint)) yield endpointIdentity(endpoint);
}
