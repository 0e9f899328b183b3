import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/observe/logger.ts';
import type { Drift } from '../../src/proxy/iptables/apply.ts';
import { FakeIptables } from '../../src/proxy/iptables/fake-iptables.ts';
import { IptablesError } from '../../src/proxy/iptables/runner.ts';
import { RuleMonitor } from '../../src/proxy/monitor.ts';
import { FakeClock } from '../support/fake-clock.ts';

const DRIFT: Drift = { missing: ['nat/KUBE-SERVICES'], different: [], jumps: [] };
const busy = () => new IptablesError('iptables', 'busy', { exitCode: 4, stderr: 'xtables lock' });

function setUp(answers: (Drift | 'interrupted' | Error | undefined)[] = []) {
  const clock = new FakeClock();
  const iptables = new FakeIptables();
  const seen: string[] = [];
  const monitor = new RuleMonitor({
    iptables,
    clock,
    log: silentLogger,
    intervalMs: 30_000,
    check: async ({ patient }) => {
      seen.push(`${clock.monotonic() / 1000} check${patient ? '' : ' insisting'}`);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onDrift: (drift) => seen.push(`drift ${drift.missing}`),
    onFlush: () => seen.push(`${clock.monotonic() / 1000} flush`),
  });
  monitor.start();
  return { clock, iptables, seen, monitor };
}

async function flush(iptables: FakeIptables, ...tables: string[]): Promise<void> {
  for (const table of tables) await iptables.command(['-X', 'KUBE-PROXY-CANARY', '-t', table]);
}

describe('the rule monitor', () => {
  test('places the canaries and compares once an interval', async () => {
    const { clock, iptables, seen, monitor } = setUp();
    await clock.advance(90_000);
    expect(seen).toEqual(['30 check', '60 check', '90 check']);
    for (const table of ['mangle', 'nat', 'filter'] as const)
      expect(iptables.rules(table, 'KUBE-PROXY-CANARY')).toEqual([]);
    await monitor.stop();
  });

  test('reports drift that the comparison found', async () => {
    const { clock, seen, monitor } = setUp([undefined, DRIFT]);
    await clock.advance(60_000);
    expect(seen).toEqual(['30 check', '60 check', 'drift nat/KUBE-SERVICES']);
    await monitor.stop();
  });

  test('reports a flush once all tables have lost their canary, and places new ones', async () => {
    const { clock, iptables, seen, monitor } = setUp();
    await clock.advance(30_000);
    await flush(iptables, 'mangle');
    await clock.advance(31_000);
    expect(seen).toEqual(['30 check']);
    await flush(iptables, 'nat', 'filter');
    await clock.advance(100);
    expect(seen).toEqual(['30 check', '61.1 flush']);
    await clock.advance(30_000);
    expect(iptables.rules('nat', 'KUBE-PROXY-CANARY')).toEqual([]);
    expect(seen.at(-1)).toBe('91.1 check');
    await monitor.stop();
  });

  test('waits no longer than 5 s for the other tables', async () => {
    const { clock, iptables, seen, monitor } = setUp();
    await clock.advance(30_000);
    await flush(iptables, 'mangle');
    await clock.advance(35_000);
    expect(seen).toEqual(['30 check', '65 flush']);
    await monitor.stop();
  });

  test('a busy lock is not taken for a flush', async () => {
    const { clock, iptables, seen, monitor } = setUp();
    await clock.advance(30_000);
    iptables.failNext(busy());
    await clock.advance(30_000);
    expect(seen).toEqual(['30 check', '60 check']);
    await monitor.stop();
  });

  test('goes on when the canaries cannot be placed or the comparison fails', async () => {
    const { clock, iptables, seen, monitor } = setUp([busy(), new Error('bug'), undefined]);
    iptables.failNext(busy());
    await clock.advance(90_000);
    expect(seen).toEqual(['30 check', '60 check', '90 check']);
    expect(iptables.rules('mangle', 'KUBE-PROXY-CANARY')).toEqual([]);
    await monitor.stop();
  });

  test('insists after three comparisons in a row gave way to syncs', async () => {
    const { clock, seen, monitor } = setUp(['interrupted', 'interrupted', 'interrupted']);
    await clock.advance(150_000);
    expect(seen).toEqual(['30 check', '60 check', '90 check', '120 check insisting', '150 check']);
    await monitor.stop();
  });

  test('compares more rarely when a comparison takes long', async () => {
    const clock = new FakeClock();
    const checks: number[] = [];
    const monitor = new RuleMonitor({
      iptables: new FakeIptables(),
      clock,
      log: silentLogger,
      intervalMs: 30_000,
      check: async () => {
        checks.push(clock.monotonic() / 1000);
        await new Promise<void>((resolve) => clock.setTimer(resolve, 3_000));
        return undefined;
      },
      onDrift: () => {},
      onFlush: () => {},
    });
    monitor.start();
    await clock.advance(400_000);
    expect(checks).toEqual([30, 183, 336]);
    await monitor.stop();
  });
});
