import { describe, expect, it } from 'vitest';
import type { IPFamily } from '../../../src/objects/meta.ts';
import { familySettings } from '../../../src/proxy/config/family-settings.ts';
import { loadFile } from './support.ts';

const node = { nodeIPs: { IPv4: '192.168.1.5', IPv6: 'fd01::5' }, podCIDRs: ['10.9.0.0/24', 'fd09::/64'] };

function settings(body: string, family: IPFamily, nodeIPs = node.nodeIPs) {
  return familySettings(loadFile(body).config, family, { ...node, nodeIPs });
}

describe('the settings of one family', () => {
  it('with nothing configured are the defaults', () => {
    expect(settings('', 'IPv4')).toEqual({
      ipFamily: 'IPv4',
      nodeIP: '192.168.1.5',
      masqueradeAll: false,
      masqueradeMark: '0x00004000',
      localDetector: undefined,
      localhostNodePorts: true,
      nodePortAddresses: [],
      featureGates: { PreferSameTrafficDistribution: true, AllowServiceExternalIPs: true },
      syncPeriod: 30_000,
      minSyncPeriod: 1_000,
    });
    expect(settings('', 'IPv6')).toMatchObject({ ipFamily: 'IPv6', nodeIP: 'fd01::5', localhostNodePorts: false });
  });

  it.each([
    [0, '0x00000001'],
    [14, '0x00004000'],
    [31, '0x80000000'],
  ])('masquerade bit %d is the mark %s', (bit, mark) => {
    expect(settings(`iptables: {masqueradeBit: ${bit}}`, 'IPv4').masqueradeMark).toBe(mark);
  });

  it.each<[string, IPFamily, unknown]>([
    ['clusterCIDR: 10.1.0.0/16', 'IPv4', { mode: 'ClusterCIDR', value: '10.1.0.0/16' }],
    ['clusterCIDR: 10.1.0.0/16', 'IPv6', undefined],
    ['clusterCIDR: 10.1.0.0/16,fd00::/48', 'IPv6', { mode: 'ClusterCIDR', value: 'fd00::/48' }],
    ['clusterCIDR: 10.1.2.3/16', 'IPv4', { mode: 'ClusterCIDR', value: '10.1.0.0/16' }],
    ['detectLocalMode: NodeCIDR\nclusterCIDR: ignored', 'IPv4', { mode: 'NodeCIDR', value: '10.9.0.0/24' }],
    ['detectLocalMode: NodeCIDR', 'IPv6', { mode: 'NodeCIDR', value: 'fd09::/64' }],
    [
      'detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}',
      'IPv6',
      { mode: 'BridgeInterface', value: 'cni0' },
    ],
    [
      'detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: veth}',
      'IPv4',
      { mode: 'InterfaceNamePrefix', value: 'veth' },
    ],
  ])('%j gives %s its detector', (body, family, detector) => {
    expect(settings(body, family).localDetector).toEqual(detector);
  });

  it.each<[string, IPFamily, string[], boolean]>([
    ['nodePortAddresses: [primary]', 'IPv4', ['192.168.1.5/32'], false],
    ['nodePortAddresses: [primary]', 'IPv6', ['fd01::5/128'], false],
    ['nodePortAddresses: [10.0.0.0/8, fd00::/8]', 'IPv4', ['10.0.0.0/8'], false],
    ['nodePortAddresses: [10.0.0.0/8]', 'IPv6', [], false],
    ['nodePortAddresses: [fd00::/8]', 'IPv4', [], true],
    ['nodePortAddresses: [127.0.0.0/8]', 'IPv4', ['127.0.0.0/8'], true],
    ['nodePortAddresses: [0.0.0.0/0]', 'IPv4', ['0.0.0.0/0'], true],
    ['iptables: {localhostNodePorts: false}', 'IPv4', [], false],
  ])('%s means for %s NodePorts on %j, and on localhost: %s', (body, family, nodePortAddresses, localhostNodePorts) => {
    expect(settings(body, family)).toMatchObject({ nodePortAddresses, localhostNodePorts });
  });

  it('leave a loopback node address out of "primary", which can mean every address', () => {
    const nodeIPs = { IPv4: '127.0.0.1', IPv6: 'fd01::5' };
    const body = 'nodePortAddresses: [primary]';
    expect(settings(body, 'IPv4', nodeIPs)).toMatchObject({ nodePortAddresses: [], localhostNodePorts: true });
  });

  it('follow the feature gate for external IPs', () => {
    const { featureGates } = settings('featureGates: {AllowServiceExternalIPs: false}', 'IPv4');
    expect(featureGates.AllowServiceExternalIPs).toBe(false);
  });
});
