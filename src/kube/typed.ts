import type { KubeObject } from '../objects/meta.ts';
import type { KubeClient, PatchType } from './client.ts';
import { ApiError } from './errors.ts';
import { apiVersionOf, type Resource, resourcePath } from './resource.ts';
import { isRecord } from './values.ts';

export interface ListOptions {
  /** All namespaces when absent. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Objects a page. @default 500 */
  limit?: number;
}

export interface DeleteOptions {
  preconditions?: { uid?: string; resourceVersion?: string };
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
}

export interface PatchOptions {
  subresource?: string;
  /** Required for server-side apply. */
  fieldManager?: string;
  /** Server-side apply: take over fields that others own. */
  force?: boolean;
}

/**
 * Reads and writes of one kind. `namespace` is `undefined` for cluster-scoped kinds. Results are projected like cached objects. Every
 * method rejects with `ApiError` (errors.ts).
 */
export interface ResourceClient<T extends KubeObject> {
  get(namespace: string | undefined, name: string): Promise<T>;
  /** All objects, page by page. A page that expires meanwhile rejects with code GONE. */
  list(options?: ListOptions): AsyncGenerator<T, void, void>;
  /** `metadata.namespace` says where. */
  create(object: T): Promise<T>;
  /** PUT; conditional when `metadata.resourceVersion` is set. */
  update(object: T, subresource?: string): Promise<T>;
  patch(
    namespace: string | undefined,
    name: string,
    patch: unknown,
    type: PatchType,
    options?: PatchOptions,
  ): Promise<T>;
  delete(namespace: string | undefined, name: string, options?: DeleteOptions): Promise<void>;
}

export function resourceClient<T extends KubeObject>(client: KubeClient, resource: Resource<T>): ResourceClient<T> {
  const apiVersion = apiVersionOf(resource);
  const path = (namespace?: string, name?: string, subresource?: string) =>
    resourcePath(resource, { namespace, name, subresource });
  const written = (object: T) => ({ ...object, apiVersion, kind: resource.kind });
  return {
    async get(namespace, name) {
      return resource.project(await client.request({ method: 'GET', path: path(namespace, name) }));
    },
    async *list(options = {}) {
      const { namespace, labelSelector, fieldSelector, limit = 500 } = options;
      let continueToken: string | undefined;
      do {
        const query = { labelSelector, fieldSelector, limit, continue: continueToken };
        const page = readPage(await client.request({ method: 'GET', path: path(namespace), query }), path(namespace));
        for (const item of page.items) yield resource.project(item);
        continueToken = page.continueToken;
      } while (continueToken);
    },
    async create(object) {
      const body = written(object);
      return resource.project(await client.request({ method: 'POST', path: path(object.metadata.namespace), body }));
    },
    async update(object, subresource) {
      const { namespace, name } = object.metadata;
      const body = written(object);
      return resource.project(await client.request({ method: 'PUT', path: path(namespace, name, subresource), body }));
    },
    async patch(namespace, name, patch, type, options = {}) {
      const { subresource, fieldManager, force } = options;
      return resource.project(
        await client.request({
          method: 'PATCH',
          path: path(namespace, name, subresource),
          body: patch,
          patchType: type,
          query: { fieldManager, force },
        }),
      );
    },
    async delete(namespace, name, options = {}) {
      const body =
        Object.keys(options).length === 0 ? {} : { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options } };
      await client.request({ method: 'DELETE', path: path(namespace, name), ...body });
    },
  };
}

function readPage(raw: unknown, path: string): { items: unknown[]; continueToken: string | undefined } {
  const page = isRecord(raw) ? raw : undefined;
  const metadata = isRecord(page?.metadata) ? page.metadata : {};
  if (!page || !(Array.isArray(page.items) || page.items === null || page.items === undefined)) {
    throw new ApiError({ code: 'BAD_RESPONSE', message: `GET ${path}: the answer is not a list` });
  }
  const continueToken =
    typeof metadata.continue === 'string' && metadata.continue !== '' ? metadata.continue : undefined;
  return { items: Array.isArray(page.items) ? page.items : [], continueToken };
}
