import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeIptables } from '../../../src/proxy/iptables/fake-iptables.ts';
import { planFull } from '../../../src/proxy/iptables/full-plan.ts';
import { nothingKnown } from '../../../src/proxy/iptables/kernel-scan.ts';
import { quoteWord, savedForm } from '../../../src/proxy/iptables/saved-form.ts';
import { JUMP_RULES } from '../../../src/proxy/iptables/static-rules.ts';
import { splitWords } from '../../../src/proxy/iptables/words.ts';
import { planText } from '../../../src/proxy/iptables/write-plan.ts';
import { describeGolden, type GoldenCase, kernelSave } from '../golden/load.ts';
import { desiredRules, rulesConfig } from './clusters.ts';

describe('the form in which iptables-save prints a rule', () => {
  test.each([
    ['-s 10.1.0.1 -j KUBE-MARK-MASQ', '-s 10.1.0.1/32 -j KUBE-MARK-MASQ'],
    [
      '-m comment --comment ns1/svc1:p80 -m tcp -p tcp -d 172.30.0.41 --dport 80',
      '-d 172.30.0.41/32 -p tcp -m comment --comment "ns1/svc1:p80" -m tcp --dport 80',
    ],
    ['-d 127.0.0.0/8 ! -s 127.0.0.0/8 -j DROP', '! -s 127.0.0.0/8 -d 127.0.0.0/8 -j DROP'],
    ['-j MARK --or-mark 0x00004000', '-j MARK --set-xmark 0x4000/0x4000'],
    ['-j MARK --xor-mark 0x00004000', '-j MARK --set-xmark 0x4000/0x0'],
    ['-m mark ! --mark 0x00004000/0x00004000 -j RETURN', '-m mark ! --mark 0x4000/0x4000 -j RETURN'],
    [
      '-m statistic --mode random --probability 0.3333333333 -j A',
      '-m statistic --mode random --probability 0.33333333349 -j A',
    ],
    ['-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT', '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
    ['-s 0.0.0.0/0 -j REJECT', '-j REJECT --reject-with icmp-port-unreachable'],
    ['-m comment --comment abc-d_e -j A', '-m comment --comment abc-d_e -j A'],
    ['-i cali+ -m comment --comment "-j DROP" -j A', '-i cali+ -m comment --comment "-j DROP" -j A'],
  ])('%s', (written, printed) => {
    expect(savedForm(written, 'IPv4')).toBe(printed);
    expect(savedForm(printed, 'IPv4'), 'printed again').toBe(printed);
  });

  test('IPv6 has its own prefix length, mask and REJECT', () => {
    expect(savedForm('-s fd00::1 -j REJECT', 'IPv6')).toBe(
      '-s fd00::1/128 -j REJECT --reject-with icmp6-port-unreachable',
    );
    expect(savedForm('-m recent --name X --set', 'IPv6')).toBe(
      '-m recent --set --name X --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource',
    );
  });

  test('quoting a word and reading it again gives the word', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((text) => !/[\n\r]/.test(text)),
        (word) => {
          expect(splitWords(`a ${quoteWord(word)} b`)).toEqual(['a', word, 'b']);
        },
      ),
    );
  });
});

describe('the in-memory twin', () => {
  test('parse is the inverse of dump', async () => {
    await fc.assert(
      fc.asyncProperty(desiredRules(rulesConfig()), async (desired) => {
        const scan = {
          ...nothingKnown(desired),
          missingJumps: JUMP_RULES,
          missingTargets: { filter: ['KUBE-FIREWALL'], nat: [] },
        };
        const [one, other] = [new FakeIptables(), new FakeIptables()];
        await one.restore(planText(planFull(scan, desired, 'IPv4', 'nft')));
        other.parse(one.dump());
        expect(other.dump()).toBe(one.dump());
      }),
      { numRuns: 50 },
    );
  });

  test('a busy lock refuses writes with status 4, and reading goes on', async () => {
    const fake = new FakeIptables({ info: { backend: 'legacy', version: '1.8.9' } });
    fake.holdLock(true);
    await expect(fake.restore(['*nat\nCOMMIT\n'])).rejects.toMatchObject({ exitCode: 4, isResourceProblem: true });
    await expect(fake.command(['-N', 'X', '-t', 'nat'])).rejects.toMatchObject({ exitCode: 4 });
    await fake.save(() => {});
    fake.holdLock(false);
    await fake.restore(['*nat\nCOMMIT\n']);
  });
});

interface DumpCase extends GoldenCase {
  derivedIptablesRestore?: string;
}

describeGolden<DumpCase>(
  'the twin prints golden rules as a real kernel did',
  ['full-', 'flow-', 'misc-01', 'derived-'],
  (cases) => {
    test.each(cases.map((c) => [c.name, c] as const))('%s', async (name, golden) => {
      const { expected } = golden;
      const text = expected.iptablesRestore ?? golden.derivedIptablesRestore ?? expected.derivedIptablesRestore;
      // The kernel that printed the golden saves had no xt_nfacct.
      const written = String(text).replace(/ -m nfacct --nfacct-name \S+/g, '');
      const twin = new FakeIptables({ family: golden.config.ipFamily });
      await twin.restore([written]);
      expect(twin.dump()).toBe(kernelSave(name)?.replace(/^#.*\n/gm, ''));
    });
  },
);
