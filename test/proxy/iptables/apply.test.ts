import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/observe/logger.ts';
import { ExecError } from '../../../src/proxy/exec.ts';
import { type Drift, describeDrift, RuleApplier } from '../../../src/proxy/iptables/apply.ts';
import { FakeIptables } from '../../../src/proxy/iptables/fake-iptables.ts';
import type { DesiredRules } from '../../../src/proxy/iptables/rules.ts';
import { IptablesError, type SaveOptions } from '../../../src/proxy/iptables/runner.ts';
import { JUMP_RULES } from '../../../src/proxy/iptables/static-rules.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { service, slice } from '../objects.ts';
import { desiredFor } from '../support.ts';
import { desiredRules, rulesConfig } from './clusters.ts';

const config = rulesConfig();

function applierFor(iptables: FakeIptables): RuleApplier {
  return new RuleApplier({ iptables, jumps: JUMP_RULES, clock: new FakeClock(), log: silentLogger });
}

async function fresh(desired: DesiredRules): Promise<FakeIptables> {
  const iptables = new FakeIptables();
  await applierFor(iptables).apply(desired);
  return iptables;
}

const svc1 = service('ns1/svc1');
const svc2 = service('ns2/svc2', { clusterIP: '172.30.0.42' });
const one = desiredFor([svc1], [slice('ns1/svc1', 's1', ['10.1.0.1', '10.1.0.2'])], config).desired;
const two = desiredFor(
  [svc1, svc2],
  [slice('ns1/svc1', 's1', ['10.1.0.1']), slice('ns2/svc2', 's2', ['10.1.0.9'])],
  config,
).desired;

const refused = () => new IptablesError('iptables-restore', 'refused', { exitCode: 1, stderr: 'line 3 failed' });
const busy = () => new IptablesError('iptables-restore', 'busy', { exitCode: 4, stderr: 'xtables lock' });

describe('applying rules', () => {
  test('the first apply reads the kernel once and writes once, with the jumps in upstream order', async () => {
    const iptables = new FakeIptables();
    const report = await applierFor(iptables).apply(one);
    expect(report).toMatchObject({ kind: 'full', jumps: 14, chainsRemoved: 0 });
    expect(iptables.calls).toHaveLength(2);
    expect(iptables.calls[0]).toBe('save');
    const targets = (chain: string) => iptables.rules('filter', chain)?.map((rule) => rule.split('-j ')[1]);
    expect(targets('INPUT')).toEqual([
      'KUBE-FIREWALL',
      'KUBE-PROXY-FIREWALL',
      'KUBE-NODEPORTS',
      'KUBE-EXTERNAL-SERVICES',
    ]);
    expect(targets('FORWARD')).toEqual([
      'KUBE-PROXY-FIREWALL',
      'KUBE-FORWARD',
      'KUBE-SERVICES',
      'KUBE-EXTERNAL-SERVICES',
    ]);
    expect(targets('OUTPUT')).toEqual(['KUBE-FIREWALL', 'KUBE-PROXY-FIREWALL', 'KUBE-SERVICES']);
  });

  test('later ones read nothing and write only the difference; no difference writes nothing', async () => {
    const iptables = new FakeIptables();
    const applier = applierFor(iptables);
    await applier.apply(one);
    iptables.calls.length = 0;
    expect(await applier.apply(two)).toMatchObject({ kind: 'delta', chainsRemoved: 1 });
    expect(iptables.calls).toHaveLength(1);
    expect(await applier.apply(two)).toMatchObject({ kind: 'none', sections: 0 });
    expect(iptables.calls).toHaveLength(1);
    expect(iptables.dump()).toBe((await fresh(two)).dump());
  });

  test('a jump that stands anywhere in its chain is left where it is', async () => {
    const iptables = new FakeIptables();
    await iptables.restore([
      '*nat\n:KUBE-SERVICES - [0:0]\n-A OUTPUT -d 192.0.2.1 -j ACCEPT\n-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\nCOMMIT\n',
    ]);
    expect(await applierFor(iptables).apply(one)).toMatchObject({ jumps: 13 });
    expect(iptables.rules('nat', 'OUTPUT')).toHaveLength(2);
  });

  test("kubelet's KUBE-FIREWALL keeps what is in it when the proxier does not need the chain", async () => {
    const six = rulesConfig({ ipFamily: 'IPv6' });
    const iptables = new FakeIptables({ family: 'IPv6' });
    await iptables.restore(['*filter\n:KUBE-FIREWALL - [0:0]\n-A KUBE-FIREWALL -s fd00::1 -j DROP\nCOMMIT\n']);
    await applierFor(iptables).apply(desiredFor([], [], six).desired);
    expect(iptables.rules('filter', 'KUBE-FIREWALL')).toEqual(['-s fd00::1/128 -j DROP']);
  });

  test('chains of an earlier proxier are taken over in place, and its leftovers are deleted', async () => {
    const iptables = await fresh(two);
    iptables.calls.length = 0;
    expect(await applierFor(iptables).apply(one)).toMatchObject({ kind: 'full', jumps: 0 });
    const written = iptables.calls[1] ?? '';
    expect(written).not.toContain(':KUBE-MARK-MASQ');
    expect(written).not.toContain(':KUBE-FORWARD');
    expect(iptables.dump()).toBe((await fresh(one)).dump());
  });

  test('a leftover that a foreign rule jumps to is emptied and stays, and does not fail the sync', async () => {
    const iptables = await fresh(two);
    const leaving = [...(two.services.get('ns2/svc2:p80/TCP' as never)?.chains.keys() ?? [])].find((c) =>
      c.startsWith('KUBE-SVC-'),
    );
    await iptables.restore([`*nat\n:MINE - [0:0]\n-A MINE -j ${leaving}\nCOMMIT\n`]);
    const applier = applierFor(iptables);
    await applier.apply(one);
    expect(iptables.rules('nat', leaving ?? '')).toEqual([]);
    expect(iptables.dump('nat')).not.toContain('10.1.0.9');
    iptables.calls.length = 0;
    await applier.check();
    expect(iptables.calls).toEqual(['save']);
  });

  test('a refused delta is followed by a full write at once', async () => {
    const iptables = new FakeIptables();
    const applier = applierFor(iptables);
    await applier.apply(one);
    iptables.failNext(refused());
    const report = await applier.apply(two);
    expect(report).toMatchObject({ kind: 'full', refused: { exitCode: 1 } });
    expect(iptables.dump()).toBe((await fresh(two)).dump());
  });

  test('a delta that meets a chain someone deleted is repaired in the same call', async () => {
    const iptables = new FakeIptables();
    const applier = applierFor(iptables);
    await applier.apply(two);
    await iptables.command(['-F', 'KUBE-SERVICES', '-t', 'nat']);
    expect(
      await applier.apply(desiredFor([svc1], [slice('ns1/svc1', 's1', ['10.1.0.1'])], config).desired),
    ).toHaveProperty('refused');
    expect(iptables.rules('nat', 'KUBE-SERVICES')).toHaveLength(2);
  });

  test('when the lock is busy it fails without a second attempt, and the next apply reads the kernel again', async () => {
    const iptables = new FakeIptables();
    const applier = applierFor(iptables);
    await applier.apply(one);
    iptables.failNext(busy());
    iptables.calls.length = 0;
    await expect(applier.apply(two)).rejects.toMatchObject({ exitCode: 4 });
    expect(iptables.calls).toHaveLength(1);
    expect(applier.applied).toBeUndefined();
    expect(await applier.apply(two)).toMatchObject({ kind: 'full' });
    expect(iptables.dump()).toBe((await fresh(two)).dump());
  });

  test('when a full write is refused, the next one does not trust what iptables-save said, and ensures each jump by itself', async () => {
    const iptables = await fresh(one);
    await iptables.command([
      '-D',
      'OUTPUT',
      '-t',
      'nat',
      '-m',
      'comment',
      '--comment',
      'kubernetes service portals',
      '-j',
      'KUBE-SERVICES',
    ]);
    const applier = applierFor(iptables);
    const restore = iptables.restore.bind(iptables);
    iptables.restore = async () => Promise.reject(refused());
    await expect(applier.apply(two)).rejects.toThrow('refused');
    iptables.restore = restore;
    iptables.calls.length = 0;
    expect(await applier.apply(two)).toMatchObject({ kind: 'full', jumps: 1 });
    expect(iptables.calls).not.toContain('save');
    expect(iptables.calls.filter((call) => call.startsWith('-C'))).toHaveLength(14);
    expect(iptables.calls.filter((call) => call.startsWith('-I'))).toHaveLength(1);
  });

  test('whatever fails in between, the next success leaves the kernel as wanted', async () => {
    const steps = fc.array(fc.tuple(desiredRules(config), fc.constantFrom('ok', 'refused', 'busy')), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(steps, desiredRules(config), async (attempts, last) => {
        const iptables = new FakeIptables();
        const applier = applierFor(iptables);
        for (const [desired, outcome] of attempts) {
          if (outcome === 'refused') iptables.failNext(refused());
          if (outcome === 'busy') iptables.failNext(busy());
          await applier.apply(desired).catch((error) => expect(error).toBeInstanceOf(IptablesError));
        }
        await applier.apply(last).catch(() => applier.apply(last));
        // A write that did not trust iptables-save leaves what it could not know of to the next check.
        expect(await applier.check()).toBeUndefined();
        expect(iptables.dump()).toBe((await fresh(last)).dump());
      }),
      { numRuns: 150 },
    );
  });
});

describe('checking for drift', () => {
  test('names what is missing, changed and not jumped to, and repairs only that', async () => {
    const iptables = new FakeIptables();
    const applier = applierFor(iptables);
    await applier.apply(two);
    const good = iptables.dump();
    expect(await applier.check()).toBeUndefined();
    await iptables.command(['-F', 'KUBE-POSTROUTING', '-t', 'nat']);
    await iptables.command(['-A', 'KUBE-FORWARD', '-t', 'filter', '-j', 'ACCEPT']);
    iptables.calls.length = 0;
    const drift = await applier.check();
    expect(describeDrift(drift as Drift)).toBe('changed: filter/KUBE-FORWARD, nat/KUBE-POSTROUTING');
    const written = iptables.calls.filter((call) => call.startsWith('*')).join('');
    expect(written.match(/^:\S+/gm)).toEqual([':KUBE-FORWARD', ':KUBE-POSTROUTING']);
    expect(iptables.dump()).toBe(good);
    expect(await applier.check()).toBeUndefined();
  });

  test('does nothing before the first apply and after a failure', async () => {
    const iptables = new FakeIptables();
    expect(await applierFor(iptables).check()).toBeUndefined();
    expect(iptables.calls).toEqual([]);
  });

  test('gives way to an apply while it is reading', async () => {
    const iptables = new FakeIptables();
    const applier = applierFor(iptables);
    await applier.apply(one);
    iptables.save = (_onLine: (line: string) => void, options: SaveOptions = {}) =>
      new Promise((_resolve, reject) => {
        const cause = new ExecError('ABORTED', 'iptables-save', 'stopped');
        options.signal?.addEventListener('abort', () =>
          reject(new IptablesError('iptables-save', 'stopped', { cause })),
        );
      });
    const check = applier.check();
    await Promise.resolve();
    expect(await applier.apply(two)).toMatchObject({ kind: 'delta' });
    expect(await check).toBe('interrupted');
  });

  test('a chain that iptables prints in an unknown way is written once, not at every check', async () => {
    const iptables = new FakeIptables();
    const applier = applierFor(iptables);
    await applier.apply(one);
    const save = iptables.save.bind(iptables);
    iptables.save = (onLine, options) =>
      save((line) => onLine(line.replace('--random-fully', '--random-somehow')), options);
    expect(await applier.check()).toMatchObject({ different: ['nat/KUBE-POSTROUTING'] });
    expect(await applier.check()).toBeUndefined();
    expect(await applier.check()).toBeUndefined();
    await iptables.command(['-F', 'KUBE-POSTROUTING', '-t', 'nat']);
    expect(await applier.check()).toMatchObject({ different: ['nat/KUBE-POSTROUTING'] });
  });

  test('says so when a table holds what iptables cannot print, and changes nothing', async () => {
    const iptables = new FakeIptables();
    const applier = applierFor(iptables);
    await applier.apply(one);
    iptables.save = async (onLine) => onLine("# Table `nat' is incompatible, use 'nft' tool.");
    iptables.calls.length = 0;
    await expect(applier.check()).rejects.toThrow("Table `nat' is incompatible, use 'nft' tool.");
    expect(iptables.calls).toEqual([]);
    expect(await applier.apply(two)).toMatchObject({ kind: 'delta' });
  });
});
