/** How the text after a flag is read. `list` may be given more than once; `gates` is `Name=true,Other=false`. */
export type FlagKind =
  | 'bool'
  | 'string'
  | 'int32'
  | 'float'
  | 'duration'
  | 'list'
  | 'gates'
  | 'ip'
  | 'ipport'
  | 'level'
  | 'vmodule'
  | 'number-or-string';

/**
 * What a flag acts on. `config`: a field of the configuration, so it is ignored beside `--config`. `logging`: a field too, but the
 * flag wins over the file. `run`: what this run does; it always acts. `nothing`: accepted because kube-proxy accepts it.
 */
export type FlagGroup = 'config' | 'logging' | 'run' | 'nothing';

export interface FlagSpec {
  readonly name: string;
  readonly kind: FlagKind;
  readonly group: FlagGroup;
  /** One letter. */
  readonly short?: string;
  /** Paths in the configuration document; a flag for the proxy mode in use names the field of every mode. */
  readonly fields: readonly string[];
  readonly help: string;
  /** What to use instead. */
  readonly deprecated?: string;
}

function config(name: string, kind: FlagKind, field: string | readonly string[], help: string): FlagSpec {
  return { name, kind, group: 'config', fields: typeof field === 'string' ? [field] : field, help };
}

function logging(name: string, kind: FlagKind, field: string, help: string): FlagSpec {
  return { name, kind, group: 'logging', fields: [`logging.${field}`], help };
}

function run(name: string, kind: FlagKind, help: string): FlagSpec {
  return { name, kind, group: 'run', fields: [], help };
}

const IPVS_HELP = 'for mode ipvs, which is not supported here';
const BUFFER_HELP = 'accepted for compatibility; log lines are not buffered';

/** Every flag of kube-proxy 1.36. */
export const PROXY_FLAGS: readonly FlagSpec[] = [
  run('config', 'string', 'KubeProxyConfiguration file, as kubeadm writes it; then most other flags are ignored'),
  run('write-config-to', 'string', 'write the effective configuration to this file and exit'),
  run('cleanup', 'bool', 'remove every rule and chain of kube-proxy and exit'),
  run('init-only', 'bool', 'do the part that needs full root rights (kernel settings) and exit'),
  run('master', 'string', 'URL of the API server; wins over the kubeconfig'),
  run('hostname-override', 'string', 'name of the Node that this machine is; default: the hostname'),

  config(
    'kubeconfig',
    'string',
    'clientConnection.kubeconfig',
    'kubeconfig file; default: the service account of the pod',
  ),
  config(
    'kube-api-content-type',
    'string',
    'clientConnection.contentType',
    'content type of requests to the API server',
  ),
  config('kube-api-qps', 'float', 'clientConnection.qps', 'requests per second to the API server'),
  config('kube-api-burst', 'int32', 'clientConnection.burst', 'requests at once to the API server'),
  config(
    'config-sync-period',
    'duration',
    'configSyncPeriod',
    'how often objects are delivered again without a change',
  ),

  config('bind-address', 'ip', 'bindAddress', "overrides the node's own address; nothing listens on it"),
  config('bind-address-hard-fail', 'bool', 'bindAddressHardFail', 'exit when a status port cannot be bound'),
  config('healthz-bind-address', 'ipport', 'healthzBindAddress', 'where /healthz and /livez are served'),
  config('metrics-bind-address', 'ipport', 'metricsBindAddress', 'where /metrics is served; empty: nowhere'),
  config('profiling', 'bool', 'enableProfiling', 'accepted for compatibility; there are no /debug/pprof pages'),
  config(
    'show-hidden-metrics-for-version',
    'string',
    'showHiddenMetricsForVersion',
    'minor version before this one, or empty',
  ),
  config('feature-gates', 'gates', 'featureGates', 'Name=true,Other=false'),
  config('oom-score-adj', 'int32', 'oomScoreAdj', "the process's oom_score_adj, -1000 to 1000"),

  config('proxy-mode', 'string', 'mode', 'iptables'),
  config(
    'iptables-masquerade-bit',
    'int32',
    'iptables.masqueradeBit',
    'bit of the packet mark that asks for masquerading, 0 to 31',
  ),
  config(
    'masquerade-all',
    'bool',
    ['iptables.masqueradeAll', 'nftables.masqueradeAll'],
    'masquerade all traffic to cluster IPs',
  ),
  config('iptables-localhost-nodeports', 'bool', 'iptables.localhostNodePorts', 'NodePorts answer on 127.0.0.1 too'),
  config(
    'iptables-sync-period',
    'duration',
    ['iptables.syncPeriod', 'nftables.syncPeriod'],
    'how often the kernel is checked against what it should hold',
  ),
  config(
    'iptables-min-sync-period',
    'duration',
    ['iptables.minSyncPeriod', 'nftables.minSyncPeriod'],
    'shortest time between two changes of the rules; 0: each event at once',
  ),

  config(
    'detect-local-mode',
    'string',
    'detectLocalMode',
    'how pod traffic is told: ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix',
  ),
  config(
    'cluster-cidr',
    'string',
    'clusterCIDR',
    "the pods' addresses, for mode ClusterCIDR; for dual-stack two with a comma between",
  ),
  config('pod-bridge-interface', 'string', 'detectLocal.bridgeInterface', "the pods' bridge, for mode BridgeInterface"),
  config(
    'pod-interface-name-prefix',
    'string',
    'detectLocal.interfaceNamePrefix',
    "how the pods' interfaces begin, for mode InterfaceNamePrefix",
  ),
  config(
    'nodeport-addresses',
    'list',
    'nodePortAddresses',
    'CIDRs of the addresses that NodePorts answer on, or the word primary; default: all',
  ),

  config(
    'conntrack-max-per-core',
    'int32',
    'conntrack.maxPerCore',
    "connections tracked per CPU; 0: leave the kernel's limit alone",
  ),
  config('conntrack-min', 'int32', 'conntrack.min', 'connections tracked at least'),
  config(
    'conntrack-tcp-timeout-established',
    'duration',
    'conntrack.tcpEstablishedTimeout',
    'time-out of idle TCP connections; 0: leave alone',
  ),
  config(
    'conntrack-tcp-timeout-close-wait',
    'duration',
    'conntrack.tcpCloseWaitTimeout',
    'time-out of TCP connections in CLOSE_WAIT; 0: leave alone',
  ),
  config('conntrack-tcp-be-liberal', 'bool', 'conntrack.tcpBeLiberal', 'set nf_conntrack_tcp_be_liberal to 1'),
  config(
    'conntrack-udp-timeout',
    'duration',
    'conntrack.udpTimeout',
    'time-out of UDP flows without a reply; 0: leave alone',
  ),
  config(
    'conntrack-udp-timeout-stream',
    'duration',
    'conntrack.udpStreamTimeout',
    'time-out of UDP flows with replies; 0: leave alone',
  ),

  config('ipvs-sync-period', 'duration', 'ipvs.syncPeriod', IPVS_HELP),
  config('ipvs-min-sync-period', 'duration', 'ipvs.minSyncPeriod', IPVS_HELP),
  config('ipvs-scheduler', 'string', 'ipvs.scheduler', IPVS_HELP),
  config('ipvs-exclude-cidrs', 'list', 'ipvs.excludeCIDRs', IPVS_HELP),
  config('ipvs-strict-arp', 'bool', 'ipvs.strictARP', IPVS_HELP),
  config('ipvs-tcp-timeout', 'duration', 'ipvs.tcpTimeout', IPVS_HELP),
  config('ipvs-tcpfin-timeout', 'duration', 'ipvs.tcpFinTimeout', IPVS_HELP),
  config('ipvs-udp-timeout', 'duration', 'ipvs.udpTimeout', IPVS_HELP),

  { ...logging('v', 'level', 'verbosity', '0 to 3: info, 4 and 5: debug, more: trace'), short: 'v' },
  logging('vmodule', 'vmodule', 'vmodule', 'accepted for compatibility'),
  logging('logging-format', 'string', 'format', 'text or json; lines are JSON either way'),
  logging('log-flush-frequency', 'duration', 'flushFrequency', BUFFER_HELP),
  logging('log-text-split-stream', 'bool', 'options.text.splitStream', BUFFER_HELP),
  logging('log-text-info-buffer-size', 'number-or-string', 'options.text.infoBufferSize', BUFFER_HELP),
  logging('log-json-split-stream', 'bool', 'options.json.splitStream', BUFFER_HELP),
  logging('log-json-info-buffer-size', 'number-or-string', 'options.json.infoBufferSize', BUFFER_HELP),

  {
    ...config('healthz-port', 'int32', [], '0 disables /healthz and /livez'),
    deprecated: 'use --healthz-bind-address instead',
  },
  {
    ...config('metrics-port', 'int32', [], '0 disables /metrics'),
    deprecated: 'use --metrics-bind-address instead',
  },
  { ...run('boot-id-file', 'string', 'accepted for compatibility'), group: 'nothing' },
  { ...run('machine-id-file', 'string', 'accepted for compatibility'), group: 'nothing' },
];

/** The flags that stand on the command line: name -> the texts given, in order. A boolean without a text counts as `true`. */
export type GivenFlags = ReadonlyMap<string, readonly string[]>;

export function flagSpec(name: string): FlagSpec {
  const spec = PROXY_FLAGS.find((flag) => flag.name === name);
  if (!spec) throw new RangeError(`no flag --${name}`);
  return spec;
}
