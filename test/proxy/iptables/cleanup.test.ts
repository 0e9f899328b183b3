import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { realClock } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { RuleApplier } from '../../../src/proxy/iptables/apply.ts';
import { createCanaries } from '../../../src/proxy/iptables/canary.ts';
import { cleanupRules } from '../../../src/proxy/iptables/cleanup.ts';
import { FakeIptables } from '../../../src/proxy/iptables/fake-iptables.ts';
import { JUMP_RULES } from '../../../src/proxy/iptables/static-rules.ts';
import { desiredRules, rulesConfig } from './clusters.ts';

const golden = new URL('../../../../shared/golden/misc-02-cleanup-leftovers.json', import.meta.url);
if (!existsSync(golden))
  console.log('NOT TESTED: golden misc-02-cleanup-leftovers, because ../shared/golden is absent');

/** Upstream's own twin prints comments without quotes, which no iptables would read. */
function quoted(dump: string): string {
  return dump.replace(/--comment (?!")(\S.*?) (?=-[a-z] )/g, '--comment "$1" ');
}

const FOREIGN = [
  '*filter\n:OTHERS - [0:0]\n-A INPUT -j OTHERS\n-A OTHERS -s 10.9.0.0/16 -j DROP\nCOMMIT\n',
  '*nat\n:KUBE-KUBELET-CANARY - [0:0]\n:KUBE-XLB-AAAAAAAAAAAAAAAA - [0:0]\n-A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE\nCOMMIT\n',
  '*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n',
];

describe('cleanup', () => {
  test.runIf(existsSync(golden))('removes from the golden leftovers what kube-proxy removes', async () => {
    const { initial, final } = JSON.parse(readFileSync(golden, 'utf8')).expected;
    const [kernel, expected] = [new FakeIptables(), new FakeIptables()];
    kernel.parse(quoted(initial));
    expected.parse(quoted(final));
    await cleanupRules(kernel);
    expect(kernel.dump()).toBe(expected.dump());
  });

  test.each(['nft', 'legacy'] as const)(
    'leaves exactly what was there before the proxier, whatever it wrote (%s)',
    async (backend) => {
      await fc.assert(
        fc.asyncProperty(desiredRules(rulesConfig()), async (desired) => {
          const kernel = new FakeIptables({ info: { backend, version: '1.8.9' } });
          await kernel.restore(FOREIGN);
          await kernel.restore([
            '*filter\n:KUBE-FIREWALL - [0:0]\n-A INPUT -j KUBE-FIREWALL\n-A OUTPUT -j KUBE-FIREWALL\nCOMMIT\n',
          ]);
          const before = kernel.dump();
          await new RuleApplier({ iptables: kernel, jumps: JUMP_RULES, clock: realClock, log: silentLogger }).apply(
            desired,
          );
          await createCanaries(kernel);
          const { left } = await cleanupRules(kernel);
          expect(left).toEqual([]);
          expect(kernel.dump()).toBe(before.replace(/(?=-A OTHERS)/, FIREWALL));
        }),
        { numRuns: 50 },
      );
    },
  );

  test('a second run has nothing to do and writes nothing', async () => {
    const kernel = new FakeIptables();
    const [desired] = fc.sample(desiredRules(rulesConfig()), { numRuns: 1, seed: 3 });
    if (!desired) throw new Error('no sample');
    await new RuleApplier({ iptables: kernel, jumps: JUMP_RULES, clock: realClock, log: silentLogger }).apply(desired);
    expect(await cleanupRules(kernel)).toMatchObject({ jumpsRemoved: 12 });
    kernel.calls.length = 0;
    expect(await cleanupRules(kernel)).toEqual({ chainsRemoved: 0, jumpsRemoved: 0, left: [] });
    expect(kernel.calls).toEqual(['save']);
  });

  test('a chain that a foreign rule jumps to is emptied, left, and named', async () => {
    const kernel = new FakeIptables();
    kernel.parse(
      '*nat\n:MINE - [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n:KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]\n' +
        '-A MINE -j KUBE-SVC-AAAAAAAAAAAAAAAA\n-A KUBE-SVC-AAAAAAAAAAAAAAAA -j KUBE-SEP-AAAAAAAAAAAAAAAA\nCOMMIT\n',
    );
    const report = await cleanupRules(kernel);
    expect(report.left).toEqual(['nat/KUBE-SVC-AAAAAAAAAAAAAAAA (from nat/MINE)']);
    expect(kernel.rules('nat', 'KUBE-SVC-AAAAAAAAAAAAAAAA')).toEqual([]);
    expect(kernel.rules('nat', 'MINE')).toEqual(['-j KUBE-SVC-AAAAAAAAAAAAAAAA']);
    expect(kernel.rules('nat', 'KUBE-SEP-AAAAAAAAAAAAAAAA')).toBeUndefined();
  });
});

const FIREWALL =
  '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" ' +
  '-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\n';
