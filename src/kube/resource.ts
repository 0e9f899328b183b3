import type { KubeObject } from '../objects/meta.ts';

/** One kind of object at an API server, and how to cut what the server sends down to what Slicewise keeps. */
export interface Resource<T extends KubeObject> {
  /** `''` for the core group. */
  group: string;
  version: string;
  /** Plural, as in the URL: `endpointslices`. */
  plural: string;
  kind: string;
  namespaced: boolean;
  /** Builds the projected object from one decoded API object. Must not keep references to `raw` beyond what it returns. */
  project(raw: unknown): T;
  /**
   * The same from the object's protobuf message. Where present, protobuf is asked for and JSON taken where a server has nothing else. Must
   * not keep references to `bytes`. Either for a kind whose objects are never written back, for fields that it does not know are lost, or it
   * throws UnknownFieldError at one; objects are then read as JSON.
   */
  decode?(bytes: Buffer): T;
  /** The object as protobuf, in its envelope, for writing it; undefined for one that only JSON can hold in full. */
  encode?(object: T): Buffer | undefined;
  /** `after`, made to share with the version before it whatever parts of the two are equal. May change `after` to that end. */
  share?(before: T, after: T): T;
}

/** `v1`, `apps/v1`: what objects of a kind say of themselves. */
export function apiVersionOf({ group, version }: Pick<Resource<KubeObject>, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `/api/v1/namespaces/ns/pods/name/status`, with each part percent-encoded. Without `namespace`: across all namespaces. */
export function resourcePath(
  resource: Pick<Resource<KubeObject>, 'group' | 'version' | 'plural' | 'namespaced'>,
  target: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined } = {},
): string {
  const parts = resource.group === '' ? ['api', resource.version] : ['apis', resource.group, resource.version];
  if (resource.namespaced && target.namespace) parts.push('namespaces', target.namespace);
  parts.push(resource.plural);
  if (target.name) parts.push(target.name);
  if (target.subresource) parts.push(target.subresource);
  return `/${parts.map(encodeURIComponent).join('/')}`;
}
