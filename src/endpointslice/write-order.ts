import type { Endpoint } from '../objects/endpointslice.ts';
import { type Draft, freshDraft, inState } from './draft.ts';
import { endpointIdentity, isEndpointReady } from './endpoint.ts';
import { portsKey } from './ports.ts';
import { isRecycled } from './recycle.ts';

/** Changes of places looked at for one Service: what hardly ever happens must not cost much time. */
const MAX_TRIES = 24;

/** The identities of the ready endpoints in a list; worked out once for each list. */
type ReadyIn = (endpoints: readonly Endpoint[]) => readonly string[];

/**
 * Orders the writes so that no ready endpoint is ever missing between them: a slice that gains an endpoint is written
 * before the slice that loses it, and writing stops at the first failure. Creates lose nothing and come first; deletes
 * gain nothing and come last; updates are sorted by who waits for whom. Updates may wait for each other in a circle.
 * Then recycled slices change places with each other or with new ones, as far as that helps. Where it does not (two
 * slices exchange endpoints), one of them is split: a new slice gets its gains, which costs one more write unless one
 * that is created anyway takes them in.
 */
export function orderWithoutGaps(drafts: Draft[], options: { mayCreate: boolean; maxEndpoints: number }): Draft[] {
  const { mayCreate, maxEndpoints } = options;
  if (inState(drafts, 'update').length < 2) return drafts;
  const all = [...drafts];
  const readyIn = rememberReady();
  let tries = MAX_TRIES;
  for (;;) {
    const { ordered, left, waits } = sortUpdates(all, readyIn);
    const circle = findCircle(waits);
    const recycled = circle.filter(isRecycled);
    const places = mayCreate ? [...recycled, ...inState(all, 'create')] : recycled;
    const fewerLeft = () => --tries >= 0 && sortUpdates(all, readyIn).left.length < left.length;
    if (tries > 0 && changePlaces(recycled, places, fewerLeft)) continue;
    const victim = recycled[0] ?? circle[0];
    // A Service on its way out gets no new slices, and then there is no other way to break a circle.
    if (victim === undefined || !mayCreate) return [...all.filter(isNoUpdate), ...ordered, ...left];
    const gains = split(victim);
    const host = all.find((draft) => takesIn(draft, gains, maxEndpoints));
    if (host) host.endpoints = host.endpoints.concat(gains.endpoints);
    else all.push(gains);
  }
}

const isNoUpdate = ({ state }: Draft) => state !== 'update';

/** The updates that can be written one after the other, those left over, and who of the latter waits for whom. */
function sortUpdates(
  drafts: readonly Draft[],
  readyIn: ReadyIn,
): { ordered: Draft[]; left: Draft[]; waits: Map<Draft, Draft> } {
  const ordered: Draft[] = [];
  const creates = inState(drafts, 'create');
  const unchanged = inState(drafts, 'unchanged');
  let left = inState(drafts, 'update');
  for (;;) {
    const waits = waitsBetween(left, [...creates, ...unchanged, ...ordered], readyIn);
    if (waits.size === left.length) return { ordered, left, waits };
    ordered.push(...left.filter((draft) => !waits.has(draft)));
    left = left.filter((draft) => waits.has(draft));
  }
}

/** Updates of `left` that lose a ready endpoint which another of them has yet to gain -> that other. */
function waitsBetween(left: readonly Draft[], written: readonly Draft[], readyIn: ReadyIn): Map<Draft, Draft> {
  const safe = new Set<string>();
  for (const draft of written) for (const id of readyIn(draft.endpoints)) safe.add(id);
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

/** Lets one of the recycled slices and one of `places` change what is to be in them, if that is of use. */
function changePlaces(recycled: readonly Draft[], places: readonly Draft[], isOfUse: () => boolean): boolean {
  for (const draft of recycled) {
    for (const other of places) {
      if (other === draft) continue;
      exchange(draft, other);
      if (isOfUse()) return true;
      exchange(draft, other);
    }
  }
  return false;
}

function exchange(a: Draft, b: Draft): void {
  [a.ports, b.ports] = [b.ports, a.ports];
  [a.endpoints, b.endpoints] = [b.endpoints, a.endpoints];
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

function takesIn({ state, ports, endpoints }: Draft, gains: Draft, maxEndpoints: number): boolean {
  if (state !== 'create' || endpoints.length + gains.endpoints.length > maxEndpoints) return false;
  return portsKey(ports) === portsKey(gains.ports);
}

function rememberReady(): ReadyIn {
  const known = new Map<readonly Endpoint[], readonly string[]>();
  return (endpoints) => {
    let ready = known.get(endpoints);
    if (ready === undefined) {
      ready = endpoints.filter(isEndpointReady).map(endpointIdentity);
      known.set(endpoints, ready);
    }
    return ready;
  };
}
