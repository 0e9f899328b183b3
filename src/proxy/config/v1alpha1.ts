import * as f from './schema.ts';
import type {
  ClientConnection,
  ConntrackConfiguration,
  DetectLocalConfiguration,
  IPTablesConfiguration,
  IPVSConfiguration,
  KubeProxyConfiguration,
  Logging,
  LogStreamOptions,
  NFTablesConfiguration,
  WinkernelConfiguration,
} from './types.ts';

/** Where the file cannot say zero: zero is "not set" there. */
const zeroIsUnset = { zeroIsUnset: true };

const logStream = f.object<LogStreamOptions>({
  splitStream: f.optionalBool(),
  infoBufferSize: f.numberOrString('0', zeroIsUnset),
});

/** The defaults of kube-proxy 1.36, and the order in which it prints the fields. Defaults that depend on other fields: defaults.ts. */
export const kubeProxyConfiguration = f.object<KubeProxyConfiguration>({
  featureGates: f.boolMap(),
  clientConnection: f.object<ClientConnection>({
    kubeconfig: f.string(),
    acceptContentTypes: f.string(),
    contentType: f.string('application/vnd.kubernetes.protobuf'),
    qps: f.float(5, zeroIsUnset),
    burst: f.int32(10, zeroIsUnset),
  }),
  logging: f.object<Logging>({
    format: f.string('text'),
    flushFrequency: f.numberOrString('5s', zeroIsUnset),
    verbosity: f.uint32(),
    vmodule: f.listOf(f.object({ filePattern: f.string(), verbosity: f.uint32() })),
    options: f.object({ text: logStream, json: logStream }),
  }),
  hostnameOverride: f.string(),
  bindAddress: f.string('0.0.0.0'),
  healthzBindAddress: f.string(),
  metricsBindAddress: f.string(),
  bindAddressHardFail: f.bool(),
  enableProfiling: f.bool(),
  showHiddenMetricsForVersion: f.string(),
  mode: f.string(),
  iptables: f.object<IPTablesConfiguration>({
    masqueradeBit: f.int32(14),
    masqueradeAll: f.bool(),
    localhostNodePorts: f.bool(true),
    syncPeriod: f.duration('30s', zeroIsUnset),
    minSyncPeriod: f.duration('1s', zeroIsUnset),
  }),
  ipvs: f.object<IPVSConfiguration>({
    syncPeriod: f.duration('30s', zeroIsUnset),
    minSyncPeriod: f.duration('0s'),
    scheduler: f.string(),
    excludeCIDRs: f.stringList(),
    strictARP: f.bool(),
    tcpTimeout: f.duration('0s'),
    tcpFinTimeout: f.duration('0s'),
    udpTimeout: f.duration('0s'),
  }),
  nftables: f.object<NFTablesConfiguration>({
    masqueradeBit: f.int32(14),
    masqueradeAll: f.bool(),
    syncPeriod: f.duration('30s', zeroIsUnset),
    minSyncPeriod: f.duration('1s', zeroIsUnset),
  }),
  winkernel: f.object<WinkernelConfiguration>({
    networkName: f.string(),
    sourceVip: f.string(),
    enableDSR: f.bool(),
    rootHnsEndpointName: f.string(),
    forwardHealthCheckVip: f.bool(),
  }),
  detectLocalMode: f.string(),
  detectLocal: f.object<DetectLocalConfiguration>({ bridgeInterface: f.string(), interfaceNamePrefix: f.string() }),
  clusterCIDR: f.string(),
  nodePortAddresses: f.stringList(),
  oomScoreAdj: f.int32(-999),
  conntrack: f.object<ConntrackConfiguration>({
    maxPerCore: f.int32(32768),
    min: f.int32(131072),
    tcpEstablishedTimeout: f.duration('24h'),
    tcpCloseWaitTimeout: f.duration('1h'),
    tcpBeLiberal: f.bool(),
    udpTimeout: f.duration('0s'),
    udpStreamTimeout: f.duration('0s'),
  }),
  configSyncPeriod: f.duration('15m', zeroIsUnset),
  // Read for old files only; kube-proxy prints it back empty.
  portRange: { ...f.string(), encode: () => '' },
  windowsRunAsService: f.optionalBool(),
});
