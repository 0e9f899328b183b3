import { formatDuration, type Milliseconds } from '../../duration.ts';
import { parseAddress, parseNetwork } from '../addresses.ts';
import { localDetectorFor } from '../local-detector.ts';
import { readFeatureGates } from './feature-gates.ts';
import { splitHostPort } from './host-port.ts';
import { DETECT_LOCAL_MODES, isDetectLocalMode, type KubeProxyConfiguration } from './types.ts';

/** The version whose behaviour this is; hidden metrics can be asked for of the minor version before it only. */
const PREVIOUS_MINOR = '1.35';

const NOT_NEGATIVE = 'must be greater than or equal to 0';
const DUAL_STACK =
  'must be a either a single CIDR or dual-stack pair of CIDRs (e.g. [10.100.0.0/16, fde4:8dba:82e1::/48]';

type Report = (field: string, value: unknown, why: string) => void;

/**
 * Every rule that kube-proxy 1.36 has for a configuration with its defaults filled in; paths and messages as it words them, so
 * that what people find about them elsewhere applies. Empty: valid.
 */
export function validate(config: KubeProxyConfiguration): string[] {
  const errors: string[] = [];
  const invalid: Report = (field, value, why) =>
    errors.push(`KubeProxyConfiguration.${field}: Invalid value: ${JSON.stringify(value)}: ${why}`);

  for (const why of readFeatureGates(config.featureGates).errors) invalid('featureGates', config.featureGates, why);
  validateMasquerading(config, invalid);
  validateConntrack(config, invalid);
  inRange(invalid, 'KubeProxyLinuxConfiguration.OOMScoreAdj', config.oomScoreAdj, -1000, 1000);
  validateMode(config, invalid);
  if (config.clientConnection.burst < 0) invalid('ClientConnection.Burst', config.clientConnection.burst, NOT_NEGATIVE);
  validatePeriods(config, invalid);
  if (!parseAddress(config.bindAddress)) {
    invalid('BindAddress', config.bindAddress, 'not a valid textual representation of an IP address');
  }
  // Upstream refuses an empty metrics address, although the help of --metrics-port says that 0 disables the server.
  if (config.healthzBindAddress) validateHostPort('HealthzBindAddress', config.healthzBindAddress, invalid);
  if (config.metricsBindAddress) validateHostPort('MetricsBindAddress', config.metricsBindAddress, invalid);
  validateNodePortAddresses(config.nodePortAddresses ?? [], invalid);
  if (!['', PREVIOUS_MINOR].includes(config.showHiddenMetricsForVersion)) {
    const why = `must be omitted or have the value '${PREVIOUS_MINOR}'; only the previous minor version is allowed`;
    invalid('ShowHiddenMetricsForVersion', config.showHiddenMetricsForVersion, why);
  }
  if (!isDetectLocalMode(config.detectLocalMode)) {
    const known = [...DETECT_LOCAL_MODES, ''].map((mode) => JSON.stringify(mode)).join(', ');
    const value = JSON.stringify(config.detectLocalMode);
    errors.push(`KubeProxyConfiguration.DetectLocalMode: Unsupported value: ${value}: supported values: ${known}`);
  }
  validateDetectLocal(config, invalid);
  if (!['text', 'json'].includes(config.logging.format)) {
    invalid('logging.format', config.logging.format, 'Unsupported log format');
  }
  return errors;
}

function validateMasquerading(config: KubeProxyConfiguration, invalid: Report): void {
  inRange(invalid, 'KubeProxyIPTablesConfiguration.MasqueradeBit', config.iptables.masqueradeBit, 0, 31);
  if (config.mode !== 'nftables') return;
  inRange(invalid, 'KubeProxyNFTablesConfiguration.MasqueradeBit', config.nftables.masqueradeBit, 0, 31);
}

function validateConntrack({ conntrack }: KubeProxyConfiguration, invalid: Report): void {
  const at = 'KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration';
  if (conntrack.maxPerCore < 0) invalid(`${at}.MaxPerCore`, conntrack.maxPerCore, NOT_NEGATIVE);
  if (conntrack.min < 0) invalid(`${at}.Min`, conntrack.min, NOT_NEGATIVE);
  const timeouts: [string, Milliseconds][] = [
    ['TCPEstablishedTimeout', conntrack.tcpEstablishedTimeout],
    ['TCPCloseWaitTimeout', conntrack.tcpCloseWaitTimeout],
    ['UDPTimeout', conntrack.udpTimeout],
    ['UDPStreamTimeout', conntrack.udpStreamTimeout],
  ];
  for (const [name, timeout] of timeouts) {
    if (timeout < 0) invalid(`${at}.${name}`, formatDuration(timeout), NOT_NEGATIVE);
  }
}

function validateMode({ mode }: KubeProxyConfiguration, invalid: Report): void {
  if (['', 'iptables', 'ipvs', 'nftables'].includes(mode)) return;
  const why = 'must be iptables, ipvs, nftables or blank (blank means the best-available proxy [currently iptables])';
  invalid('Mode.ProxyMode', mode, why);
}

function validatePeriods(config: KubeProxyConfiguration, invalid: Report): void {
  const { syncPeriod, minSyncPeriod } = periodsOf(config);
  if (config.configSyncPeriod <= 0) {
    invalid('ConfigSyncPeriod', formatDuration(config.configSyncPeriod), 'must be greater than 0');
  }
  if (syncPeriod <= 0) invalid('SyncPeriod', formatDuration(syncPeriod), 'must be greater than 0');
  if (minSyncPeriod < 0) invalid('MinSyncPeriod', formatDuration(minSyncPeriod), NOT_NEGATIVE);
  if (minSyncPeriod > syncPeriod) {
    const why = `must be greater than or equal to KubeProxyConfiguration.MinSyncPeriod (${formatDuration(minSyncPeriod)})`;
    invalid('SyncPeriod', formatDuration(syncPeriod), why);
  }
}

/** The periods of the selected mode; those of an unknown mode are not worth a second complaint. */
function periodsOf(config: KubeProxyConfiguration): { syncPeriod: Milliseconds; minSyncPeriod: Milliseconds } {
  switch (config.mode) {
    case '':
    case 'iptables':
      return config.iptables;
    case 'nftables':
      return config.nftables;
    case 'ipvs':
      return config.ipvs;
    default:
      return { syncPeriod: 1, minSyncPeriod: 0 };
  }
}

function validateHostPort(field: string, value: string, invalid: Report): void {
  const parts = splitHostPort(value);
  if (!parts) {
    invalid(field, value, 'must be IP:port');
    return;
  }
  if (!parseAddress(parts.host)) invalid(field, parts.host, 'must be a valid IP');
  const port = Number(parts.port);
  if (!/^\d+$/.test(parts.port) || port < 1 || port > 65535) invalid(field, parts.port, 'must be a valid port');
}

function validateNodePortAddresses(entries: readonly string[], invalid: Report): void {
  if (entries.length === 1 && entries[0] === 'primary') return;
  entries.forEach((entry, i) => {
    const field = `NodePortAddresses[${i}]`;
    if (entry === 'primary') invalid(field, entry, "can't use both 'primary' and CIDRs");
    else if (!parseNetwork(entry)) invalid(field, entry, 'must be a valid CIDR');
  });
}

function validateDetectLocal(config: KubeProxyConfiguration, invalid: Report): void {
  switch (config.detectLocalMode) {
    case 'ClusterCIDR':
      if (config.clusterCIDR !== '') validateClusterCIDRs(config.clusterCIDR.split(','), invalid);
      break;
    case 'BridgeInterface':
      validateInterface('InterfaceName', config, config.detectLocal.bridgeInterface, invalid);
      break;
    case 'InterfaceNamePrefix':
      validateInterface('InterfacePrefix', config, config.detectLocal.interfaceNamePrefix, invalid);
      break;
  }
}

function validateClusterCIDRs(cidrs: readonly string[], invalid: Report): void {
  const at = 'DetectLocalConfiguration.ClusterCIDRs';
  if (cidrs.length > 2) {
    invalid(at, cidrs, DUAL_STACK);
    return;
  }
  const networks = cidrs.map(parseNetwork);
  networks.forEach((network, i) => {
    const why = 'must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)';
    if (!network) invalid(`${at}[${i}]`, cidrs[i], why);
  });
  const [first, second] = networks;
  if (first && second && first.family === second.family) invalid(at, cidrs, DUAL_STACK);
}

/** Upstream asks only that the name is not empty; one that no interface can have would make every restore fail. */
function validateInterface(field: string, config: KubeProxyConfiguration, name: string, invalid: Report): void {
  const at = `DetectLocalConfiguration.${field}`;
  if (name === '') {
    invalid(at, name, 'must not be empty');
    return;
  }
  if (!isDetectLocalMode(config.detectLocalMode)) return;
  const sources = { mode: config.detectLocalMode, clusterCIDRs: [], podCIDRs: [], ...config.detectLocal };
  try {
    localDetectorFor(sources, 'IPv4');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const [what, most] = config.detectLocalMode === 'BridgeInterface' ? ['the name', 15] : ['a prefix of the name', 14];
    invalid(at, name, `must be ${what} of a network interface, at most ${most} characters`);
  }
}

function inRange(invalid: Report, field: string, value: number, min: number, max: number): void {
  if (value < min || value > max) invalid(field, value, `must be within the range [${min}, ${max}]`);
}
