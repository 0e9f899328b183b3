import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { realClock } from '../../../src/clock.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { type Drift, RuleApplier } from '../../../src/proxy/iptables/apply.ts';
import { binaryNames, type IptablesBackend, parseVersion } from '../../../src/proxy/iptables/backend.ts';
import { planDelta } from '../../../src/proxy/iptables/delta.ts';
import { FakeIptables } from '../../../src/proxy/iptables/fake-iptables.ts';
import { planFull } from '../../../src/proxy/iptables/full-plan.ts';
import { nothingKnown } from '../../../src/proxy/iptables/kernel-scan.ts';
import type { DesiredRules } from '../../../src/proxy/iptables/rules.ts';
import { type Iptables, IptablesError, RealIptables } from '../../../src/proxy/iptables/runner.ts';
import { JUMP_RULES, staticRules } from '../../../src/proxy/iptables/static-rules.ts';
import { planText } from '../../../src/proxy/iptables/write-plan.ts';
import { SortedMap } from '../../../src/proxy/sorted-map.ts';
import { createKernelLab, type KernelLab } from '../../support/kernel-lab.ts';
import { desiredRules, rulesConfig } from './clusters.ts';

/** Variants that this machine can really run, each with a namespace of its own; the others are named on the console. */
const labs: { name: string; family: IPFamily; backend: IptablesBackend; lab: KernelLab; iptables: Iptables }[] = [];
for (const backend of ['nft', 'legacy'] as const) {
  for (const family of ['IPv4', 'IPv6'] as const) {
    const name = `${backend} ${family}`;
    try {
      const lab = await createKernelLab();
      const names = binaryNames(family, backend);
      try {
        const info = parseVersion(await lab.run(names.command, '--version'));
        const iptables = new RealIptables(lab.exec, family, names, info);
        await iptables.restore(['*nat\nCOMMIT\n*filter\nCOMMIT\n']);
        labs.push({ name, family, backend, lab, iptables });
      } catch (error) {
        await lab.dispose();
        throw error;
      }
    } catch (error) {
      console.log(`NOT TESTED in a real kernel: iptables-${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
}
afterAll(async () => {
  for (const { lab } of labs) await lab.dispose();
});

async function saved(iptables: Iptables): Promise<string> {
  const lines: string[] = [];
  await iptables.save((line) => lines.push(line));
  const kept = lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ \[\d+:\d+\]$/, ' [0:0]'));
  return byTable(kept);
}

/** The order of tables differs between the backends; tables without anything in them may be printed or not. */
function byTable(lines: string[]): string {
  const tables = `${lines.join('\n')}\n`.split(/(?<=^COMMIT\n)/m).filter((t) => /^(-A |:\S+ - )/m.test(t));
  return tables.sort().join('');
}

async function flush(iptables: Iptables): Promise<void> {
  for (const table of ['filter', 'nat', 'mangle']) {
    await iptables.command(['-F', '-t', table]);
    await iptables.command(['-X', '-t', table]);
  }
}

describe.each(labs)('in a real kernel, $name', ({ family, backend, iptables }) => {
  const config = rulesConfig({ ipFamily: family });
  const fake = () => new FakeIptables({ family, info: iptables.info });

  test('what we write is printed as the in-memory twin prints it', async () => {
    await fc.assert(
      fc.asyncProperty(desiredRules(config), async (desired) => {
        await flush(iptables);
        const twin = fake();
        const plan = planFull(
          { ...nothingKnown(desired), missingJumps: JUMP_RULES, missingTargets: TARGETS },
          desired,
          family,
          backend,
        );
        await iptables.restore(planText(plan));
        await twin.restore(planText(plan));
        expect(await saved(iptables)).toBe(byTable(twin.dump().split('\n').slice(0, -1)));
      }),
      { numRuns: 15 },
    );
  });

  test('delta(a, b) applied to a gives full(b)', async () => {
    await fc.assert(
      fc.asyncProperty(desiredRules(config), desiredRules(config), async (a, b) => {
        await flush(iptables);
        await iptables.restore(planText(planFull(nothingKnown(a), a, family, backend)));
        await iptables.restore(planText(planDelta(a, b, backend)));
        const twin = fake();
        await twin.restore(planText(planFull(nothingKnown(b), b, family, backend)));
        expect(await saved(iptables)).toBe(byTable(twin.dump().split('\n').slice(0, -1)));
      }),
      { numRuns: 20 },
    );
  });

  test('a second proxier that finds everything in place writes nothing', async () => {
    const [desired] = fc.sample(desiredRules(config), { numRuns: 1, seed: 7 });
    if (!desired) throw new Error('no sample');
    await flush(iptables);
    const options = { iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger };
    const first = await new RuleApplier(options).apply(desired);
    const second = await new RuleApplier(options).apply(desired);
    expect(first).toMatchObject({ kind: 'full', jumps: 14 });
    expect(second).toMatchObject({ kind: 'full', jumps: 0, sections: 0 });
  });

  test('damage of every kind is found and repaired, and foreign rules stay', async () => {
    const [desired] = fc.sample(desiredRules(config), { numRuns: 1, seed: 11 });
    if (!desired) throw new Error('no sample');
    await flush(iptables);
    await iptables.restore(['*filter\n:OTHERS - [0:0]\n-A OTHERS -j RETURN\n-A INPUT -j OTHERS\nCOMMIT\n']);
    const applier = new RuleApplier({ iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
    await applier.apply(desired);
    const good = await saved(iptables);
    expect(await applier.check()).toBeUndefined();

    await iptables.command(['-F', 'KUBE-MARK-MASQ', '-t', 'nat']);
    await iptables.command(['-A', 'KUBE-SERVICES', '-t', 'nat', '-j', 'RETURN']);
    await iptables.command([
      '-D',
      'FORWARD',
      '-t',
      'filter',
      '-m',
      'comment',
      '--comment',
      'kubernetes forwarding rules',
      '-j',
      'KUBE-FORWARD',
    ]);
    const drift = (await applier.check()) as Drift;
    expect(drift).toMatchObject({ missing: [], different: ['nat/KUBE-SERVICES', 'nat/KUBE-MARK-MASQ'] });
    expect(drift.jumps.map((j) => `${j.from} ${j.to}`)).toEqual(['FORWARD KUBE-FORWARD']);
    expect((await saved(iptables)).split('\n').sort()).toEqual(good.split('\n').sort());

    await flush(iptables);
    expect(((await applier.check()) as Drift).missing).toContain('nat/KUBE-SERVICES');
    expect(await applier.check()).toBeUndefined();
  });

  test('whatever is damaged, one check repairs it and the next finds nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        desiredRules(config),
        fc.array(damage, { minLength: 1, maxLength: 8 }),
        async (desired, done) => {
          await flush(iptables);
          const applier = new RuleApplier({ iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
          await applier.apply(desired);
          const good = await saved(iptables);
          for (const { kind, which, where } of done) {
            const ours = ourChains(good);
            const { table, chain } = ours[which % ours.length] ?? { table: 'nat', chain: 'KUBE-SERVICES' };
            // What is impossible by now, such as a rule that is gone already, does no harm.
            await iptables.command(['-t', table, ...commandFor(kind, chain, where)]).catch(() => undefined);
          }
          await applier.check();
          expect((await applier.check()) ?? 'well').toBe('well');
          expect(withoutForeign(await saved(iptables))).toEqual(withoutForeign(good));
        },
      ),
      { numRuns: 6 },
    );
  }, 60_000);

  test('a chain that a foreign rule holds does not keep the rest of a change waiting', async () => {
    const [before] = fc.sample(desiredRules(config), { numRuns: 1, seed: 11 });
    const after: DesiredRules = { static: staticRules(config), services: SortedMap.empty() };
    const held = [...(before?.services.values() ?? [])].flatMap(({ chains }) => [...chains.keys()])[0];
    if (!before || !held) throw new Error('no sample');
    await flush(iptables);
    const applier = new RuleApplier({ iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
    await applier.apply(before);
    await iptables.restore([`*nat\n:OTHERS - [0:0]\n-A OTHERS -j ${held}\nCOMMIT\n`]);
    expect(await applier.apply(after)).toMatchObject({ kind: 'full' });
    const left = (await saved(iptables)).split('\n').filter((line) => /KUBE-(SVC|SVL|EXT|FW|SEP)-/.test(line));
    expect(left).toEqual([`:${held} - [0:0]`, `-A OTHERS -j ${held}`]);
  });

  test.each([
    ['a jump to a missing chain', '*nat\n:A - [0:0]\n-A A -j NOPE\nCOMMIT\n'],
    ['a rule for a missing chain', '*nat\n-A NOPE -j RETURN\nCOMMIT\n'],
    ['deleting a chain that is referred to', '*nat\n:A - [0:0]\n:B - [0:0]\n-A A -j B\nCOMMIT\n*nat\n-X B\nCOMMIT\n'],
    ['deleting a chain with rules', '*nat\n:A - [0:0]\n-A A -j RETURN\nCOMMIT\n*nat\n-X A\nCOMMIT\n'],
    ['deleting a missing chain', '*nat\n-X NOPE\nCOMMIT\n'],
    ['deleting a missing rule', '*nat\n:A - [0:0]\n-D A -j RETURN\nCOMMIT\n'],
    ['inserting too far down', '*nat\n:A - [0:0]\n-I A 3 -j RETURN\nCOMMIT\n'],
    ['no COMMIT', '*nat\n:A - [0:0]\n'],
    ['an unknown table', '*bogus\nCOMMIT\n'],
    ['a chain name of 29 characters', '*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAAAAAA - [0:0]\nCOMMIT\n'],
    ['a good section before a bad one', '*nat\n:GOOD - [0:0]\nCOMMIT\n*nat\n-A NOPE -j RETURN\nCOMMIT\n'],
  ])('the twin refuses %s with the same status and leaves the same behind', async (_what, text) => {
    await flush(iptables);
    const twin = fake();
    const [real, faked] = [await failure(iptables, text), await failure(twin, text)];
    expect(faked.exitCode).toBe(real.exitCode);
    expect(faked.isResourceProblem).toBe(real.isResourceProblem);
    expect(await saved(iptables)).toBe(byTable(twin.dump().split('\n').slice(0, -1)));
  });
});

const TARGETS = { filter: ['KUBE-FIREWALL'], nat: [] };

async function failure(iptables: Iptables, text: string): Promise<IptablesError> {
  try {
    await iptables.restore([text]);
  } catch (error) {
    if (error instanceof IptablesError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

const damage = fc.record({
  kind: fc.constantFrom('flush', 'delete', 'insert', 'append', 'remove', 'rename', 'jump', 'unjump'),
  which: fc.nat(),
  where: fc.integer({ min: 1, max: 4 }),
});

function commandFor(kind: string, chain: string, where: number): string[] {
  const jump = JUMP_RULES[where * 3 - 3] ?? JUMP_RULES[0];
  switch (kind) {
    case 'flush':
      return ['-F', chain];
    case 'delete':
      return ['-D', chain, String(where)];
    case 'insert':
      return ['-I', chain, String(where), '-m', 'comment', '--comment', 'foreign', '-j', 'RETURN'];
    case 'append':
      return ['-A', chain, '-m', 'comment', '--comment', 'foreign', '-j', 'ACCEPT'];
    case 'remove':
      return ['-X', chain];
    case 'rename':
      return ['-E', chain, `FOREIGN-${where}`];
    case 'jump':
      // What masquerades may not be reached from elsewhere, says the kernel.
      return [
        ...['-I', chain === 'KUBE-POSTROUTING' ? 'POSTROUTING' : 'OUTPUT', '-j', chain],
        ...['-m', 'comment', '--comment', 'foreign'],
      ];
    default:
      return ['-D', jump?.from ?? '', ...(jump?.rule ?? [])];
  }
}

function ourChains(save: string): { table: string; chain: string }[] {
  return save.split(/^\*/m).flatMap((section) => {
    const table = section.slice(0, section.indexOf('\n'));
    return Array.from(section.matchAll(/^:(KUBE-\S+) /gm), ([, chain = '']) => ({ table, chain }));
  });
}

/** Sorted: a jump that was put back is the first of its chain. */
function withoutForeign(save: string): string[] {
  return save
    .split('\n')
    .filter((line) => !/FOREIGN|foreign/.test(line))
    .sort();
}
