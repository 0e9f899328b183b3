import { Command, InvalidArgumentError, Option } from 'commander';
import { Registry } from 'prom-client';
import { parseDuration } from '../duration.ts';
import { assembleController } from '../endpointslice/assemble.ts';
import {
  type ControllerOptions,
  DEFAULT_CONTROLLER_OPTIONS,
  isUpstreamWay,
  UPSTREAM_WAYS,
  type UpstreamWay,
} from '../endpointslice/options.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeconfigError } from '../kube/errors.ts';
import { createKubeClient } from '../kube/http-client.ts';
import { loadClusterAccess } from '../kube/kubeconfig.ts';
import { parseBindAddress } from '../observe/bind-address.ts';
import { type RunningHttpServer, startHttpServer, text } from '../observe/http-server.ts';
import { createLogger, type Logger } from '../observe/logger.ts';
import { UserError } from '../user-error.ts';
import { VERSION } from '../version.ts';

interface Flags {
  kubeconfig?: string;
  master?: string;
  concurrentServiceEndpointSyncs: number;
  maxEndpointsPerSlice: number;
  endpointsliceUpdatesBatchPeriod: number;
  minResyncPeriod: number;
  mergeSparseSlices?: boolean;
  removeAbandonedSlices?: boolean;
  likeUpstream?: UpstreamWay[];
  metricsBindAddress?: string;
  v: number;
}

/** `slicewise controller`; flags that kube-controller-manager has too carry its names and defaults. */
export function controllerCommand(): Command {
  return new Command('controller')
    .description('The EndpointSlice controller: turns Services and Pods into EndpointSlices.')
    .option(
      '--kubeconfig <file>',
      'kubeconfig file; default: $KUBECONFIG, the service account of the Pod, ~/.kube/config',
    )
    .option('--master <url>', 'URL of the API server, instead of the one in the kubeconfig file')
    .option(
      '--concurrent-service-endpoint-syncs <n>',
      'Services synced at the same time',
      inRange('concurrent-service-endpoint-syncs', 1, 50),
      5,
    )
    .option(
      '--max-endpoints-per-slice <n>',
      'endpoints added to one slice at most',
      inRange('max-endpoints-per-slice', 1, 1000),
      100,
    )
    .addOption(
      new Option(
        '--endpointslice-updates-batch-period <duration>',
        'gather changes of Pods this long, from the first on',
      )
        .argParser(duration)
        .default(0, '0s'),
    )
    .addOption(
      new Option('--min-resync-period <duration>', 'look at every Service again after one to two of these')
        .argParser(duration)
        .default(DEFAULT_CONTROLLER_OPTIONS.minResyncPeriodMs, '12h'),
    )
    .option('--merge-sparse-slices', 'merge slices thinned out by scaling down; at most one more write for each sync')
    .option('--remove-abandoned-slices', 'delete slices of a Service that lost its selector or became an ExternalName')
    .option(
      '--like-upstream <ways>',
      `do as upstream does, comma-separated or "all": ${Object.keys(UPSTREAM_WAYS).join(', ')}`,
      upstreamWays,
    )
    .option('--metrics-bind-address <ip:port>', 'serve /metrics and /healthz there; default: not at all')
    .option('-v, --v <level>', 'log verbosity; 4 and more shows debugging lines', wholeNumber, 0)
    .action(async (flags: Flags) => run(flags));
}

async function run(flags: Flags): Promise<void> {
  const logger = createLogger({ level: flags.v >= 6 ? 'trace' : flags.v >= 4 ? 'debug' : 'info' });
  const client = await connect(flags, logger);
  const registry = new Registry();
  const { controller, events } = assembleController({ client, logger, registry, options: controllerOptions(flags) });
  const server = await serveMetrics(flags, registry, logger);
  const signal = untilSignal();
  logger.info({ version: VERSION }, 'controller starting');
  // A signal may come first; what start() says once it is stopped is then of no interest.
  await Promise.race([controller.start(), signal]);
  logger.info({ signal: await signal }, 'controller stopping');
  await controller.stop();
  await events.stop();
  await server?.close();
  await client.close();
  logger.info('controller stopped');
}

/** @throws UserError in one line when the kubeconfig is no good or the server does not answer. */
async function connect(flags: Flags, logger: Logger): Promise<KubeClient> {
  const { kubeconfig, master } = flags;
  try {
    const access = await loadClusterAccess({ kubeconfig, master });
    const client = createKubeClient(access, { userAgent: `slicewise-controller/${VERSION}`, logger });
    try {
      await client.request({ method: 'GET', path: '/version', timeoutMs: 10_000 });
      return client;
    } catch (error) {
      await client.close();
      const why = error instanceof Error ? error.message : String(error);
      throw new UserError(`cannot talk to the API server at ${access.server} (${access.source}): ${why}`, {
        cause: error,
      });
    }
  } catch (error) {
    if (error instanceof KubeconfigError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}

function controllerOptions(flags: Flags): ControllerOptions {
  const base: ControllerOptions = {
    ...DEFAULT_CONTROLLER_OPTIONS,
    concurrency: flags.concurrentServiceEndpointSyncs,
    batchPeriodMs: flags.endpointsliceUpdatesBatchPeriod,
    minResyncPeriodMs: flags.minResyncPeriod,
    removeAbandoned: flags.removeAbandonedSlices ?? false,
    plan: {
      ...DEFAULT_CONTROLLER_OPTIONS.plan,
      maxEndpointsPerSlice: flags.maxEndpointsPerSlice,
      mergeSparse: flags.mergeSparseSlices ?? false,
    },
  };
  return (flags.likeUpstream ?? []).reduce<ControllerOptions>((options, way) => UPSTREAM_WAYS[way](options), base);
}

async function serveMetrics(flags: Flags, registry: Registry, logger: Logger): Promise<RunningHttpServer | undefined> {
  if (flags.metricsBindAddress === undefined) return undefined;
  const server = await startHttpServer({
    name: 'metrics',
    address: parseBindAddress('--metrics-bind-address', flags.metricsBindAddress, 10257),
    routes: {
      '/metrics': async () => ({ status: 200, contentType: registry.contentType, body: await registry.metrics() }),
      '/healthz': () => text('ok'),
    },
    onError: (error, path) => logger.error({ err: error, path }, 'request failed'),
  });
  logger.info({ address: server.address }, 'serving metrics');
  return server;
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}

/** The words are kube-controller-manager's. */
function inRange(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = wholeNumber(text);
    if (value < min) throw new UserError(`${name} must not be less than ${min}, but got ${value}`, { exitCode: 2 });
    if (value > max) throw new UserError(`${name} must not be more than ${max}, but got ${value}`, { exitCode: 2 });
    return value;
  };
}

function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return Number(text);
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `${error.message}.` : String(error));
  }
}

function upstreamWays(text: string, previous: UpstreamWay[] = []): UpstreamWay[] {
  if (text === 'all') return Object.keys(UPSTREAM_WAYS).filter(isUpstreamWay);
  const ways = text.split(',').map((name) => name.trim());
  const unknown = ways.find((name) => !isUpstreamWay(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is not one of ${Object.keys(UPSTREAM_WAYS).join(', ')}.`);
  }
  return [...previous, ...ways.filter(isUpstreamWay)];
}
