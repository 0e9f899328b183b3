import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/user-error.ts';
import { loadFile } from './support.ts';

function problem(body: string): string {
  try {
    loadFile(body);
  } catch (error) {
    if (error instanceof UserError) return error.message.replace('the configuration is not valid: ', '');
    throw error;
  }
  return '';
}

const conntrack = 'KubeProxyConfiguration.KubeProxyLinuxConfiguration.KubeProxyConntrackConfiguration';
const detectLocal = 'KubeProxyConfiguration.DetectLocalConfiguration';
const dualStack =
  'must be a either a single CIDR or dual-stack pair of CIDRs (e.g. [10.100.0.0/16, fde4:8dba:82e1::/48]';
const anyCIDR = 'must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)';

describe('validation refuses in the words of kube-proxy', () => {
  it.each([
    [
      'mode: userspace',
      'KubeProxyConfiguration.Mode.ProxyMode: Invalid value: "userspace": must be iptables, ipvs, nftables or blank (blank means the best-available proxy [currently iptables])',
    ],
    ['configSyncPeriod: -1s', 'KubeProxyConfiguration.ConfigSyncPeriod: Invalid value: "-1s": must be greater than 0'],
    [
      'iptables: {masqueradeBit: 32}',
      'KubeProxyConfiguration.KubeProxyIPTablesConfiguration.MasqueradeBit: Invalid value: 32: must be within the range [0, 31]',
    ],
    [
      'iptables: {syncPeriod: -1s, minSyncPeriod: -5s}',
      'KubeProxyConfiguration.SyncPeriod: Invalid value: "-1s": must be greater than 0; KubeProxyConfiguration.MinSyncPeriod: Invalid value: "-5s": must be greater than or equal to 0',
    ],
    [
      'iptables: {syncPeriod: 1s, minSyncPeriod: 5s}',
      'KubeProxyConfiguration.SyncPeriod: Invalid value: "1s": must be greater than or equal to KubeProxyConfiguration.MinSyncPeriod (5s)',
    ],
    ['conntrack: {maxPerCore: -1}', `${conntrack}.MaxPerCore: Invalid value: -1: must be greater than or equal to 0`],
    ['conntrack: {min: -2}', `${conntrack}.Min: Invalid value: -2: must be greater than or equal to 0`],
    [
      'conntrack: {tcpEstablishedTimeout: -1s}',
      `${conntrack}.TCPEstablishedTimeout: Invalid value: "-1s": must be greater than or equal to 0`,
    ],
    [
      'conntrack: {tcpCloseWaitTimeout: -1s}',
      `${conntrack}.TCPCloseWaitTimeout: Invalid value: "-1s": must be greater than or equal to 0`,
    ],
    [
      'conntrack: {udpTimeout: -1s}',
      `${conntrack}.UDPTimeout: Invalid value: "-1s": must be greater than or equal to 0`,
    ],
    [
      'conntrack: {udpStreamTimeout: -1s}',
      `${conntrack}.UDPStreamTimeout: Invalid value: "-1s": must be greater than or equal to 0`,
    ],
    [
      'oomScoreAdj: 1001',
      'KubeProxyConfiguration.KubeProxyLinuxConfiguration.OOMScoreAdj: Invalid value: 1001: must be within the range [-1000, 1000]',
    ],
    [
      'clientConnection: {burst: -1}',
      'KubeProxyConfiguration.ClientConnection.Burst: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'bindAddress: 10.0.0.1:80',
      'KubeProxyConfiguration.BindAddress: Invalid value: "10.0.0.1:80": not a valid textual representation of an IP address',
    ],
    ['healthzBindAddress: foo', 'KubeProxyConfiguration.HealthzBindAddress: Invalid value: "foo": must be IP:port'],
    [
      'healthzBindAddress: foo:80',
      'KubeProxyConfiguration.HealthzBindAddress: Invalid value: "foo": must be a valid IP',
    ],
    ['healthzBindAddress: ":80"', 'KubeProxyConfiguration.HealthzBindAddress: Invalid value: "": must be a valid IP'],
    [
      'metricsBindAddress: 1.2.3.4:70000',
      'KubeProxyConfiguration.MetricsBindAddress: Invalid value: "70000": must be a valid port',
    ],
    [
      'metricsBindAddress: 1.2.3.4:0',
      'KubeProxyConfiguration.MetricsBindAddress: Invalid value: "0": must be a valid port',
    ],
    [
      'metricsBindAddress: "1.2.3.4:"',
      'KubeProxyConfiguration.MetricsBindAddress: Invalid value: "": must be a valid port',
    ],
    [
      'metricsBindAddress: 1.2.3.4:http',
      'KubeProxyConfiguration.MetricsBindAddress: Invalid value: "http": must be a valid port',
    ],
    [
      'nodePortAddresses: [primary, 10.0.0.0/8]',
      `KubeProxyConfiguration.NodePortAddresses[0]: Invalid value: "primary": can't use both 'primary' and CIDRs`,
    ],
    [
      'nodePortAddresses: [10.0.0.0/8, primary]',
      `KubeProxyConfiguration.NodePortAddresses[1]: Invalid value: "primary": can't use both 'primary' and CIDRs`,
    ],
    [
      'nodePortAddresses: [10.0.0.0, ""]',
      'KubeProxyConfiguration.NodePortAddresses[0]: Invalid value: "10.0.0.0": must be a valid CIDR; KubeProxyConfiguration.NodePortAddresses[1]: Invalid value: "": must be a valid CIDR',
    ],
    [
      'showHiddenMetricsForVersion: "1.34"',
      `KubeProxyConfiguration.ShowHiddenMetricsForVersion: Invalid value: "1.34": must be omitted or have the value '1.35'; only the previous minor version is allowed`,
    ],
    [
      'detectLocalMode: nodecidr',
      'KubeProxyConfiguration.DetectLocalMode: Unsupported value: "nodecidr": supported values: "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix", ""',
    ],
    ['detectLocalMode: BridgeInterface', `${detectLocal}.InterfaceName: Invalid value: "": must not be empty`],
    ['detectLocalMode: InterfaceNamePrefix', `${detectLocal}.InterfacePrefix: Invalid value: "": must not be empty`],
    [
      'detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: "br0 -j ACCEPT"}',
      `${detectLocal}.InterfaceName: Invalid value: "br0 -j ACCEPT": must be the name of a network interface, at most 15 characters`,
    ],
    [
      'detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: averyveryverylongname}',
      `${detectLocal}.InterfacePrefix: Invalid value: "averyveryverylongname": must be a prefix of the name of a network interface, at most 14 characters`,
    ],
    ['clusterCIDR: foo', `${detectLocal}.ClusterCIDRs[0]: Invalid value: "foo": ${anyCIDR}`],
    ['clusterCIDR: 10.0.0.0/8, fd00::/9', `${detectLocal}.ClusterCIDRs[1]: Invalid value: " fd00::/9": ${anyCIDR}`],
    [
      'clusterCIDR: 10.0.0.0/8,10.0.0.0/9',
      `${detectLocal}.ClusterCIDRs: Invalid value: ["10.0.0.0/8","10.0.0.0/9"]: ${dualStack}`,
    ],
    [
      'clusterCIDR: 10.0.0.0/8,fd00::/9,fd00::/8',
      `${detectLocal}.ClusterCIDRs: Invalid value: ["10.0.0.0/8","fd00::/9","fd00::/8"]: ${dualStack}`,
    ],
    [
      'featureGates: {PreferSameTrafficDistribution: false}',
      'KubeProxyConfiguration.featureGates: Invalid value: {"PreferSameTrafficDistribution":false}: cannot set feature gate PreferSameTrafficDistribution to false, feature is locked to true',
    ],
    ['logging: {format: foo}', 'KubeProxyConfiguration.logging.format: Invalid value: "foo": Unsupported log format'],
  ])('%s', (body, message) => {
    expect(problem(body)).toBe(message);
  });

  it('with all that is wrong in one line', () => {
    expect(problem('oomScoreAdj: -1001\nclusterCIDR: foo')).toBe(
      'KubeProxyConfiguration.KubeProxyLinuxConfiguration.OOMScoreAdj: Invalid value: -1001: must be within the range [-1000, 1000]; ' +
        `${detectLocal}.ClusterCIDRs[0]: Invalid value: "foo": ${anyCIDR}`,
    );
  });
});

describe('validation lets pass', () => {
  it.each([
    'bindAddress: 010.0.0.1',
    'nodePortAddresses: [10.0.0.1/8, "::/0"]',
    'nodePortAddresses: [primary]',
    'nodePortAddresses: []',
    'clusterCIDR: 10.0.0.0/8,fd00::/9',
    'clusterCIDR: 010.0.0.1/8',
    'detectLocalMode: NodeCIDR\nclusterCIDR: foo',
    'detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}',
    'showHiddenMetricsForVersion: "1.35"',
    'nftables: {masqueradeBit: 32, syncPeriod: -1s}',
    'ipvs: {syncPeriod: -3s, excludeCIDRs: [foo]}',
    'metricsBindAddress: "[::1]:80"',
    'featureGates: {AllAlpha: true, MultiCIDRServiceAllocator: true, AllowServiceExternalIPs: false}',
    'logging: {format: json, flushFrequency: 1000}',
  ])('%s', (body) => {
    expect(problem(body)).toBe('');
  });
});
