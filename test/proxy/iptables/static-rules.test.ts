import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { masqueradeMark } from '../../../src/proxy/config-types.ts';
import { JUMP_RULES } from '../../../src/proxy/iptables/static-rules.ts';
import { configs } from '../arbitrary.ts';
import { service } from '../objects.ts';
import { desiredFor, kernelFor } from '../support.ts';

const targets = (table: string, chain: string) => {
  const [config = expect.fail('no config')] = fc.sample(configs('IPv4'), { numRuns: 1, seed: 1 });
  const kernel = kernelFor(desiredFor([service('ns/svc')], [], config));
  return kernel
    .get(table)
    ?.get(chain)
    ?.rules.map((rule) => rule.words.at(-1));
};

describe('the jumps from built-in chains', () => {
  it('are fourteen, and those to kubelet’s chain carry no comment', () => {
    expect(JUMP_RULES).toHaveLength(14);
    const bare = JUMP_RULES.filter((jump) => !jump.rule.includes('--comment'));
    expect(bare.map((jump) => [jump.from, jump.to])).toEqual([
      ['INPUT', 'KUBE-FIREWALL'],
      ['OUTPUT', 'KUBE-FIREWALL'],
    ]);
  });

  it('stand in kube-proxy’s order when each is put on top', () => {
    expect(targets('filter', 'INPUT')).toEqual([
      'KUBE-FIREWALL',
      'KUBE-PROXY-FIREWALL',
      'KUBE-NODEPORTS',
      'KUBE-EXTERNAL-SERVICES',
    ]);
    expect(targets('filter', 'FORWARD')).toEqual([
      'KUBE-PROXY-FIREWALL',
      'KUBE-FORWARD',
      'KUBE-SERVICES',
      'KUBE-EXTERNAL-SERVICES',
    ]);
    expect(targets('filter', 'OUTPUT')).toEqual(['KUBE-FIREWALL', 'KUBE-PROXY-FIREWALL', 'KUBE-SERVICES']);
    expect(targets('nat', 'PREROUTING')).toEqual(['KUBE-SERVICES']);
    expect(targets('nat', 'POSTROUTING')).toEqual(['KUBE-POSTROUTING']);
  });

  it('are single words each, a comment included', () => {
    const [first] = JUMP_RULES;
    expect(first?.rule).toEqual([
      '-m',
      'conntrack',
      '--ctstate',
      'NEW',
      '-m',
      'comment',
      '--comment',
      'kubernetes externally-visible service portals',
      '-j',
      'KUBE-EXTERNAL-SERVICES',
    ]);
  });
});

describe('the masquerade mark', () => {
  it.each([
    [0, '0x00000001'],
    [14, '0x00004000'],
    [31, '0x80000000'],
  ])('of bit %i is %s', (bit, text) => {
    expect(masqueradeMark(bit)).toBe(text);
  });
  it.each([-1, 32, 1.5, Number.NaN])('has no bit %d', (bit) => {
    expect(() => masqueradeMark(bit)).toThrow(`masqueradeBit ${bit} is not in 0..31`);
  });
});
