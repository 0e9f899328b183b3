import type { Endpoint, EndpointHints } from '../../objects/endpointslice.ts';
import type { Draft } from '../draft.ts';

/** The endpoint with these hints; the very same object when it has them already. */
export function withHints(endpoint: Endpoint, hints: EndpointHints | undefined): Endpoint {
  if (sameHints(endpoint.hints, hints)) return endpoint;
  const { hints: _, ...rest } = endpoint;
  return hints === undefined ? rest : { ...rest, hints };
}

export function sameHints(a: EndpointHints | undefined, b: EndpointHints | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return sameNames(a.forZones, b.forZones) && sameNames(a.forNodes, b.forNodes);
}

function sameNames(a: { name: string }[] | undefined, b: { name: string }[] | undefined): boolean {
  const [x, y] = [a ?? [], b ?? []];
  return x.length === y.length && x.every((entry, i) => entry.name === y[i]?.name);
}

/** Gives each endpoint of the draft the hints that `hintsOf` says, keeping the array when nothing changes. */
export function editHints(draft: Draft, hintsOf: (endpoint: Endpoint) => EndpointHints | undefined): void {
  let changed = false;
  const edited = draft.endpoints.map((endpoint) => {
    const result = withHints(endpoint, hintsOf(endpoint));
    changed ||= result !== endpoint;
    return result;
  });
  if (changed) draft.endpoints = edited;
}

/** An unchanged slice whose hints may come out differently. `settlePromoted` decides whether it is written. */
export function promote(draft: Draft): void {
  draft.state = 'update';
  draft.hintsOnly = true;
}

/** Takes back the promotions that led to nothing, so that a sync without news writes nothing. */
export function settlePromoted(drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    if (!draft.hintsOnly || draft.state !== 'update') continue;
    if (draft.endpoints === draft.before?.endpoints) draft.state = 'unchanged';
    draft.hintsOnly = false;
  }
}

/** Removes all hints, from slices that would otherwise be left alone as well. */
export function stripHints(drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    if (draft.state === 'delete') continue;
    if (draft.state === 'unchanged') {
      if (draft.endpoints.every((endpoint) => endpoint.hints === undefined)) continue;
      promote(draft);
    }
    editHints(draft, () => undefined);
  }
}
