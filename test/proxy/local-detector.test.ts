import { describe, expect, it } from 'vitest';
import type { DetectLocalMode } from '../../src/proxy/config-types.ts';
import { ifLocal, ifNotLocal, localDetectorFor } from '../../src/proxy/local-detector.ts';

const sources = {
  clusterCIDRs: ['10.0.0.5/8', 'FD00:10::/64'],
  podCIDRs: ['10.244.1.0/24'],
  bridgeInterface: 'cbr0',
  interfaceNamePrefix: 'veth',
};

describe('local detectors', () => {
  it.each<[DetectLocalMode, 'IPv4' | 'IPv6', string | undefined, string | undefined]>([
    ['ClusterCIDR', 'IPv4', '-s 10.0.0.0/8', '! -s 10.0.0.0/8'],
    ['ClusterCIDR', 'IPv6', '-s fd00:10::/64', '! -s fd00:10::/64'],
    ['NodeCIDR', 'IPv4', '-s 10.244.1.0/24', '! -s 10.244.1.0/24'],
    ['NodeCIDR', 'IPv6', undefined, undefined],
    ['BridgeInterface', 'IPv4', '-i cbr0', '! -i cbr0'],
    ['InterfaceNamePrefix', 'IPv6', '-i veth+', '! -i veth+'],
  ])('%s for %s', (mode, family, local, notLocal) => {
    const detector = localDetectorFor({ ...sources, mode }, family);
    expect([detector && ifLocal(detector), detector && ifNotLocal(detector)]).toEqual([local, notLocal]);
  });

  it('refuse values that cannot stand in a rule', () => {
    const detect = (change: object, mode: DetectLocalMode) => () =>
      localDetectorFor({ ...sources, ...change, mode }, 'IPv4');
    expect(detect({ clusterCIDRs: ['10.0.0.0'] }, 'ClusterCIDR')).toThrow('clusterCIDR: "10.0.0.0" is not a CIDR');
    expect(detect({ bridgeInterface: 'br0 -j ACCEPT' }, 'BridgeInterface')).toThrow(
      'detectLocal.bridgeInterface: "br0 -j ACCEPT" is not an interface name',
    );
    expect(detect({ interfaceNamePrefix: '' }, 'InterfaceNamePrefix')).toThrow('is not an interface name');
    expect(detect({ bridgeInterface: 'name-of-15-char' }, 'BridgeInterface')).not.toThrow();
    expect(detect({ interfaceNamePrefix: 'prefix-of-14ch' }, 'InterfaceNamePrefix')).not.toThrow();
    expect(detect({ interfaceNamePrefix: 'prefix-of-15cha' }, 'InterfaceNamePrefix')).toThrow(
      'is not an interface name',
    );
    expect(detect({ bridgeInterface: 'a-name-too-long-' }, 'BridgeInterface')).toThrow('is not an interface name');
  });
});
