import { type Command, Option } from 'commander';
import { DEFAULT_CONTROLLER_OPTIONS, UPSTREAM_WAYS, type UpstreamWay } from '../../endpointslice/options.ts';
import type { LogFormat } from '../../observe/logger.ts';
import { decimalNumber, duration, inRange, listOfPaths, truth, upstreamWays, wholeNumber } from './flag-values.ts';

/** As given, or their defaults. Durations in milliseconds. */
export interface ControllerFlags {
  kubeconfig?: string;
  master?: string;
  kubeApiQps: number;
  kubeApiBurst: number;
  concurrentServiceEndpointSyncs: number;
  maxEndpointsPerSlice: number;
  endpointsliceUpdatesBatchPeriod: number;
  minResyncPeriod: number;
  mergeSparseSlices?: boolean;
  removeAbandonedSlices?: boolean;
  likeUpstream?: UpstreamWay[];
  leaderElect: boolean;
  leaderElectLeaseDuration: number;
  leaderElectRenewDeadline: number;
  leaderElectRetryPeriod: number;
  leaderElectResourceLock: string;
  leaderElectResourceName: string;
  leaderElectResourceNamespace: string;
  metricsBindAddress?: string;
  bindAddress: string;
  securePort: number;
  tlsCertFile?: string;
  tlsPrivateKeyFile?: string;
  authorizationAlwaysAllowPaths: string[];
  loggingFormat?: LogFormat;
  v: number;
}

/** Flags that kube-controller-manager has too carry its names and, where nothing else is said, its defaults. */
export function addControllerFlags(command: Command): Command {
  addClusterFlags(command);
  addSyncFlags(command);
  addElectionFlags(command);
  addServingFlags(command);
  return command
    .addOption(
      new Option('--logging-format <format>', 'default: text at a terminal, else json').choices(['json', 'text']),
    )
    .option('-v, --v <level>', 'log verbosity: from 4 on a line for each sync, from 6 on everything', wholeNumber, 0);
}

function addClusterFlags(command: Command): void {
  command
    .option(
      '--kubeconfig <file>',
      'kubeconfig file; default: $KUBECONFIG, the service account of the Pod, ~/.kube/config',
    )
    .option('--master <url>', 'URL of the API server, instead of the one in the kubeconfig file')
    .option(
      '--kube-api-qps <n>',
      'writes of slices a second, shared fairly between the Services; 0 or less: no limit',
      decimalNumber,
      20,
    )
    .option('--kube-api-burst <n>', 'writes of slices at once after a quiet time', wholeNumber, 30);
}

function addSyncFlags(command: Command): void {
  command
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
      time('--endpointslice-updates-batch-period', 'gather changes of Pods this long, from the first on', 0, '0s'),
    )
    .addOption(
      time(
        '--min-resync-period',
        'look at every Service again after one to two of these',
        DEFAULT_CONTROLLER_OPTIONS.minResyncPeriodMs,
        '12h',
      ),
    )
    .option('--merge-sparse-slices', 'merge slices thinned out by scaling down; at most one more write for each sync')
    .option('--remove-abandoned-slices', 'delete slices of a Service that lost its selector or became an ExternalName')
    .option(
      '--like-upstream <ways>',
      `do as upstream does, comma-separated or "all": ${Object.keys(UPSTREAM_WAYS).join(', ')}`,
      upstreamWays,
    );
}

function addElectionFlags(command: Command): void {
  command
    .addOption(
      new Option(
        '--leader-elect [bool]',
        'of several replicas only one writes; the others wait with warm caches; one that loses the lease ends, with 1',
      )
        .argParser(truth)
        .default(true),
    )
    .addOption(
      time(
        '--leader-elect-lease-duration',
        'how long the others respect a leader that they hear nothing of',
        15_000,
        '15s',
      ),
    )
    .addOption(
      time(
        '--leader-elect-renew-deadline',
        'how long a leader that cannot renew its lease may go on; shorter than the lease duration',
        10_000,
        '10s',
      ),
    )
    .addOption(time('--leader-elect-retry-period', 'pause between two looks at the lease', 2000, '2s'))
    .option('--leader-elect-resource-lock <kind>', 'kind of the lock; there is only "leases"', 'leases')
    .option('--leader-elect-resource-name <name>', 'name of the Lease', 'slicewise-controller')
    .option('--leader-elect-resource-namespace <namespace>', 'namespace of the Lease', 'kube-system');
}

function addServingFlags(command: Command): void {
  command
    .option(
      '--metrics-bind-address <ip:port>',
      'serve metrics, health and /debug/state there in plain HTTP; a loopback address; default: not at all',
    )
    .option('--bind-address <ip>', 'address of --secure-port; :: is every address of both families', '0.0.0.0')
    .option(
      '--secure-port <port>',
      'serve metrics and health there over HTTPS to whom the API server lets; 0: not at all. ' +
        "kube-controller-manager's is 10257, which one on the same host holds",
      inRange('secure-port', 0, 65535),
      0,
    )
    .option('--tls-cert-file <file>', 'certificate for --secure-port, followed when renewed; default: self-signed')
    .option('--tls-private-key-file <file>', 'key of --tls-cert-file')
    .addOption(
      new Option('--authorization-always-allow-paths <paths>', 'paths that everybody may see on --secure-port')
        .argParser(listOfPaths)
        .default(['/healthz', '/readyz', '/livez'], '/healthz,/readyz,/livez'),
    );
}

function time(flag: string, description: string, defaultMs: number, shown: string): Option {
  return new Option(`${flag} <duration>`, description).argParser(duration).default(defaultMs, shown);
}
