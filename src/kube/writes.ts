import type { KubeObject, ObjectMeta } from '../objects/meta.ts';
import type { KubeClient, RequestOptions } from './client.ts';
import { isApiError } from './errors.ts';
import { projectMeta } from './projections/meta.ts';
import { openEnvelope, PROTOBUF } from './proto/envelope.ts';
import { readMeta } from './proto/meta.ts';
import { ProtoReader } from './proto/reader.ts';
import { apiVersionOf, type Resource, resourcePath } from './resource.ts';

/** What the server knows of an object that it has just stored. */
export type Written = Pick<KubeObject, 'metadata'>;

/** Creates and updates of one kind, for who writes much and needs no copy of the object back. Both reject with `ApiError`. */
export interface Writes<T extends KubeObject> {
  /** `metadata.namespace` says where. */
  create(object: T): Promise<Written>;
  /** PUT; conditional when `metadata.resourceVersion` is set. */
  update(object: T): Promise<Written>;
}

/** Only the metadata of what was stored (KEP-2334), in protobuf, else in JSON, else all of it. */
const METADATA_ONLY = 'as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const ACCEPT = `${PROTOBUF};${METADATA_ONLY},application/json;${METADATA_ONLY},application/json`;

const UNSUPPORTED_MEDIA_TYPE = 415;

/** Writes in protobuf, which costs a server a fraction of JSON; in JSON once it has refused that, and where only JSON loses no field. */
export function writesOf<T extends KubeObject>(client: KubeClient, resource: Resource<T>): Writes<T> {
  const apiVersion = apiVersionOf(resource);
  const { kind } = resource;
  let speaksProtobuf = true;
  const write = async (call: Pick<RequestOptions, 'method' | 'path'>, object: T): Promise<Written> => {
    const message = speaksProtobuf ? resource.encode?.(object) : undefined;
    const json = () => client.request({ ...call, accept: ACCEPT, body: { ...object, apiVersion, kind } });
    if (!message) return written(await json(), kind);
    try {
      return written(await client.request({ ...call, accept: ACCEPT, message }), kind);
    } catch (error) {
      if (!isApiError(error) || error.httpStatus !== UNSUPPORTED_MEDIA_TYPE) throw error;
      speaksProtobuf = false;
      return written(await json(), kind);
    }
  };
  return {
    create: (object) =>
      write({ method: 'POST', path: resourcePath(resource, { namespace: object.metadata.namespace }) }, object),
    update: (object) => {
      const { namespace, name } = object.metadata;
      return write({ method: 'PUT', path: resourcePath(resource, { namespace, name }) }, object);
    },
  };
}

function written(answer: unknown, kind: string): Written {
  return { metadata: Buffer.isBuffer(answer) ? metadataOf(answer, kind) : projectMeta(answer, kind) };
}

/** Metadata is field 1 of every kind, and of PartialObjectMetadata. */
function metadataOf(answer: Buffer, kind: string): ObjectMeta {
  const reader = new ProtoReader(openEnvelope(answer).raw);
  const { end } = reader;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) return readMeta(reader, reader.message(), kind);
    reader.skip();
  }
  return readMeta(reader, end, kind);
}
