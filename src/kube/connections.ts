import type { buildConnector, Dispatcher } from 'undici';
import type { ClusterAccess, TlsMaterial } from './kubeconfig.ts';
import { SeverableSockets } from './severable-sockets.ts';
import { connector, UndiciPool } from './undici-parts.ts';

/** Kept connections of one client. Watches have a pool of their own, so that a full set of calls never delays one. */
export interface Connections {
  calls: Dispatcher;
  watches: Dispatcher;
  /** Cuts every connection at once; see `SeverableSockets`. Through a proxy they are only closed. */
  sever(): void;
}

/** Dead peers (a node gone without a FIN) are noticed by TCP itself: libuv probes ten times, a second apart, after this much silence. */
const TCP_KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Idle connections are dropped before the 90 s after which kube-apiserver drops them. */
const IDLE_MS = 60_000;

export async function createConnections(access: ClusterAccess, callConnections: number): Promise<Connections> {
  const { origin } = new URL(access.server);
  if (access.proxyUrl) return throughProxy(access, access.proxyUrl, callConnections);
  const sockets = new SeverableSockets({ timeoutMs: CONNECT_TIMEOUT_MS, keepAliveMs: TCP_KEEP_ALIVE_MS });
  const connect = renewingConnector(access, sockets);
  const options = { connect, allowH2: false, keepAliveTimeout: IDLE_MS, pipelining: 1 };
  return {
    calls: new UndiciPool(origin, { ...options, connections: callConnections }),
    watches: new UndiciPool(origin, options),
    sever: () => sockets.sever(),
  };
}

/** Asks for TLS material at each new connection, so that renewed certificates are used without a restart. */
function renewingConnector(access: ClusterAccess, sockets: SeverableSockets): buildConnector.connector {
  const build = (tls: TlsMaterial) =>
    sockets.keeping(
      connector({
        ...tls,
        allowH2: false,
        timeout: CONNECT_TIMEOUT_MS,
        keepAlive: true,
        keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      }),
    );
  if (access.server.startsWith('http:')) return build({});
  // A connector caches TLS sessions, so it lives as long as its material.
  let built: { tls: TlsMaterial; connect: buildConnector.connector } | undefined;
  return (options, callback) => {
    access.tls().then(
      (tls) => {
        if (built?.tls !== tls) built = { tls, connect: build(tls) };
        built.connect(options, callback);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}

/** Proxies are rare between a controller and its API server: only they load all of undici. */
async function throughProxy(access: ClusterAccess, proxyUrl: string, callConnections: number): Promise<Connections> {
  const { ProxyAgent } = await import('undici');
  const requestTls = access.server.startsWith('https:') ? await access.tls() : {};
  const { origin } = new URL(access.server);
  const agent = (connections?: number) => {
    const inner = new ProxyAgent({
      uri: proxyUrl,
      requestTls,
      allowH2: false,
      ...(connections !== undefined && { connections }),
    });
    return inner.compose((dispatch) => (options, handler) => dispatch({ ...options, origin }, handler));
  };
  const calls = agent(callConnections);
  return { calls, watches: agent(), sever: () => void calls.destroy() };
}
