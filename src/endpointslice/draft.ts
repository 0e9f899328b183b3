import type { Endpoint, EndpointPort, EndpointSlice } from '../objects/endpointslice.ts';

/** What is to become of one slice. Planning steps move drafts from state to state; nothing is written meanwhile. */
export type DraftState = 'create' | 'update' | 'unchanged' | 'delete';

/**
 * One slice on the drawing board. `endpoints` is the draft's own array, but its elements may be shared with the cache:
 * replace them, never change them. A draft in state `create` has no `before` until it takes over a slice that would
 * have been deleted.
 */
export interface Draft {
  state: DraftState;
  before: EndpointSlice | undefined;
  ports: EndpointPort[];
  endpoints: Endpoint[];
  /** Only hints set this draft's update in motion: when they come out as they were, there is nothing to write. */
  hintsOnly: boolean;
}

export function draftOf(slice: EndpointSlice, state: DraftState): Draft {
  return { state, before: slice, ports: slice.ports, endpoints: slice.endpoints, hintsOnly: false };
}

export function freshDraft(ports: EndpointPort[], endpoints: Endpoint[] = []): Draft {
  return { state: 'create', before: undefined, ports, endpoints, hintsOnly: false };
}

export function inState(drafts: readonly Draft[], state: DraftState): Draft[] {
  return drafts.filter((draft) => draft.state === state);
}
