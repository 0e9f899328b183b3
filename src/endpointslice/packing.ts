import type { Endpoint, EndpointPort, EndpointSlice } from '../objects/endpointslice.ts';
import { type Draft, draftOf, freshDraft } from './draft.ts';
import { endpointIdentity, sameEndpoint } from './endpoint.ts';
import { labelsDiffer } from './labels.ts';

/** All endpoints that share a set of ports, and the slices that hold such endpoints now. */
export interface PackingInput {
  ports: EndpointPort[];
  existing: readonly EndpointSlice[];
  /** By identity. Emptied by packing. */
  desired: Map<string, Endpoint>;
  labels: Record<string, string>;
  maxEndpoints: number;
  /** Slices about to go: where the endpoints without a place are now, so that those of one slice stay together. */
  leaving: readonly EndpointSlice[];
}

export interface Packing {
  drafts: Draft[];
  added: number;
  removed: number;
}

/**
 * Places the endpoints of one port group: what has a place keeps it; what has none goes first into slices that must be
 * written anyway, then, if they all fit, into one slice more, else into new ones. Fewer writes matter more than full
 * slices (KEP-752), since every write of a slice is sent to every node.
 */
export function packGroup(input: PackingInput): Packing {
  const { desired, maxEndpoints } = input;
  const drafts: Draft[] = [];
  let removed = 0;
  for (const slice of input.existing) {
    const draft = keepPlaces(slice, desired, input.labels);
    removed += slice.endpoints.length - (draft.state === 'delete' ? 0 : draft.endpoints.length);
    drafts.push(draft);
  }
  const added = desired.size;
  if (added === 0) return { drafts, added, removed };

  const homeless = togetherBySource(desired, input.leaving);
  const updates = drafts.filter((d) => d.state === 'update').sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const draft of updates) fill(draft, homeless, maxEndpoints);
  while (homeless.length > 0) {
    const roomy = homeless.length < maxEndpoints ? fullestWithRoom(drafts, homeless.length, maxEndpoints) : undefined;
    const target = roomy ?? freshDraft(input.ports);
    if (roomy) roomy.state = 'update';
    else drafts.push(target);
    fill(target, homeless, maxEndpoints);
  }
  return { drafts, added, removed };
}

/**
 * The slice with the endpoints that stay. Each is taken out of `desired`, so that a second copy of it, in this slice
 * or another, finds nothing to stand for and is dropped.
 */
function keepPlaces(slice: EndpointSlice, desired: Map<string, Endpoint>, labels: Record<string, string>): Draft {
  const kept: Endpoint[] = [];
  let changed = false;
  for (const endpoint of slice.endpoints) {
    const identity = endpointIdentity(endpoint);
    const wanted = desired.get(identity);
    if (wanted === undefined) continue;
    desired.delete(identity);
    kept.push(wanted);
    changed ||= !sameEndpoint(endpoint, wanted);
  }
  if (changed || kept.length !== slice.endpoints.length) {
    return kept.length === 0 ? draftOf(slice, 'delete') : { ...draftOf(slice, 'update'), endpoints: kept };
  }
  return draftOf(slice, labelsDiffer(slice, labels) ? 'update' : 'unchanged');
}

function fill(draft: Draft, homeless: Endpoint[], maxEndpoints: number): void {
  const room = maxEndpoints - draft.endpoints.length;
  if (room > 0) draft.endpoints = draft.endpoints.concat(homeless.splice(0, room));
}

/** Of the unchanged slices that can take all `count`, the one that becomes fullest. */
function fullestWithRoom(drafts: readonly Draft[], count: number, maxEndpoints: number): Draft | undefined {
  let best: Draft | undefined;
  for (const draft of drafts) {
    if (draft.state !== 'unchanged' || draft.endpoints.length + count > maxEndpoints) continue;
    if (best === undefined || draft.endpoints.length > best.endpoints.length) best = draft;
  }
  return best;
}

/**
 * Endpoints in the order of the slices they come from, new ones last. New slices cut from this order take over the
 * slices they were cut out of with few moves, and moves only ever go one way along the order.
 */
function togetherBySource(desired: Map<string, Endpoint>, leaving: readonly EndpointSlice[]): Endpoint[] {
  const ordered: Endpoint[] = [];
  for (const slice of leaving) {
    for (const endpoint of slice.endpoints) {
      const identity = endpointIdentity(endpoint);
      const wanted = desired.get(identity);
      if (wanted === undefined) continue;
      ordered.push(wanted);
      desired.delete(identity);
    }
  }
  ordered.push(...desired.values());
  desired.clear();
  return ordered;
}
