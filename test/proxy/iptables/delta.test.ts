import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planDelta } from '../../../src/proxy/iptables/delta.ts';
import { FakeIptables } from '../../../src/proxy/iptables/fake-iptables.ts';
import { planFull } from '../../../src/proxy/iptables/full-plan.ts';
import { nothingKnown } from '../../../src/proxy/iptables/kernel-scan.ts';
import type { DesiredRules } from '../../../src/proxy/iptables/rules.ts';
import { planSize, planText } from '../../../src/proxy/iptables/write-plan.ts';
import { service, slice } from '../objects.ts';
import { desiredFor } from '../support.ts';
import { desiredRules, rulesConfig } from './clusters.ts';

const config = rulesConfig();

async function loaded(desired: DesiredRules, backend: 'nft' | 'legacy' = 'nft'): Promise<FakeIptables> {
  const fake = new FakeIptables({ info: { backend, version: '1.8.9' } });
  await fake.restore(planText(planFull(nothingKnown(desired), desired, 'IPv4', backend)));
  return fake;
}

function textOf(from: DesiredRules, to: DesiredRules): string[] {
  return [...planText(planDelta(from, to, 'nft'))].map((line) => line.trimEnd());
}

const svc1 = service('ns1/svc1');
const svc2 = service('ns2/svc2', { clusterIP: '172.30.0.42' });
const svc3 = service('ns3/svc3', { clusterIP: '172.30.0.43' });
const eps = (...ips: string[]) => slice('ns1/svc1', 's1', ips);
const others = [slice('ns2/svc2', 's2', ['10.1.0.2']), slice('ns3/svc3', 's3', ['10.1.0.3'])];

describe('delta of the rules', () => {
  test('equal rules give an empty plan', () => {
    const a = desiredFor([svc1, svc2], [eps('10.1.0.1'), ...others], config).desired;
    const b = desiredFor([svc1, svc2], [eps('10.1.0.1'), ...others], config).desired;
    expect(planDelta(a, a, 'nft')).toEqual([]);
    expect(planDelta(a, b, 'nft')).toEqual([]);
  });

  test('an endpoint that leaves rewrites its Service chain and deletes its own, and touches nothing else', () => {
    const a = desiredFor([svc1, svc2], [eps('10.1.0.1', '10.1.0.9'), ...others], config).desired;
    const b = desiredFor([svc1, svc2], [eps('10.1.0.1'), ...others], config).desired;
    expect(textOf(a, b)).toEqual([
      '*nat',
      ':KUBE-SVC-XPGD46QRK7WJZT7O - [0:0]',
      ':KUBE-SEP-GMLI6ZR4A234PCX3 - [0:0]',
      '-A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 cluster IP" -m tcp -p tcp -d 172.30.0.41 --dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ',
      '-A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.1.0.1:80" -j KUBE-SEP-VZXQPKFYUS5MNKWI',
      '-X KUBE-SEP-GMLI6ZR4A234PCX3',
      'COMMIT',
    ]);
  });

  test('a new Service adds one dispatch rule at its place and leaves the other dispatch rules alone', () => {
    const a = desiredFor([svc1, svc3], [eps('10.1.0.1'), ...others], config).desired;
    const b = desiredFor([svc1, svc2, svc3], [eps('10.1.0.1'), ...others], config).desired;
    const lines = textOf(a, b);
    const dispatch = lines.filter((line) => line.includes(' KUBE-SERVICES'));
    expect(dispatch).toHaveLength(1);
    expect(dispatch[0]).toMatch(/^-I KUBE-SERVICES 2 .* "ns2\/svc2:p80 cluster IP" .* -j KUBE-SVC-/);
    expect(lines).not.toContain(':KUBE-SERVICES - [0:0]');
  });

  test('a Service that goes has its dispatch rule deleted by text before its chains', () => {
    const a = desiredFor([svc1, svc2, svc3], [eps('10.1.0.1'), ...others], config).desired;
    const b = desiredFor([svc1, svc3], [eps('10.1.0.1'), ...others], config).desired;
    const lines = textOf(a, b);
    const dispatch = lines.findIndex((line) => line.startsWith('-D KUBE-SERVICES -m comment --comment "ns2/svc2:p80'));
    const removed = lines.findIndex((line) => line.startsWith('-X KUBE-SVC-'));
    expect(dispatch).toBeGreaterThan(0);
    expect(removed).toBeGreaterThan(dispatch);
  });

  test('when the last endpoint leaves, the REJECT is in place before nat stops redirecting', () => {
    const a = desiredFor([svc1, svc2, svc3], [eps('10.1.0.1'), ...others], config).desired;
    const b = desiredFor([svc1, svc2, svc3], others, config).desired;
    const lines = textOf(a, b);
    expect(lines.indexOf('*filter')).toBe(0);
    expect(lines[1]).toMatch(/^-[AI] KUBE-SERVICES .*has no endpoints.* -j REJECT$|^:KUBE-SERVICES - \[0:0\]$/);
    expect(lines.filter((line) => line === '*filter')).toHaveLength(1);
    expect(lines.indexOf('*nat')).toBeGreaterThan(lines.indexOf('COMMIT'));
  });

  test('when the first endpoint comes, nat redirects before the REJECT goes', () => {
    const a = desiredFor([svc1, svc2, svc3], others, config).desired;
    const b = desiredFor([svc1, svc2, svc3], [eps('10.1.0.1'), ...others], config).desired;
    const lines = textOf(a, b);
    expect(lines[0]).toBe('*nat');
    expect(lines.indexOf('*filter')).toBeGreaterThan(lines.indexOf('COMMIT'));
  });

  test('one Service gains and another loses its endpoints: filter is added to first and taken from last', () => {
    const a = desiredFor([svc1, svc2], [eps('10.1.0.1')], config).desired;
    const b = desiredFor([svc1, svc2], others, config).desired;
    const lines = textOf(a, b);
    expect(lines.filter((line) => line.startsWith('*'))).toEqual(['*filter', '*nat', '*filter']);
    const first = lines.slice(0, lines.indexOf('COMMIT')).join('\n');
    expect(first).toContain('ns1/svc1:p80 has no endpoints');
    const last = lines
      .slice(lines.lastIndexOf('*filter'))
      .filter((line) => !line.startsWith('-D'))
      .join('\n');
    expect(last).not.toContain('ns2/svc2:p80 has no endpoints');
  });

  test('many changed dispatch rules rewrite the chain whole', () => {
    const many = Array.from({ length: 80 }, (_, i) => service(`ns/svc-${i}`, { clusterIP: `172.30.1.${i + 1}` }));
    const slices = many.map((s, i) => slice(`ns/${s.metadata.name}`, `s${i}`, [`10.2.0.${i + 1}`]));
    const a = desiredFor([svc1, ...many], [eps('10.1.0.1'), ...slices], config).desired;
    const b = desiredFor([svc1, ...many.slice(0, 20)], [eps('10.1.0.1'), ...slices], config).desired;
    const lines = textOf(a, b);
    expect(lines).toContain(':KUBE-SERVICES - [0:0]');
    expect(lines.filter((line) => line.startsWith('-D'))).toEqual([]);
  });

  test('on nft a large change is cut into small sections with the dispatch rules after all chains', () => {
    const many = Array.from({ length: 600 }, (_, i) =>
      service(`ns/svc-${i}`, { clusterIP: `172.30.${1 + Math.floor(i / 200)}.${(i % 200) + 1}` }),
    );
    const slices = many.map((s, i) => slice(`ns/${s.metadata.name}`, `s${i}`, [`10.2.0.${(i % 250) + 1}`]));
    const a = desiredFor([], [], config).desired;
    const b = desiredFor(many, slices, config).desired;
    const plan = planDelta(a, b, 'nft');
    expect(plan.filter((s) => s.table === 'nat').length).toBeGreaterThan(2);
    const lines = plan.map((part) => planSize([part])).map((size) => size.chainsWritten + size.rules.nat);
    expect(Math.max(...lines)).toBeLessThanOrEqual(1_500);
    const dispatch = plan.findIndex((s) => s.chains.some((c) => c.chain === 'KUBE-SERVICES') || s.edits.length > 0);
    expect(
      plan.findLastIndex((s) => s.chains.some((c) => c.chain.startsWith('KUBE-S') && c.chain !== 'KUBE-SERVICES')),
    ).toBeLessThan(dispatch);
    expect(planDelta(a, b, 'legacy').filter((s) => s.table === 'nat')).toHaveLength(1);
    const back = planDelta(b, a, 'nft');
    expect(back.at(-1)?.removed.length).toBeGreaterThan(0);
    expect(planSize(back).chainsRemoved).toBe(1200);
  });

  test.each(['nft', 'legacy'] as const)(
    'delta(a, b) applied to a gives full(b), for any a and b (%s)',
    async (backend) => {
      await fc.assert(
        fc.asyncProperty(desiredRules(config), desiredRules(config), async (a, b) => {
          const [kernel, expected] = [await loaded(a, backend), await loaded(b, backend)];
          await kernel.restore(planText(planDelta(a, b, backend)));
          expect(kernel.dump()).toBe(expected.dump());
        }),
        { numRuns: 300 },
      );
    },
  );

  test('at every COMMIT of a delta each Service is served by its old or its new rules', async () => {
    await fc.assert(
      fc.asyncProperty(desiredRules(config), desiredRules(config), async (a, b) => {
        const [before, after] = [await loaded(a), await loaded(b)];
        const kernel = await loaded(a);
        for (const section of planDelta(a, b, 'nft')) {
          await kernel.restore(planText([section]));
          // No ClusterIP that is answered for on both sides is ever without an answer.
          for (const vip of answered(before)) {
            if (answered(after).has(vip)) expect(answered(kernel), `${vip} in between`).toContain(vip);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Destinations that some rule redirects, rejects or drops. */
function answered(kernel: FakeIptables): Set<string> {
  const found = new Set<string>();
  for (const [table, chain] of [
    ['nat', 'KUBE-SERVICES'],
    ['filter', 'KUBE-SERVICES'],
  ] as const) {
    for (const rule of kernel.rules(table, chain) ?? []) {
      const match = /-d (\S+) -p (\S+) .*--dport (\d+)/.exec(rule);
      if (match) found.add(match.slice(1).join(' '));
    }
  }
  return found;
}
