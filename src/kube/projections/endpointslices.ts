import type { AddressType, Endpoint, EndpointPort, EndpointSlice } from '../../objects/endpointslice.ts';
import { encodeEndpointSlice } from '../proto/encode-endpointslice.ts';
import { decodeEndpointSlice, decodeWholeEndpointSlice } from '../proto/endpointslices.ts';
import type { Resource } from '../resource.ts';
import { isRecord } from '../values.ts';
import { intern, internMap } from './intern.ts';
import { list, record } from './meta.ts';
import { share } from './share.ts';
import { wholeMeta } from './whole.ts';

/** EndpointSlices, kept whole but for `managedFields`: they are written back, and fields unknown here must survive that. */
export const ENDPOINT_SLICES: Resource<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
  project: projectSlice,
  decode: decodeWholeEndpointSlice,
  encode: encodeEndpointSlice,
  share: (before, after) => share(before, after) as EndpointSlice,
};

/** The same for who only reads them: without what they have no use for. */
export const ENDPOINT_SLICES_READ_ONLY: Resource<EndpointSlice> = { ...ENDPOINT_SLICES, decode: decodeEndpointSlice };

function projectSlice(raw: unknown): EndpointSlice {
  const metadata = wholeMeta(raw, 'EndpointSlice');
  if (metadata.namespace !== undefined) metadata.namespace = intern(metadata.namespace);
  const labels = internMap(metadata.labels);
  if (labels) metadata.labels = labels;
  const from = record(raw);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    ...from,
    metadata,
    addressType: (typeof from.addressType === 'string' ? intern(from.addressType) : 'IPv4') as AddressType,
    // The server prints an empty list of a slice as null.
    endpoints: list(from.endpoints).flatMap(projectEndpoint),
    ports: list(from.ports).flatMap((port): EndpointPort[] => (isRecord(port) ? [port as EndpointPort] : [])),
  };
}

function projectEndpoint(raw: unknown): Endpoint[] {
  if (!isRecord(raw)) return [];
  const endpoint = raw as unknown as Endpoint;
  if (!Array.isArray(endpoint.addresses)) endpoint.addresses = [];
  if (typeof endpoint.nodeName === 'string') endpoint.nodeName = intern(endpoint.nodeName);
  if (typeof endpoint.zone === 'string') endpoint.zone = intern(endpoint.zone);
  const { targetRef } = endpoint;
  if (isRecord(targetRef)) {
    if (typeof targetRef.kind === 'string') targetRef.kind = intern(targetRef.kind);
    if (typeof targetRef.namespace === 'string') targetRef.namespace = intern(targetRef.namespace);
  }
  return [endpoint];
}
