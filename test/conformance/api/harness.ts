import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { type ApiServer, startApiServer } from '../../../src/embedded/apiserver/server.ts';
import { startRealApiServer } from '../../support/real-apiserver.ts';
import { controllerManagerBinary } from '../../support/real-controller-manager.ts';
import { type Endpoint, runningServer, withControllers } from './endpoint.ts';
import { WatchReader } from './watch-reader.ts';

/** A decoded answer. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Parsed JSON, or `{ text }` when the server says it is something else. */
  body: Body;
}

/**
 * A decoded body as a test hopes it is: declared members may be absent at run time, and then the assertion that reads them fails.
 */
export interface Body {
  kind: string;
  apiVersion: string;
  metadata: Meta;
  spec: Record<string, unknown>;
  status: unknown;
  data: Record<string, string>;
  items: Body[];
  message: string;
  reason: string;
  code: number;
  details: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: { reason?: string; message?: string; field?: string }[];
    retryAfterSeconds?: number;
  };
  text: string;
  [key: string]: unknown;
}

export interface Meta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  creationTimestamp: string;
  deletionTimestamp: string;
  deletionGracePeriodSeconds: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  finalizers: string[];
  continue: string;
  remainingItemCount: number;
  managedFields: Record<string, unknown>[];
  [key: string]: unknown;
}

export interface Call {
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  /** Media type of the body; `application/json` by default. */
  type?: string;
  headers?: Record<string, string>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export const patchTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** The server under test. Its members work inside tests and hooks, not while tests are being collected. */
export interface TestServer {
  readonly flavour: 'embedded' | 'real';
  readonly url: string;
  readonly token: string;
  readonly caData: string | undefined;
  /** The embedded server's handle (faults, request log). @throws Error at the real server. */
  readonly embedded: ApiServer;
  call(method: Method, path: string, call?: Call): Promise<Answer>;
  get(path: string, query?: Call['query']): Promise<Answer>;
  post(path: string, body: unknown, query?: Call['query']): Promise<Answer>;
  put(path: string, body: unknown, query?: Call['query']): Promise<Answer>;
  patch(path: string, type: keyof typeof patchTypes, body: unknown, query?: Call['query']): Promise<Answer>;
  delete(path: string, body?: unknown, query?: Call['query']): Promise<Answer>;
  /** Opens a watch; it is closed after the test. */
  watch(path: string, query?: Call['query'], headers?: Record<string, string>): Promise<WatchReader>;
  /** Makes the server forget all versions but the present one. Calls from before it may be broken. */
  compact(): Promise<void>;
  /** Creates a namespace of its own for a test and returns its name; it is deleted after the test. */
  namespace(): Promise<string>;
}

export interface HarnessOptions {
  /** For what only the embedded server has, or lacks. */
  only?: 'embedded';
  /** The tests call `compact()`, so the real server must be theirs alone. */
  compacts?: true;
  /** What the embedded server does itself is done by these controllers of kube-controller-manager beside the real one. */
  controllers?: readonly string[];
}

/**
 * Runs the same tests against the embedded server and, when KUBEBUILDER_ASSETS names a folder with etcd and kube-apiserver, against
 * that one. Where they differ the embedded server is wrong.
 */
export function describeWithServers(
  name: string,
  define: (server: TestServer) => void,
  options: HarnessOptions = {},
): void {
  describe(`${name} (embedded)`, () => define(embeddedServer()));
  if (options.only === 'embedded' || lacksRealServer(name, options)) return;
  describe(`${name} (kube-apiserver)`, () => define(realServer(options)));
}

/** Runs tests that put the same questions to both servers and compare the answers; says so when there is no real one. */
export function describeWithBoth(name: string, define: (real: TestServer, embedded: TestServer) => void): void {
  describe.skipIf(lacksRealServer(name))(`${name} (kube-apiserver and embedded)`, () =>
    define(realServer(), embeddedServer()),
  );
}

function lacksRealServer(name: string, { compacts, controllers }: HarnessOptions = {}): boolean {
  const { KUBEBUILDER_ASSETS: assets, SLICEWISE_REAL_APISERVER: running } = process.env;
  const missing =
    assets === undefined && (running === undefined || compacts)
      ? 'KUBEBUILDER_ASSETS is not set'
      : controllers && !controllerManagerBinary(assets)
        ? 'KUBEBUILDER_ASSETS has no kube-controller-manager'
        : undefined;
  if (missing !== undefined) console.log(`skipped: "${name}" against a real kube-apiserver: ${missing}`);
  return missing !== undefined;
}

function embeddedServer(): TestServer {
  let started: ApiServer | undefined;
  const harness = new Harness('embedded', async () => {
    const server = await startApiServer();
    started = server;
    return { ...server, forgetHistory: async () => server.faults.compact() };
  });
  harness.hooks();
  Object.defineProperty(harness, 'embedded', { get: () => required(started) });
  return harness;
}

/** The server that runs already (see `runningServer`), else one started for these tests. */
function realServer({ compacts, controllers }: HarnessOptions = {}): TestServer {
  const { KUBEBUILDER_ASSETS: assets = '', SLICEWISE_REAL_APISERVER: running } = process.env;
  const start = async () => (running === undefined || compacts ? startRealApiServer(assets) : runningServer(running));
  const harness = new Harness('real', async () => {
    const endpoint = await start();
    return controllers ? withControllers(endpoint, assets, controllers) : endpoint;
  });
  harness.hooks();
  return harness;
}

class Harness implements TestServer {
  readonly flavour: TestServer['flavour'];
  readonly #start: () => Promise<Endpoint>;
  #endpoint: Endpoint | undefined;
  #agent: Agent | undefined;
  #watches: WatchReader[] = [];
  #namespaces: string[] = [];

  constructor(flavour: TestServer['flavour'], start: () => Promise<Endpoint>) {
    this.flavour = flavour;
    this.#start = start;
  }

  hooks(): void {
    beforeAll(async () => {
      this.#endpoint = await this.#start();
      const { caData } = this.#endpoint;
      this.#agent = new Agent({ connect: caData === undefined ? {} : { ca: caData }, allowH2: false, connections: 64 });
    }, 90_000);
    afterEach(async () => {
      for (const watch of this.#watches.splice(0)) watch.close();
      for (const name of this.#namespaces.splice(0)) await this.delete(`/api/v1/namespaces/${name}`);
    });
    afterAll(async () => {
      await this.#agent?.destroy();
      await this.#endpoint?.stop();
    });
  }

  get url(): string {
    return required(this.#endpoint).url;
  }

  get token(): string {
    return required(this.#endpoint).token;
  }

  get caData(): string | undefined {
    return required(this.#endpoint).caData;
  }

  get embedded(): ApiServer {
    throw new Error('only the embedded server has a handle');
  }

  async call(method: Method, path: string, call: Call = {}): Promise<Answer> {
    const response = await this.#send(method, path, call);
    const text = await response.body.text();
    // The real server calls its OpenAPI index plain text.
    const isJson = text.startsWith('{') || String(response.headers['content-type'] ?? '').includes('json');
    return { status: response.statusCode, headers: response.headers, body: isJson ? JSON.parse(text) : { text } };
  }

  get(path: string, query?: Call['query']): Promise<Answer> {
    return this.call('GET', path, query ? { query } : {});
  }

  post(path: string, body: unknown, query?: Call['query']): Promise<Answer> {
    return this.call('POST', path, { body, ...(query ? { query } : {}) });
  }

  put(path: string, body: unknown, query?: Call['query']): Promise<Answer> {
    return this.call('PUT', path, { body, ...(query ? { query } : {}) });
  }

  patch(path: string, type: keyof typeof patchTypes, body: unknown, query?: Call['query']): Promise<Answer> {
    return this.call('PATCH', path, { body, type: patchTypes[type], ...(query ? { query } : {}) });
  }

  delete(path: string, body?: unknown, query?: Call['query']): Promise<Answer> {
    return this.call('DELETE', path, { ...(body === undefined ? {} : { body }), ...(query ? { query } : {}) });
  }

  async watch(path: string, query: Call['query'] = {}, headers: Record<string, string> = {}): Promise<WatchReader> {
    const { statusCode, body } = await this.#send('GET', path, { query: { watch: true, ...query }, headers });
    const reader = new WatchReader(statusCode, body);
    this.#watches.push(reader);
    return reader;
  }

  compact(): Promise<void> {
    return required(this.#endpoint).forgetHistory();
  }

  async namespace(): Promise<string> {
    const answer = await this.post('/api/v1/namespaces', { metadata: { generateName: 'conformance-' } });
    if (answer.status !== 201) throw new Error(`no namespace: ${JSON.stringify(answer.body)}`);
    const { name } = answer.body.metadata;
    this.#namespaces.push(name);
    return name;
  }

  #send(method: Method, path: string, { query = {}, body, type = 'application/json', headers = {} }: Call) {
    const url = new URL(path, this.url);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    return request(url, {
      method,
      dispatcher: required(this.#agent),
      headers: {
        authorization: `Bearer ${this.token}`,
        'user-agent': 'conformance/1.0',
        ...(body === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined)
    throw new Error('the server under test is not started yet: use it inside tests and hooks only');
  return value;
}
