import { describe, expect, it } from 'vitest';
import { endpointChainName, isServiceChain, serviceChainNames } from '../../../src/proxy/iptables/chain-names.ts';

describe('chain names', () => {
  it.each([
    ['default/nginx-svc', 'TCP', 'HL5LMXD5JFHQZ6LN'],
    ['default/kubernetes:https', 'TCP', 'NPX46M4PTMTKRN6Y'],
    ['kube-system/kube-dns:dns', 'UDP', 'TCOU7JCQXEZGVUNU'],
    ['kube-system/kube-dns:metrics', 'TCP', 'JD5MR3NA4I4DYORP'],
    ['ns1/svc1:p80', 'TCP', 'XPGD46QRK7WJZT7O'],
  ] as const)('of %s over %s end in %s', (display, protocol, hash) => {
    expect(serviceChainNames(display, protocol)).toEqual({
      clusterPolicy: `KUBE-SVC-${hash}`,
      localPolicy: `KUBE-SVL-${hash}`,
      external: `KUBE-EXT-${hash}`,
      firewall: `KUBE-FW-${hash}`,
    });
  });

  it.each([
    ['default/nginx-svc', '10.244.1.2:80', 'SADCJIHRQW7RJ62U'],
    ['ns1/svc1:p80', '10.180.0.1:80', 'SXIVWICOYRO3J4NJ'],
    ['ns1/svc1:p80', '[fd00:10::1]:8080', '2YRJFLCBJYQOU77L'],
  ] as const)('of endpoint %s %s end in %s', (display, address, hash) => {
    expect(endpointChainName(display, 'TCP', address)).toBe(`KUBE-SEP-${hash}`);
  });

  it('are ours only with one of five prefixes', () => {
    const ours = ['KUBE-SVC-A', 'KUBE-SVL-A', 'KUBE-EXT-A', 'KUBE-FW-A', 'KUBE-SEP-A'];
    const others = [
      'KUBE-XLB-A',
      'KUBE-SERVICES',
      'KUBE-FIREWALL',
      'KUBE-MARK-DROP',
      'XKUBE-SVC-A',
      'INPUT',
      'KUBE-SVC',
    ];
    expect(ours.every(isServiceChain)).toBe(true);
    expect(others.some(isServiceChain)).toBe(false);
  });
});
