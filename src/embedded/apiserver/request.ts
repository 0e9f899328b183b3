import type { IncomingMessage } from 'node:http';

/** What a request asks for, read from its method and URL alone. */
export interface RequestInfo {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for other paths the method. */
  verb: string;
  path: string;
  query: URLSearchParams;
  /** Absent when the path names no resource. */
  resource: ResourceTarget | undefined;
}

export interface ResourceTarget {
  group: string;
  version: string;
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

const namespaceSubresources = new Set(['status', 'finalize']);

/** @throws URIError when the path is not valid percent-encoding. */
export function parseRequest(message: Pick<IncomingMessage, 'method' | 'url'>): RequestInfo {
  const url = message.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const resource = parseTarget(path.split('/').filter(Boolean).map(decodeURIComponent));
  return { verb: verbOf(message.method ?? 'GET', resource, query), path, query, resource };
}

function parseTarget(parts: string[]): ResourceTarget | undefined {
  const [root] = parts;
  if (root !== 'api' && root !== 'apis') return undefined;
  const [group = '', version, ...rest] = root === 'api' ? ['', ...parts.slice(1)] : parts.slice(1);
  if (version === undefined || rest.length === 0) return undefined;
  let namespace: string | undefined;
  const namesNamespace = rest[0] === 'namespaces' && rest.length > 2 && !namespaceSubresources.has(rest[2] ?? '');
  if (namesNamespace) namespace = rest.splice(0, 2)[1];
  const [plural = '', name, ...subresource] = rest;
  const target: ResourceTarget = { group, version, plural, namespace, name, subresource: undefined };
  if (subresource.length > 0) target.subresource = subresource.join('/');
  return target;
}

function verbOf(method: string, resource: ResourceTarget | undefined, query: URLSearchParams): string {
  if (!resource) return method.toLowerCase();
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (resource.name !== undefined) return 'get';
      return isTrue(query.get('watch')) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return resource.name === undefined ? 'deletecollection' : 'delete';
    default:
      return method.toLowerCase();
  }
}

/** A boolean query parameter: present without a value means true, as the real server reads it. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}
