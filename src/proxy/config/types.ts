import type { Milliseconds } from '../../duration.ts';
import type { DetectLocalMode } from '../config-types.ts';

export const CONFIG_GROUP = 'kubeproxy.config.k8s.io';
export const CONFIG_API_VERSION = `${CONFIG_GROUP}/v1alpha1`;
export const CONFIG_KIND = 'KubeProxyConfiguration';

export type ProxyMode = 'iptables' | 'ipvs' | 'nftables';

/**
 * kubeproxy.config.k8s.io/v1alpha1 KubeProxyConfiguration with its defaults filled in. Fields are described at
 * https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/. Durations are milliseconds here and Go
 * durations (`30s`) in the file. Parts of other platforms are kept so that what was read can be printed back.
 */
export interface KubeProxyConfiguration {
  readonly featureGates: Readonly<Record<string, boolean>>;
  readonly clientConnection: ClientConnection;
  readonly logging: Logging;
  readonly hostnameOverride: string;
  /** Overrides the node's own address of that family; nothing binds to it. */
  readonly bindAddress: string;
  /** `ip:port`; empty: no server. */
  readonly healthzBindAddress: string;
  /** `ip:port`; empty: no server. */
  readonly metricsBindAddress: string;
  readonly bindAddressHardFail: boolean;
  readonly enableProfiling: boolean;
  readonly showHiddenMetricsForVersion: string;
  /** Once loaded: one of `ProxyMode`. */
  readonly mode: string;
  readonly iptables: IPTablesConfiguration;
  readonly ipvs: IPVSConfiguration;
  readonly nftables: NFTablesConfiguration;
  readonly winkernel: WinkernelConfiguration;
  /** Once loaded: one of `DetectLocalMode`. */
  readonly detectLocalMode: string;
  readonly detectLocal: DetectLocalConfiguration;
  /** One CIDR, or one of each family with a comma between. */
  readonly clusterCIDR: string;
  /** CIDRs, or the one word `primary`. */
  readonly nodePortAddresses: readonly string[] | null;
  readonly oomScoreAdj: number;
  readonly conntrack: ConntrackConfiguration;
  /** How often objects are delivered again without a change. */
  readonly configSyncPeriod: Milliseconds;
  /** Without any effect, as upstream. */
  readonly portRange: string;
  readonly windowsRunAsService: boolean;
}

export interface ClientConnection {
  /** Path; empty: the service account of the pod. */
  readonly kubeconfig: string;
  readonly acceptContentTypes: string;
  readonly contentType: string;
  readonly qps: number;
  readonly burst: number;
}

/** k8s.io/component-base LoggingConfiguration. */
export interface Logging {
  readonly format: string;
  /** Nanoseconds, or a Go duration. */
  readonly flushFrequency: number | string;
  readonly verbosity: number;
  readonly vmodule: readonly { readonly filePattern: string; readonly verbosity: number }[];
  readonly options: { readonly text: LogStreamOptions; readonly json: LogStreamOptions };
}

export interface LogStreamOptions {
  readonly splitStream: boolean;
  /** A resource quantity. */
  readonly infoBufferSize: number | string;
}

interface SyncPeriods {
  readonly syncPeriod: Milliseconds;
  readonly minSyncPeriod: Milliseconds;
}

interface Masquerading {
  /** Bit of the packet mark that asks for masquerading. */
  readonly masqueradeBit: number;
  readonly masqueradeAll: boolean;
}

export interface IPTablesConfiguration extends Masquerading, SyncPeriods {
  readonly localhostNodePorts: boolean;
}

export interface NFTablesConfiguration extends Masquerading, SyncPeriods {}

export interface IPVSConfiguration extends SyncPeriods {
  readonly scheduler: string;
  readonly excludeCIDRs: readonly string[] | null;
  readonly strictARP: boolean;
  readonly tcpTimeout: Milliseconds;
  readonly tcpFinTimeout: Milliseconds;
  readonly udpTimeout: Milliseconds;
}

export interface WinkernelConfiguration {
  readonly networkName: string;
  readonly sourceVip: string;
  readonly enableDSR: boolean;
  readonly rootHnsEndpointName: string;
  readonly forwardHealthCheckVip: boolean;
}

export interface DetectLocalConfiguration {
  readonly bridgeInterface: string;
  readonly interfaceNamePrefix: string;
}

export interface ConntrackConfiguration {
  /** 0: leave the kernel's limit alone. */
  readonly maxPerCore: number;
  readonly min: number;
  /** 0: leave it alone; so with all four. */
  readonly tcpEstablishedTimeout: Milliseconds;
  readonly tcpCloseWaitTimeout: Milliseconds;
  readonly tcpBeLiberal: boolean;
  readonly udpTimeout: Milliseconds;
  readonly udpStreamTimeout: Milliseconds;
}

export const DETECT_LOCAL_MODES: readonly DetectLocalMode[] = [
  'ClusterCIDR',
  'NodeCIDR',
  'BridgeInterface',
  'InterfaceNamePrefix',
];

export function isDetectLocalMode(mode: string): mode is DetectLocalMode {
  return DETECT_LOCAL_MODES.some((known) => known === mode);
}
