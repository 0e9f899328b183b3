import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startNamespaceHosts } from '../../../src/embedded/hosts/namespace-hosts.ts';
import { leftovers, settledLeftovers, type Traces, tracesOf } from '../../../src/embedded/hosts/traces.ts';
import { ability, asPlainUser, ownNetwork, rootlessAble, topology } from './namespaces.ts';

const DRIVER = fileURLToPath(new URL('./driver.ts', import.meta.url));

describe.skipIf(!ability.able)('whatever ends a run of hosts', () => {
  let before: string[];
  let driver: ChildProcess | undefined;

  beforeEach(() => {
    before = ownNetwork();
  });
  afterEach(() => {
    driver?.kill('SIGKILL');
    driver = undefined;
  });

  async function startDriver(
    options: { command?: string[]; env?: Record<string, string> } = {},
  ): Promise<{ unshare: number; traces: Traces }> {
    const [file = '', ...args] = [...(options.command ?? []), process.execPath, DRIVER];
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...options.env } });
    driver = child;
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{')) continue;
      const { unshare, runDir } = JSON.parse(line) as { unshare: number; runDir: string };
      const traces = tracesOf(unshare, runDir);
      // Supervisor, wire and Pod: if nothing was found now, finding nothing later would prove nothing.
      expect(leftovers(traces).length).toBeGreaterThan(3);
      return { unshare, traces };
    }
    throw new Error('the driver ended early');
  }

  async function expectNothingLeft(traces: Traces): Promise<void> {
    expect(await settledLeftovers(traces)).toEqual([]);
    expect(ownNetwork()).toEqual(before);
  }

  it('leaves nothing after SIGINT', async () => {
    const { traces } = await startDriver();
    driver?.kill('SIGINT');
    await expectNothingLeft(traces);
  });

  it('leaves nothing after the process that asked for them was killed with SIGKILL', async () => {
    const { traces } = await startDriver();
    driver?.kill('SIGKILL');
    await expectNothingLeft(traces);
  });

  it('leaves nothing after the supervisor was killed with SIGKILL', async () => {
    const { traces, unshare } = await startDriver();
    process.kill(unshare, 'SIGKILL');
    await expectNothingLeft(traces);
  });

  it.skipIf(!rootlessAble)('leaves nothing of a rootless run either', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'rootless-'));
    try {
      const { traces, unshare } = await startDriver({ command: asPlainUser, env: { HOME: directory } });
      expect(statSync(traces.runDir).uid).not.toBe(0);
      expect(readFileSync(`/proc/${unshare}/status`, 'utf8')).toMatch(/^Uid:\s+[1-9]/m);
      driver?.kill('SIGKILL');
      await expectNothingLeft(traces);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('tells whoever still uses them, and refuses further work', async () => {
    const hosts = await startNamespaceHosts({ topology });
    try {
      const lasting = await hosts.spawn('client', ['sleep', '600']);
      const waiting = hosts.exec('client', ['sleep', '600']);
      process.kill(hosts.pid, 'SIGKILL');
      await expect(waiting).rejects.toThrow(/supervisor ended/);
      expect((await hosts.lost).message).toMatch(/supervisor ended/);
      expect(await lasting.exited).toEqual({ code: null, signal: 'SIGKILL' });
      await expect(hosts.exec('client', ['true'])).rejects.toThrow(/supervisor ended/);
    } finally {
      await hosts.stop();
    }
  });

  it('cleans up when the start itself fails', async () => {
    const unable = { able: true as const, unshare: ['--no-such-option'] };
    const start = startNamespaceHosts({ topology, ability: unable });
    await expect(start).rejects.toThrow(/supervisor ended: unshare: unrecognized option/);
  });
});
