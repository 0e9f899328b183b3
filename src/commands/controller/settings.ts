import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { type ControllerOptions, DEFAULT_CONTROLLER_OPTIONS, UPSTREAM_WAYS } from '../../endpointslice/options.ts';
import { type LeaderElectionOptions, validateLeaderElection } from '../../kube/leader/options.ts';
import { type BindAddress, isLoopback, parseBindAddress } from '../../observe/bind-address.ts';
import { UserError } from '../../user-error.ts';
import type { ControllerFlags } from './flags.ts';

/** kube-controller-manager's port for the same purpose. */
const DEFAULT_PORT = 10257;

export interface ElectionSettings extends LeaderElectionOptions {
  namespace: string;
  name: string;
}

/** What the flags come to, once they fit together. */
export interface Settings {
  controller: ControllerOptions;
  /** Undefined without leader election. */
  election: ElectionSettings | undefined;
  /** Undefined without a limit. */
  writes: { perSecond: number; burst: number } | undefined;
  /** Plain HTTP, on loopback. */
  plain: BindAddress | undefined;
  /** HTTPS; without files the certificate is self-signed. */
  secure: { address: BindAddress; files: { certFile: string; keyFile: string } | undefined } | undefined;
}

/** @throws UserError naming the flags that do not fit together */
export function settingsOf(flags: ControllerFlags): Settings {
  return {
    controller: controllerOptions(flags),
    election: flags.leaderElect ? electionSettings(flags) : undefined,
    writes: writeLimit(flags),
    plain: plainAddress(flags),
    secure: secureAddress(flags),
  };
}

function controllerOptions(flags: ControllerFlags): ControllerOptions {
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

function electionSettings(flags: ControllerFlags): ElectionSettings {
  const lock = flags.leaderElectResourceLock;
  if (lock !== 'leases') {
    throw new UserError(`--leader-elect-resource-lock: "${lock}" is not supported, only "leases" is`, { exitCode: 2 });
  }
  const named = [
    ['--leader-elect-resource-name', flags.leaderElectResourceName],
    ['--leader-elect-resource-namespace', flags.leaderElectResourceNamespace],
  ] as const;
  for (const [flag, value] of named) {
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(value)) {
      throw new UserError(`${flag}: "${value}" is not a name that the API server takes`, { exitCode: 2 });
    }
  }
  const settings = {
    identity: `${hostname()}_${randomUUID()}`,
    leaseDurationMs: flags.leaderElectLeaseDuration,
    renewDeadlineMs: flags.leaderElectRenewDeadline,
    retryPeriodMs: flags.leaderElectRetryPeriod,
    releaseOnCancel: true,
    namespace: flags.leaderElectResourceNamespace,
    name: flags.leaderElectResourceName,
  };
  validateLeaderElection(settings);
  return settings;
}

function writeLimit({ kubeApiQps: perSecond, kubeApiBurst: burst }: ControllerFlags): Settings['writes'] {
  if (perSecond <= 0) return undefined;
  if (burst < 1) {
    throw new UserError(`--kube-api-burst ${burst} must be at least 1 with --kube-api-qps ${perSecond}`, {
      exitCode: 2,
    });
  }
  return { perSecond, burst };
}

function plainAddress({ metricsBindAddress }: ControllerFlags): BindAddress | undefined {
  if (metricsBindAddress === undefined) return undefined;
  const address = parseBindAddress('--metrics-bind-address', metricsBindAddress, DEFAULT_PORT);
  if (isLoopback(address)) return address;
  throw new UserError(
    `--metrics-bind-address: ${address.host} is not a loopback address; --bind-address and --secure-port serve others`,
    { exitCode: 2 },
  );
}

function secureAddress(flags: ControllerFlags): Settings['secure'] {
  const { bindAddress, securePort: port, tlsCertFile: certFile, tlsPrivateKeyFile: keyFile } = flags;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UserError('--tls-cert-file and --tls-private-key-file belong together', { exitCode: 2 });
  }
  if (isIP(bindAddress) === 0)
    throw new UserError(`--bind-address: "${bindAddress}" is not an IP address`, { exitCode: 2 });
  if (port === 0) return undefined;
  const files = certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
  return { address: { host: bindAddress, port }, files };
}
