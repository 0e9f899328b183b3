import { access as fileAccess } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Cluster, Context } from '@kubernetes/client-node/dist/config_types.js';
import { type Clock, realClock } from '../clock.ts';
import { type CredentialSource, credentialSource, TokenFile } from './credentials.ts';
import { KubeconfigError } from './errors.ts';
import { type Kubeconfig, type KubeconfigUser, readKubeconfig } from './kubeconfig-file.ts';
import { TlsFiles, type TlsMaterial } from './tls-files.ts';

export type { TlsMaterial } from './tls-files.ts';

/** Where the API server is and how to be let in. */
export interface ClusterAccess {
  /** Base URL without a trailing slash. */
  readonly server: string;
  /** Where this came from, for messages: `/root/.kube/config, context "dev"`. */
  readonly source: string;
  /** The context's default namespace. */
  readonly namespace: string | undefined;
  /** Sent with every request (impersonation). */
  readonly headers: Readonly<Record<string, string>>;
  readonly proxyUrl: string | undefined;
  /** Options for the next TLS connection. The same object as long as nothing changed. */
  tls(): Promise<TlsMaterial>;
  /** Value of the `Authorization` header for the next request; undefined for none. @throws KubeconfigError */
  authorization(): Promise<string | undefined>;
  /** To be called after a 401. True when the next `authorization()` may differ. */
  refused(): boolean;
}

export interface AccessOptions {
  /** `--kubeconfig`. */
  kubeconfig?: string | undefined;
  /** `--context`; the file's `current-context` when absent. */
  context?: string | undefined;
  /** `--master`: overrides the server's URL. */
  master?: string | undefined;
  env?: Readonly<Record<string, string | undefined>>;
  clock?: Clock;
  /** Root of the in-cluster files; for tests. */
  serviceAccountDirectory?: string;
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Finds the API server: the file named explicitly, else $KUBECONFIG (a list), else the Pod's service account, else ~/.kube/config. Files
 * that will be needed (CA, certificates, token) are read once now, so that a mistake shows at start.
 *
 * @throws KubeconfigError in one line, naming the file and field at fault.
 */
export async function loadClusterAccess(options: AccessOptions = {}): Promise<ClusterAccess> {
  const env = options.env ?? process.env;
  const clock = options.clock ?? realClock;
  const found = await find(options, env, clock);
  const server = serverUrl(options.master ?? found.cluster.server, options.master ? '--master' : found.source);
  const credentials = found.credentials(server);
  const tlsFiles = new TlsFiles(found.cluster, found.user?.user, found.source, clock);
  const access: ClusterAccess = {
    server,
    source: found.source,
    namespace: found.namespace,
    headers: found.user?.user.impersonateUser ? { 'impersonate-user': found.user.user.impersonateUser } : {},
    proxyUrl: proxyUrl(found),
    tls: async () => tlsFiles.current((await credentials.current()).certificate),
    authorization: async () => (await credentials.current()).authorization,
    refused: () => credentials.refused(),
  };
  if (server.startsWith('https:')) await access.tls();
  await access.authorization();
  return access;
}

interface Found {
  source: string;
  cluster: Cluster;
  user: KubeconfigUser | undefined;
  namespace: string | undefined;
  credentials(server: string): CredentialSource;
}

async function find(
  options: AccessOptions,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<Found> {
  if (options.kubeconfig) {
    return pick(await readKubeconfig([options.kubeconfig]), options, clock);
  }
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  if (listed.length > 0) {
    const config = await readKubeconfig(listed, true);
    if (config.files.length > 0) return pick(config, options, clock);
    throw new KubeconfigError(`none of the files in $KUBECONFIG exists: ${listed.join(', ')}`, { file: listed[0] });
  }
  if (env.KUBERNETES_SERVICE_HOST && env.KUBERNETES_SERVICE_PORT) {
    return inCluster(
      env.KUBERNETES_SERVICE_HOST,
      env.KUBERNETES_SERVICE_PORT,
      options.serviceAccountDirectory ?? SERVICE_ACCOUNT_DIRECTORY,
      clock,
    );
  }
  const home = join(env.HOME ?? homedir(), '.kube', 'config');
  const config = await readKubeconfig([home], true);
  if (config.files.length > 0) return pick(config, options, clock);
  if (options.master) return anonymous(options.master);
  throw new KubeconfigError(
    `no cluster to talk to: --kubeconfig is not set, $KUBECONFIG is empty, this is not a Pod, and ${home} does not exist`,
  );
}

function anonymous(server: string): Found {
  return {
    source: '--master',
    cluster: { name: 'master', server, skipTLSVerify: false },
    user: undefined,
    namespace: undefined,
    credentials: () => ({ current: () => Promise.resolve({}), refused: () => false }),
  };
}

function pick(config: Kubeconfig, options: AccessOptions, clock: Clock): Found {
  const files = config.files.join(', ');
  const file = config.files[0];
  const name = options.context ?? config.currentContext;
  if (name === undefined) {
    // kubectl's --server alone works with a file that names no context.
    if (options.master) return { ...anonymous(options.master), source: files };
    throw new KubeconfigError(`kubeconfig ${files}: current-context is not set and no context was asked for`, {
      file,
      field: 'current-context',
    });
  }
  const context = config.contexts.get(name);
  if (!context) {
    const known = [...config.contexts.keys()].join(', ') || 'none';
    throw new KubeconfigError(`kubeconfig ${files}: no context "${name}" (known: ${known})`, {
      file,
      field: options.context === undefined ? 'current-context' : 'contexts',
    });
  }
  return fromContext(config, context, files, clock);
}

function fromContext(config: Kubeconfig, context: Context, files: string, clock: Clock): Found {
  const file = config.files[0];
  const cluster = config.clusters.get(context.cluster);
  if (!cluster) {
    throw new KubeconfigError(
      `kubeconfig ${files}: context "${context.name}" names the cluster "${context.cluster}", which is not there`,
      {
        file,
        field: 'clusters',
      },
    );
  }
  const user = context.user ? config.users.get(context.user) : undefined;
  if (context.user && !user) {
    throw new KubeconfigError(
      `kubeconfig ${files}: context "${context.name}" names the user "${context.user}", which is not there`,
      {
        file,
        field: 'users',
      },
    );
  }
  return {
    source: `${files}, context "${context.name}"`,
    cluster,
    user,
    namespace: context.namespace,
    credentials: (server) =>
      user ? credentialSource(user, server, clock) : { current: () => Promise.resolve({}), refused: () => false },
  };
}

/** A Pod's own way in: the environment names the server, files beside it hold CA and token ("Accessing the API from a Pod"). */
async function inCluster(host: string, port: string, directory: string, clock: Clock): Promise<Found> {
  const tokenFile = join(directory, 'token');
  const caFile = join(directory, 'ca.crt');
  for (const file of [tokenFile, caFile]) {
    await fileAccess(file).catch((cause: unknown) => {
      throw new KubeconfigError(`$KUBERNETES_SERVICE_HOST is set but ${file} cannot be read`, { file, cause });
    });
  }
  return {
    source: `in-cluster, ${directory}`,
    cluster: {
      name: 'in-cluster',
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      caFile,
      skipTLSVerify: false,
    },
    user: undefined,
    namespace: undefined,
    credentials: () => new TokenFile(tokenFile, clock),
  };
}

function proxyUrl({ cluster, source }: Found): string | undefined {
  const text = cluster.proxyUrl;
  if (!text) return undefined;
  if (URL.canParse(text) && /^(https?|socks5):$/.test(new URL(text).protocol)) return text;
  throw new KubeconfigError(`${source}: proxy-url "${text}" is not an http, https or socks5 URL`, {
    field: 'clusters[].cluster.proxy-url',
  });
}

function serverUrl(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new KubeconfigError(`${source}: server "${text}" is not an http or https URL`, {
      field: 'clusters[].cluster.server',
    });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
