import type { EndpointSlice } from '../objects/endpointslice.ts';

/** The API calls of the controller. All reject with `ApiError`. */
export interface SliceClient {
  get(namespace: string, name: string): Promise<EndpointSlice>;
  /** Resolves with what the API server stored. */
  create(slice: EndpointSlice): Promise<EndpointSlice>;
  /** Fails with CONFLICT when `metadata.resourceVersion` is given and no longer current. */
  update(slice: EndpointSlice): Promise<EndpointSlice>;
  /** Deletes this very slice, not another one that has taken its name. */
  delete(slice: EndpointSlice): Promise<void>;
}
