import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/observe/logger.ts';
import { RuleApplier } from '../../../src/proxy/iptables/apply.ts';
import { cleanupRules } from '../../../src/proxy/iptables/cleanup.ts';
import { FakeIptables } from '../../../src/proxy/iptables/fake-iptables.ts';
import { inProcesses, sectionSizes, smallerCap } from '../../../src/proxy/iptables/section-sizes.ts';
import { JUMP_RULES } from '../../../src/proxy/iptables/static-rules.ts';
import type { WriteSection } from '../../../src/proxy/iptables/write-plan.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { service, slice } from '../objects.ts';
import { desiredFor } from '../support.ts';
import { rulesConfig } from './clusters.ts';

const config = rulesConfig();
const cap = Number.POSITIVE_INFINITY;

function clusterOf(services: number, port = 80) {
  const name = (i: number) => `ns1/svc${i}`;
  const address = (i: number, k: number) => `10.1.${i}.${k + 1}`;
  return desiredFor(
    Array.from({ length: services }, (_, i) =>
      service(name(i), { clusterIP: `172.30.${i}.41`, ports: [{ name: 'p80', protocol: 'TCP', port }] }),
    ),
    Array.from({ length: services }, (_, i) =>
      slice(
        name(i),
        `s${i}`,
        Array.from({ length: 10 }, (_, k) => address(i, k)),
      ),
    ),
    config,
  ).desired;
}

const applierFor = (iptables: FakeIptables) =>
  new RuleApplier({ iptables, jumps: JUMP_RULES, clock: new FakeClock(), log: silentLogger });

const lines = (count: number): WriteSection => ({
  table: 'nat',
  chains: [],
  edits: Array.from({ length: count }, () => '-A X'),
  removed: [],
});

describe('sizes of sections', () => {
  test('grow with the table, more where packets make the kernel look for loops, and never where one section is best', () => {
    const quiet = (chains: number) => sectionSizes('nft', { chains, reached: false, cap }).lines;
    const live = (chains: number) => sectionSizes('nft', { chains, reached: true, cap }).lines;
    expect(quiet(100)).toBe(live(100));
    expect(quiet(110_000)).toBeGreaterThan(quiet(1_000));
    expect(live(110_000)).toBeGreaterThan(quiet(110_000));
    expect(sectionSizes('legacy', { chains: 110_000, reached: false, cap }).lines).toBe(cap);
  });

  test('a shared chain that packets reach is written in one piece, unless the kernel does not take it', () => {
    expect(sectionSizes('nft', { chains: 1, reached: true, cap }).dispatch).toBe(cap);
    expect(sectionSizes('nft', { chains: 1, reached: true, cap: 200 })).toEqual({ lines: 200, dispatch: 200 });
  });

  test('after a refusal the next try is half as large as what was refused, until nothing is left to cut', () => {
    expect(smallerCap([lines(10), lines(900)], cap)).toBe(450);
    expect(smallerCap([lines(900)], 450)).toBe(225);
    expect(smallerCap([lines(90)], cap)).toBeUndefined();
  });

  test('processes take sections in order, some together and a large one alone; on legacy there is one process', () => {
    const plan = [lines(5_000), lines(5_000), lines(5_000), lines(20_000), lines(1)];
    expect(inProcesses(plan, 'nft').map((part) => part.length)).toEqual([2, 1, 1, 1]);
    expect(inProcesses(plan, 'nft').flat()).toEqual(plan);
    expect(inProcesses(plan, 'legacy')).toEqual([plan]);
    expect(inProcesses([], 'legacy')).toEqual([]);
  });
});

describe('a kernel that takes only small sections', () => {
  const desired = clusterOf(40);

  test('gets the same rules in smaller ones, jumps once, and later writes begin small', async () => {
    const roomy = new FakeIptables();
    await applierFor(roomy).apply(desired);
    const narrow = new FakeIptables({ maxSectionLines: 300 });
    const applier = applierFor(narrow);
    await applier.apply(desired);
    expect(narrow.dump()).toBe(roomy.dump());
    narrow.calls.length = 0;
    await applier.apply(clusterOf(40, 81));
    expect(narrow.calls).not.toContain('save');
  });

  test('a change and a repair that it refuses are written again in smaller sections', async () => {
    const narrow = new FakeIptables({ maxSectionLines: 300 });
    const applier = applierFor(narrow);
    await applier.apply(clusterOf(1));
    await applier.apply(desired);
    narrow.parse('*nat\n:KUBE-POSTROUTING - [0:0]\nCOMMIT\n');
    await applierFor(narrow).apply(clusterOf(1));
    const repairing = applierFor(narrow);
    await repairing.apply(clusterOf(1));
    expect(narrow.dump('nat')).not.toContain('svc39');
    await applier.check();
    expect(narrow.dump('nat')).toContain('svc39');
  });

  test('is cleaned in smaller ones, and all that was found is reported', async () => {
    const narrow = new FakeIptables({ maxSectionLines: 300 });
    await applierFor(narrow).apply(desired);
    expect(await cleanupRules(narrow)).toEqual({ chainsRemoved: 40 * 11 + 9, jumpsRemoved: 12, left: [] });
  });

  test('that takes nothing at all is an error', async () => {
    const shut = new FakeIptables({ maxSectionLines: 10 });
    await expect(applierFor(shut).apply(desired)).rejects.toMatchObject({ isTooLarge: true });
  });
});
