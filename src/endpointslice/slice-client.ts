import type { EndpointSlice } from '../objects/endpointslice.ts';

/** Of a slice that was stored, name, uid, versions and generation. */
export type WrittenSlice = Pick<EndpointSlice, 'metadata'>;

/** The API calls of the controller. All reject with `ApiError`. */
export interface SliceClient {
  get(namespace: string, name: string): Promise<EndpointSlice>;
  /** Resolves with what the API server made of it. */
  create(slice: EndpointSlice): Promise<WrittenSlice>;
  /** As `create`. Fails with CONFLICT when `metadata.resourceVersion` is given and no longer current. */
  update(slice: EndpointSlice): Promise<WrittenSlice>;
  /** Deletes this very slice, not another one that has taken its name. */
  delete(slice: EndpointSlice): Promise<void>;
}
