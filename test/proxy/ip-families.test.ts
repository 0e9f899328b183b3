import { describe, expect, it } from 'vitest';
import { type FamilySupportInputs, supportedFamilies } from '../../src/proxy/ip-families.ts';

const all: FamilySupportInputs = {
  iptablesProblem: { IPv4: undefined, IPv6: undefined },
  hasIPv6Interfaces: true,
  disableIPv6: '0\n',
};

describe('the IP families of a proxier', () => {
  it('are both where the machine can do both, the primary one first', () => {
    expect(supportedFamilies(all, 'IPv4')).toEqual({ families: ['IPv4', 'IPv6'], notes: [] });
    expect(supportedFamilies(all, 'IPv6').families).toEqual(['IPv6', 'IPv4']);
  });

  it.each<[string, Partial<FamilySupportInputs>, string]>([
    ['ip6tables', { iptablesProblem: { IPv4: undefined, IPv6: 'no table' } }, 'no IPv6: no table'],
    [
      'IPv6 in the kernel',
      { hasIPv6Interfaces: false },
      'no IPv6: the kernel has no IPv6 (/proc/net/if_inet6 is missing)',
    ],
    [
      'IPv6 switched on',
      { disableIPv6: '1\n' },
      'no IPv6: it is switched off (sysctl net.ipv6.conf.all.disable_ipv6 is 1)',
    ],
  ])('are IPv4 alone without %s', (_what, inputs, note) => {
    expect(supportedFamilies({ ...all, ...inputs }, 'IPv4')).toEqual({ families: ['IPv4'], notes: [note] });
  });

  it('are IPv6 alone without iptables for IPv4', () => {
    const inputs = { ...all, iptablesProblem: { IPv4: 'no module', IPv6: undefined } };
    expect(supportedFamilies(inputs, 'IPv6')).toEqual({ families: ['IPv6'], notes: ['no IPv4: no module'] });
  });

  it('count as there when disable_ipv6 cannot be read', () => {
    expect(supportedFamilies({ ...all, disableIPv6: undefined }, 'IPv4').families).toEqual(['IPv4', 'IPv6']);
  });

  it('must include the primary one', () => {
    expect(() => supportedFamilies({ ...all, disableIPv6: '1' }, 'IPv6')).toThrow(
      "no support for the node's primary IP family IPv6: it is switched off",
    );
  });

  it('must be at least one', () => {
    const iptablesProblem = { IPv4: 'spawn iptables ENOENT', IPv6: 'spawn ip6tables ENOENT' };
    expect(() => supportedFamilies({ ...all, iptablesProblem }, 'IPv4')).toThrow(
      'iptables is not available on this machine: spawn iptables ENOENT',
    );
  });
});
