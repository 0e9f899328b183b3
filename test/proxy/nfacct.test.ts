import { describe, expect, test } from 'vitest';
import { realClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { ExecError, type ExecResult } from '../../src/proxy/exec.ts';
import { RuleApplier } from '../../src/proxy/iptables/apply.ts';
import { binaryNames, parseVersion } from '../../src/proxy/iptables/backend.ts';
import { FakeIptables } from '../../src/proxy/iptables/fake-iptables.ts';
import { IptablesError, RealIptables } from '../../src/proxy/iptables/runner.ts';
import { JUMP_RULES } from '../../src/proxy/iptables/static-rules.ts';
import {
  counterReader,
  ensureCounters,
  type Nfacct,
  NfacctError,
  NfacctProgram,
  NO_COUNTERS,
  usableCounters,
} from '../../src/proxy/nfacct.ts';
import { createKernelLab, type KernelLab } from '../support/kernel-lab.ts';
import { rulesConfig } from './iptables/clusters.ts';
import { service, slice } from './objects.ts';
import { desiredFor } from './support.ts';

const BOTH = { ctStateInvalidDropped: true, localhostNodePortsAccepted: true };

/** Counters in memory. */
class FakeNfacct implements Nfacct {
  readonly packets: Map<string, number>;
  readonly added: string[] = [];
  reads = 0;
  broken = false;

  constructor(packets: [string, number][] = []) {
    this.packets = new Map(packets);
  }

  async read(): Promise<ReadonlyMap<string, number>> {
    this.reads++;
    if (this.broken) throw new NfacctError('no such thing');
    return new Map(this.packets);
  }

  async add(name: string): Promise<void> {
    if (this.packets.has(name)) throw new NfacctError('Device or resource busy');
    this.added.push(name);
    this.packets.set(name, 0);
  }
}

describe('packet counters', () => {
  test('are made where they are missing, and keep what they counted where they are not', async () => {
    const nfacct = new FakeNfacct([['ct_state_invalid_dropped_pkts', 7]]);
    expect(await ensureCounters(nfacct, silentLogger)).toEqual(BOTH);
    expect(nfacct.added).toEqual(['localhost_nps_accepted_pkts']);
    expect(await counterReader(nfacct)()).toEqual({ ctStateInvalidDropped: 7, localhostNodePortsAccepted: 0 });
  });

  test('are done without where the program or the kernel lacks them', async () => {
    const nfacct = new FakeNfacct();
    nfacct.broken = true;
    expect(await ensureCounters(nfacct, silentLogger)).toBeUndefined();
    expect(await counterReader(nfacct)()).toEqual({});
    const iptables = new FakeIptables();
    expect(await usableCounters(iptables, undefined, silentLogger)).toEqual(NO_COUNTERS);
    expect(iptables.calls).toEqual([]);
  });

  test('are named in no rule when iptables cannot, and the attempt leaves nothing behind', async () => {
    const iptables = new FakeIptables();
    expect(await usableCounters(iptables, BOTH, silentLogger)).toEqual(BOTH);
    expect(iptables.dump()).toBe('');
    iptables.failNext(new IptablesError('iptables-restore', 'refused', { exitCode: 2, stderr: 'no match nfacct' }));
    expect(await usableCounters(iptables, BOTH, silentLogger)).toEqual(NO_COUNTERS);
  });

  test('are read once for all who ask at the same time', async () => {
    const nfacct = new FakeNfacct();
    const read = counterReader(nfacct);
    await Promise.all([read(), read()]);
    expect(nfacct.reads).toBe(1);
    await read();
    expect(nfacct.reads).toBe(2);
  });
});

describe('the program nfacct', () => {
  const answering = (result: Partial<ExecResult>) =>
    new NfacctProgram(async () => ({ exitCode: 0, stdout: '', stderr: '', ...result }));

  test('lists counters as JSON, and nothing at all when there are none', async () => {
    const stdout =
      '{ "timestamp" : 1795873509, \n  "nfacct_counters" : [\n  { "pkts" : 12, "bytes" : 720, "name" : "a" },\n  { "pkts" : 0, "bytes" : 0, "name" : "b" }\n] }\n';
    expect(await answering({ stdout }).read()).toEqual(
      new Map([
        ['a', 12],
        ['b', 0],
      ]),
    );
    expect(await answering({}).read()).toEqual(new Map());
  });

  test('that fails or is not installed is an error of its own kind', async () => {
    await expect(answering({ exitCode: 1, stderr: 'not supported' }).read()).rejects.toThrow(
      new NfacctError('nfacct list ended with status 1: not supported'),
    );
    const missing = new NfacctProgram(() =>
      Promise.reject(new ExecError('NOT_FOUND', 'nfacct', 'nfacct is not installed')),
    );
    await expect(missing.add('a')).rejects.toThrow(NfacctError);
  });
});

test('in a real kernel, rules of both families and backends count packets, and are read back as they were written', async () => {
  let lab: KernelLab;
  try {
    lab = await createKernelLab();
  } catch (error) {
    console.log(`NOT TESTED in a real kernel: nfacct: ${error instanceof Error ? error.message : error}`);
    return;
  }
  try {
    const nfacct = new NfacctProgram(lab.exec);
    const present = await ensureCounters(nfacct, silentLogger);
    if (!present) {
      console.log('NOT TESTED in a real kernel: nfacct: this machine has no such counters, or not the program');
      return;
    }
    expect(present).toEqual(BOTH);
    for (const backend of ['nft', 'legacy'] as const) {
      for (const family of ['IPv4', 'IPv6'] as const) {
        const names = binaryNames(family, backend);
        const info = parseVersion(await lab.run(names.command, '--version'));
        const iptables = new RealIptables(lab.exec, family, names, info);
        const nfacctCounters = await usableCounters(iptables, present, silentLogger);
        expect(nfacctCounters, `${backend} ${family}`).toEqual(BOTH);
        const config = rulesConfig({ ipFamily: family, nfacctCounters });
        const applier = new RuleApplier({ iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
        const { desired } = desiredFor(
          [
            service('ns/np', {
              type: 'NodePort',
              ports: [{ name: 'p80', protocol: 'TCP', port: 80, nodePort: 30080 }],
            }),
          ],
          [slice('ns/np', 's', ['127.0.0.1'])],
          config,
        );
        await applier.apply(desired);
        expect(await applier.check(), `${backend} ${family}`).toBeUndefined();
      }
    }
    await lab.run('ip', 'link', 'set', 'lo', 'up');
    // Nobody answers; that the packet met the rule is what counts.
    await expect(lab.run('timeout', '1', 'bash', '-c', 'exec 3<> /dev/tcp/127.0.0.1/30080')).rejects.toThrow();
    expect((await counterReader(nfacct)()).localhostNodePortsAccepted).toBeGreaterThan(0);
  } finally {
    await lab.dispose();
  }
});
