import { randomBytes } from 'node:crypto';
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as NetServer } from 'node:net';
import type { Clock, Random } from '../../clock.ts';
import { realClock } from '../../clock.ts';
import { type Logger, silentLogger } from '../../observe/logger.ts';
import { Authenticator } from './auth.ts';
import { type Advertised, bootstrap } from './bootstrap.ts';
import { startGarbageCollector } from './controllers/garbage.ts';
import { startNamespaceController } from './controllers/namespaces.ts';
import type { Serving } from './exchange.ts';
import { Faults } from './faults.ts';
import { handle } from './handler.ts';
import type { KindDefinition } from './kind.ts';
import { createKinds, defaultKindOptions, type KindOptions } from './kinds/index.ts';
import { renderKubeconfig, writeKubeconfig } from './kubeconfig.ts';
import { Registry } from './registry.ts';
import { RequestLog } from './request-log.ts';
import type { HistoryLimits } from './store.ts';
import { generateCertificate, type ServerCertificate } from './tls.ts';
import { WatchHub } from './watch-hub.ts';

export interface ApiServerOptions {
  /** Address to bind; loopback by default. */
  host?: string;
  /** 0, the default, takes any free port. */
  port?: number;
  /** HTTPS with a generated CA; true by default. */
  tls?: boolean;
  /** Further names and IP addresses for the server certificate. */
  extraNames?: readonly string[];
  /** The admin's bearer token; random by default. */
  token?: string;
  /** Further tokens: token -> user name. */
  users?: Readonly<Record<string, string>>;
  kinds?: readonly KindDefinition[];
  kindOptions?: Partial<KindOptions>;
  clock?: Clock;
  random?: Random;
  history?: HistoryLimits;
  /** Where Pods reach this server: the endpoints of the Service `default/kubernetes`, which has none when left out. */
  advertise?: Advertised;
  /** Told of failures that are the server's own; silent by default. */
  logger?: Logger;
  /** Delete objects whose owners are gone, as kube-controller-manager does; true by default. */
  garbageCollection?: boolean;
}

/** A listening server whose connections are to be served as well: a `net.Server`, also one made in another process. */
export type ListenHandle = NetServer | { fd: number };

export interface ApiServer {
  readonly url: string;
  /** PEM of the CA that signed the server certificate; undefined for plain HTTP. */
  readonly caData: string | undefined;
  readonly token: string;
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** @param server the URL to put in, when clients reach the server under another one */
  kubeconfig(server?: string): string;
  writeKubeconfig(path: string, server?: string): Promise<void>;
  /** Serves the connections of a listener that was made elsewhere, with the same certificate. */
  addServer(handle: ListenHandle): Promise<void>;
  /** Ends all watches in the orderly way and closes all listeners. Calling it again does nothing more. */
  stop(): Promise<void>;
}

export const adminUser = 'slicewise-admin';

/** @throws Error that names the address when it cannot be bound. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const { host = '127.0.0.1', port = 0, tls = true } = options;
  const token = options.token ?? randomBytes(24).toString('base64url');
  const registry = new Registry({
    kinds: options.kinds ?? createKinds(options.kindOptions),
    clock: options.clock ?? realClock,
    random: options.random ?? Math.random,
    ...(options.history ? { history: options.history } : {}),
  });
  const stopControllers = [
    startNamespaceController(registry),
    ...(options.garbageCollection === false ? [] : [startGarbageCollector(registry)]),
  ];
  const { serviceCIDRs } = { ...defaultKindOptions, ...options.kindOptions };
  stopControllers.push(bootstrap(registry, { serviceCIDRs, advertise: options.advertise }));
  const watches = new WatchHub();
  const serving: Serving = {
    registry,
    watches,
    faults: new Faults({
      dropWatches: (plural) => watches.of(plural).map((stream) => stream.drop()).length,
      breakWatches: (plural) => watches.of(plural).map((stream) => stream.breakAtNextLine()).length,
      compact: (plural) => {
        for (const kind of registry.storedKinds) {
          if (plural === undefined || kind.definition.plural === plural) kind.bucket.compact();
        }
      },
      revision: () => registry.store.revision,
    }),
    requests: new RequestLog(),
    logger: options.logger ?? silentLogger,
    authenticator: new Authenticator(new Map([...Object.entries(options.users ?? {}), [token, adminUser]])),
  };
  const certificate = tls ? await generateCertificate(options.extraNames) : undefined;
  const listeners: HttpServer[] = [];
  const listen = async (where: ListenHandle | { host: string; port: number }) => {
    const listener = createListener(certificate, (message, response) => void handle(serving, message, response));
    await listening(listener, where);
    listener.on('error', (error) => serving.logger.error({ err: error }, 'listener failed'));
    listeners.push(listener);
    return listener;
  };
  const address = (await listen({ host, port })).address();
  if (address === null || typeof address === 'string') throw new Error(`no TCP address: ${String(address)}`);
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const url = `${tls ? 'https' : 'http'}://${shown}:${address.port}`;
  const stopAll = async () => {
    for (const stop of stopControllers) stop();
    for (const stream of watches.of()) stream.end();
    await Promise.all(listeners.map(close));
  };
  let stopping: Promise<void> | undefined;
  return {
    url,
    caData: certificate?.ca,
    token,
    faults: serving.faults,
    requests: serving.requests,
    kubeconfig: (server = url) => renderKubeconfig({ server, caData: certificate?.ca, token }),
    writeKubeconfig: (path, server = url) => writeKubeconfig(path, { server, caData: certificate?.ca, token }),
    addServer: async (handle) => {
      await listen(handle);
    },
    stop: () => {
      stopping ??= stopAll();
      return stopping;
    },
  };
}

function createListener(certificate: ServerCertificate | undefined, listener: RequestListener): HttpServer {
  const limits = { requestTimeout: 0, keepAliveTimeout: 120_000 };
  if (!certificate) return createHttpServer(limits, listener);
  return createHttpsServer({ ...limits, cert: certificate.cert, key: certificate.key }, listener);
}

function listening(server: HttpServer, where: ListenHandle | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const place = 'port' in where ? `${where.host}:${where.port}` : 'the given handle';
      const why = error.code === 'EADDRINUSE' ? 'the address is already in use' : error.message;
      reject(new Error(`cannot listen on ${place}: ${why}`, { cause: error }));
    });
    server.listen(where, () => resolve());
  });
}

function close(server: HttpServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
