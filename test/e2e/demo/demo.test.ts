import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leftovers, settledLeftovers, type Traces, tracesOf } from '../../../src/embedded/hosts/traces.ts';
import { ability, asPlainUser, ownNetwork, rootlessAble } from '../../embedded/hosts/namespaces.ts';
import { childOf } from './children.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
/** The limit for a run on two cores; a machine that runs other tests as well gets twice that. */
const LIMIT_MS = 120_000;

interface Run {
  child: ChildProcess;
  lines: string[];
  /** Resolves with the first line, past or future, that matches; rejects with all output when the demo ends before. */
  line(pattern: RegExp): Promise<string>;
  exited: Promise<{ code: number | null; signal: string | null; stderr: string }>;
}

function startDemo(args: string[], options: { prefix?: string[]; env?: Record<string, string> } = {}): Run {
  const [file = '', ...rest] = [...(options.prefix ?? []), process.execPath, MAIN, 'demo', ...args];
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited: Run['exited'] = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr }));
  });
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find((text) => pattern.test(text));
        if (found !== undefined) resolve(found);
      };
      waiting.add(look);
      look();
      void exited.then(() => reject(new Error(`the demo ended without ${pattern}:\n${lines.join('\n')}\n${stderr}`)));
    });
  return { child, lines, line, exited };
}

/** The traces of a demo that is under way: of the hosts below its process. */
async function tracesOfDemo(run: Run): Promise<Traces> {
  await run.line(/✓ a network with three nodes/);
  const unshare = childOf(run.child.pid ?? 0, 'unshare');
  const traces = tracesOf(unshare.pid, unshare.lastArgument);
  expect(leftovers(traces).length).toBeGreaterThan(1);
  return traces;
}

describe('slicewise demo', () => {
  let run: Run | undefined;
  let before: string[];

  beforeEach(() => {
    before = ownNetwork();
  });
  afterEach(async () => {
    run?.child.kill('SIGKILL');
    await run?.exited;
    expect(ownNetwork()).toEqual(before);
  });

  function expectWholeWalk(lines: string[]): void {
    const text = lines.join('\n');
    for (const expected of [
      /1\. A Deployment and a Service appear/,
      /-j KUBE-SVC-HL5LMXD5JFHQZ6LN/,
      /--probability 0\.33333333349 -j KUBE-SEP-/,
      /--probability 0\.50000000000 -j KUBE-SEP-/,
      /✓ 300 requests from a Pod/,
      /✓ 300 requests from the node worker2 itself/,
      /✓ every request was answered, and every share is fair/,
      /✓ from "not ready" at the API server to the kernel of worker1: \d+ ms/,
      /✓ ready again, and back in the kernel after/,
      /✓ all six answer/,
      /✓ from the Pod visitor: connection refused after \d+ ms/,
      /✓ from the node worker1: connection refused after \d+ ms/,
      /✓ and all three answer/,
      /✓ both workers lead to all Pods/,
      /✓ \d+ times it was dealt itself \(hairpin\)/,
      /✓ no namespace, process, rule or file is left/,
      /✓ all stations passed in [\d.]+ s/,
    ]) {
      expect(text).toMatch(expected);
    }
    expect(text).not.toContain('✗');
    expect(text).not.toContain('\x1b');
  }

  it.skipIf(!ability.able)('walks from Pod to packet and leaves nothing behind', { timeout: LIMIT_MS }, async () => {
    run = startDemo([]);
    const traces = await tracesOfDemo(run);
    expect(await run.exited).toEqual({ code: 0, signal: null, stderr: '' });
    expectWholeWalk(run.lines);
    expect(leftovers(traces)).toEqual([]);
  });

  it.skipIf(!rootlessAble)('does the same for a plain user', { timeout: LIMIT_MS }, async () => {
    run = startDemo([], { prefix: asPlainUser, env: { HOME: '/nonexistent' } });
    expect(await run.exited).toEqual({ code: 0, signal: null, stderr: '' });
    expectWholeWalk(run.lines);
  });

  it.skipIf(!ability.able)(
    'ends at Ctrl-C in the middle, and leaves nothing behind',
    { timeout: LIMIT_MS },
    async () => {
      run = startDemo([]);
      const traces = await tracesOfDemo(run);
      await run.line(/2\. Who answers\?/);
      run.child.kill('SIGINT');
      expect(await run.exited).toMatchObject({ code: 130, stderr: '' });
      expect(run.lines.at(-1)).toContain('ended by SIGINT; everything has been removed');
      expect(await settledLeftovers(traces)).toEqual([]);
    },
  );

  it.skipIf(!ability.able)('leaves nothing behind when it is killed', { timeout: LIMIT_MS }, async () => {
    run = startDemo([]);
    const traces = await tracesOfDemo(run);
    await run.line(/✓ slicewise controller/);
    run.child.kill('SIGKILL');
    expect(await settledLeftovers(traces)).toEqual([]);
  });

  it.skipIf(!ability.able)('says what broke when a part ends on its own', { timeout: LIMIT_MS }, async () => {
    run = startDemo([]);
    const traces = await tracesOfDemo(run);
    await run.line(/2\. Who answers/);
    const unshare = childOf(run.child.pid ?? 0, 'unshare');
    process.kill(unshare.pid, 'SIGKILL');
    const { code, stderr } = await run.exited;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^slicewise: the demo failed: the hosts' supervisor ended: .*\n$/);
    expect(await settledLeftovers(traces)).toEqual([]);
  });

  it.skipIf(!ability.able)(
    'stays with --keep until Ctrl-C, with a kubeconfig to use',
    { timeout: LIMIT_MS },
    async () => {
      run = startDemo(['--keep']);
      const line = await run.line(/export KUBECONFIG=/);
      const kubeconfig = /KUBECONFIG=(\S+)/.exec(line)?.[1] ?? '';
      expect(existsSync(kubeconfig)).toBe(true);
      const traces = await tracesOfDemo(run);
      const look = await run.line(/nsenter -t \d+ .*iptables-save/);
      const { stdout } = await shell(`${/nsenter .* iptables-save/.exec(look)?.[0]} -t nat`);
      expect(stdout).toContain('default/nginx-svc cluster IP');
      run.child.kill('SIGINT');
      expect(await run.exited).toEqual({ code: 0, signal: null, stderr: '' });
      expect(existsSync(kubeconfig)).toBe(false);
      expect(await settledLeftovers(traces)).toEqual([]);
    },
  );

  it('computes and shows the rules where no network can be had', { timeout: LIMIT_MS }, async () => {
    run = startDemo([], { env: { PATH: '/nonexistent' } });
    expect(await run.exited).toEqual({ code: 0, signal: null, stderr: '' });
    const text = run.lines.join('\n');
    expect(text).toContain('apt-get install -y');
    expect(text).toContain('the rules are only computed and shown');
    expect(text).toMatch(/--probability 0\.33333333349 -j KUBE-SEP-/);
    expect(text).toContain('default/nginx-svc has no endpoints');
    expect(text).toMatch(/✓ all stations passed in [\d.]+ s, with rules computed only/);
  });
});

function shell(command: string): Promise<{ stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.once('error', reject);
    child.once('close', () => resolve({ stdout }));
  });
}
