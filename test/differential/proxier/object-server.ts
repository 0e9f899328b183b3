import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** As much of a Kubernetes object as the server looks at; it checks nothing. */
export interface AnyObject {
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; [more: string]: unknown };
  [more: string]: unknown;
}

export type Plural = 'nodes' | 'services' | 'endpointslices' | 'servicecidrs';

interface Change {
  revision: number;
  plural: Plural;
  before: AnyObject | undefined;
  after: AnyObject | undefined;
}

type Matches = (object: AnyObject) => boolean;

const API: Record<Plural, { path: string; apiVersion: string; kind: string }> = {
  nodes: { path: '/api/v1/nodes', apiVersion: 'v1', kind: 'Node' },
  services: { path: '/api/v1/services', apiVersion: 'v1', kind: 'Service' },
  endpointslices: {
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
  },
  servicecidrs: {
    path: '/apis/networking.k8s.io/v1/servicecidrs',
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
  },
};

/**
 * Lists and watches as a proxy asks for them, without any validation: a proxy has to bear objects that no API server of today
 * would let in, and two Services may claim one address here.
 */
export class ObjectServer {
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));
  readonly #objects = new Map<Plural, Map<string, AnyObject>>();
  readonly #changes: Change[] = [];
  readonly #watchers = new Set<(change: Change) => void>();
  readonly #sockets = new Set<Socket>();
  #revision = 1;
  /** What was posted (Events), by the address of the client. */
  readonly posted: { from: string; body: unknown }[] = [];

  /** Serves a connection that was accepted elsewhere. */
  accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#server.emit('connection', socket);
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  /** Makes these the only objects of their kind; whoever watches is told what that changed, in the order of the list. */
  replace(plural: Plural, objects: readonly AnyObject[]): void {
    const before = this.#objects.get(plural) ?? new Map<string, AnyObject>();
    const after = new Map(objects.map((object) => [keyOf(object), object]));
    this.#objects.set(plural, after);
    for (const [key, old] of before) if (!after.has(key)) this.#change(plural, old, undefined);
    for (const [key, next] of after) {
      const old = before.get(key);
      if (old && JSON.stringify(bare(old)) === JSON.stringify(bare(next))) after.set(key, old);
      else after.set(key, this.#change(plural, old, next) ?? next);
    }
  }

  #change(plural: Plural, before: AnyObject | undefined, after: AnyObject | undefined): AnyObject | undefined {
    const revision = ++this.#revision;
    const { apiVersion, kind } = API[plural];
    const stored = after && {
      ...after,
      apiVersion,
      kind,
      metadata: { ...after.metadata, resourceVersion: String(revision) },
    };
    const change = { revision, plural, before, after: stored };
    this.#changes.push(change);
    for (const watcher of this.#watchers) watcher(change);
    return stored;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://server');
    const plural = (Object.keys(API) as Plural[]).find((name) => API[name].path === url.pathname);
    if (url.pathname === '/version') send(response, 200, { major: '1', minor: '36', gitVersion: 'v1.36.2' });
    else if (request.method !== 'GET') void this.#take(request, response);
    else if (!plural) send(response, 404, failure('NotFound', 404));
    // Clients then list and watch as they did before there were streaming lists (KEP-3157).
    else if (url.searchParams.has('sendInitialEvents')) send(response, 422, failure('Invalid', 422));
    else if (isTrue(url.searchParams.get('watch'))) this.#watch(plural, url.searchParams, response);
    else this.#list(plural, url.searchParams, response);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: unknown = JSON.parse(await text(request));
    this.posted.push({ from: request.socket.remoteAddress ?? '', body });
    send(response, 201, { kind: 'Event', apiVersion: 'events.k8s.io/v1', metadata: {} });
  }

  #list(plural: Plural, query: URLSearchParams, response: ServerResponse): void {
    const { apiVersion, kind } = API[plural];
    const items = [...(this.#objects.get(plural)?.values() ?? [])].filter(selector(query));
    send(response, 200, {
      apiVersion,
      kind: `${kind}List`,
      metadata: { resourceVersion: String(this.#revision) },
      items,
    });
  }

  #watch(plural: Plural, query: URLSearchParams, response: ServerResponse): void {
    const matches = selector(query);
    const tell = (change: Change) => {
      if (change.plural !== plural) return;
      const before = change.before && matches(change.before);
      const after = change.after && matches(change.after);
      if (!before && !after) return;
      const type = after ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED';
      // As an API server does it for an object that leaves the selection: the object as it was.
      const last = after ? change.after : change.before;
      const object = { ...last, metadata: { ...last?.metadata, resourceVersion: String(change.revision) } };
      response.write(`${JSON.stringify({ type, object })}\n`);
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const since = Number(query.get('resourceVersion') ?? 0);
    for (const change of this.#changes) if (change.revision > since) tell(change);
    this.#watchers.add(tell);
    response.once('close', () => this.#watchers.delete(tell));
  }
}

function keyOf({ metadata }: AnyObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function bare({ apiVersion: _a, kind: _k, metadata, ...rest }: AnyObject): object {
  const { resourceVersion: _r, ...kept } = metadata;
  return { metadata: kept, ...rest };
}

/** The forms that proxies use: `!label`, `metadata.name=NAME` and `spec.clusterIP!=None`. */
function selector(query: URLSearchParams): Matches {
  const absent = /^!(.+)$/.exec(query.get('labelSelector') ?? '')?.[1];
  const field = query.get('fieldSelector') ?? '';
  const name = /^metadata\.name=(.+)$/.exec(field)?.[1];
  return (object) => {
    if (absent !== undefined && object.metadata.labels?.[absent] !== undefined) return false;
    if (name !== undefined && object.metadata.name !== name) return false;
    const spec = object.spec as { clusterIP?: string } | undefined;
    return field !== 'spec.clusterIP!=None' || spec?.clusterIP !== 'None';
  };
}

function isTrue(text: string | null): boolean {
  return text === '1' || text === 'true';
}

function failure(reason: string, code: number): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: reason, reason, code };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
