import { describe, expect, test } from 'vitest';
import {
  type Exec,
  ExecError,
  type ExecRequest,
  type ExecResult,
  lineSplitter,
  realExec,
} from '../../../src/proxy/exec.ts';
import { binaryNames } from '../../../src/proxy/iptables/backend.ts';
import { IptablesError, RealIptables } from '../../../src/proxy/iptables/runner.ts';

function recorded(answer: (request: ExecRequest) => Partial<ExecResult> | Promise<Partial<ExecResult>> = () => ({})) {
  const calls: string[] = [];
  const exec: Exec = async (request) => {
    calls.push([request.command, ...request.args].join(' '));
    return { exitCode: 0, stdout: '', stderr: '', ...(await answer(request)) };
  };
  return { calls, exec };
}

const nft = { backend: 'nft', version: '1.8.9' } as const;

describe('the iptables programs', () => {
  test('are called with the lock wait, never through a shell', async () => {
    const { calls, exec } = recorded();
    const iptables = new RealIptables(exec, 'IPv6', binaryNames('IPv6', 'legacy'), {
      backend: 'legacy',
      version: '1.8.9',
    });
    await iptables.restore(['*nat\n', 'COMMIT\n']);
    await iptables.save(() => {}, { table: 'nat' });
    await iptables.save(() => {});
    await iptables.command(['-S', 'KUBE-PROXY-CANARY', '-t', 'mangle']);
    expect(calls).toEqual([
      'ip6tables-legacy-restore -w 5 --noflush --counters',
      'ip6tables-legacy-save -t nat',
      'ip6tables-legacy-save',
      'ip6tables-legacy -w 5 -S KUBE-PROXY-CANARY -t mangle',
    ]);
  });

  test('run one after the other within a family, also after a failure', async () => {
    let running = 0;
    let most = 0;
    const { exec } = recorded(async ({ command }) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return { exitCode: command.endsWith('-restore') ? 1 : 0 };
    });
    const iptables = new RealIptables(exec, 'IPv4', binaryNames('IPv4'), nft);
    const results = await Promise.allSettled([iptables.restore([]), iptables.command(['-S']), iptables.save(() => {})]);
    expect(results.map((r) => r.status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(most).toBe(1);
  });

  test('a failure names the program, its status and the telling lines', async () => {
    const stderr =
      "iptables-restore v1.8.9 (nf_tables): Chain 'NOPE' does not exist\nError occurred at line: 4\nTry `iptables -h' for more.\n";
    const { exec } = recorded(() => ({ exitCode: 2, stderr }));
    const iptables = new RealIptables(exec, 'IPv4', binaryNames('IPv4'), nft);
    const error = await iptables.restore([]).catch((e) => e);
    expect(error).toBeInstanceOf(IptablesError);
    expect(error).toMatchObject({ program: 'iptables-restore', exitCode: 2, line: 4, isResourceProblem: false });
    expect(error.message).toBe(
      "iptables-restore ended with status 2: iptables-restore v1.8.9 (nf_tables): Chain 'NOPE' does not exist; Error occurred at line: 4",
    );
  });

  test.each([
    ['line 7: CHAIN_DEL failed (Device or resource busy): chain B', 7],
    ['iptables-restore: line 2 failed', 2],
    ['Error occurred at line: 12', 12],
    ['Another app is currently holding the xtables lock.', undefined],
  ])('the refused line is found in %j', (stderr, line) => {
    expect(new IptablesError('p', 'm', { exitCode: 1, stderr }).line).toBe(line);
  });

  test('status 4 and a killed program say nothing about the rules', () => {
    expect(new IptablesError('p', 'm', { exitCode: 4 }).isResourceProblem).toBe(true);
    expect(new IptablesError('p', 'm').isResourceProblem).toBe(true);
    expect(new IptablesError('p', 'm', { exitCode: 1 }).isResourceProblem).toBe(false);
  });

  test.each([
    ['Another app is currently holding the xtables lock.', true],
    [
      'iptables-nft-restore v1.8.9 (nf_tables):\nline 3: RULE_APPEND failed (Cannot allocate memory): rule in chain C',
      true,
    ],
    ['iptables-nft-restore v1.8.9 (nf_tables):\nline 3: CHAIN_DEL failed (Device or resource busy): chain B', false],
    [
      'iptables-nft-restore v1.8.9 (nf_tables):\nline 3: RULE_APPEND failed (No such file or directory): rule in chain C',
      false,
    ],
    ['iptables-nft-restore v1.8.9 (nf_tables):\nline 7: RULE_APPEND failed (Invalid argument): rule in chain C', false],
  ])('status 4 with %j is for now: %s', (stderr, forNow) => {
    expect(new IptablesError('p', 'm', { exitCode: 4, stderr }).isResourceProblem).toBe(forNow);
  });
});

describe('running a program', () => {
  test('passes text in and out and gives the status', async () => {
    const result = await realExec({
      command: 'sh',
      args: ['-c', 'cat; echo bad >&2; exit 3'],
      stdin: ['a', 'b'],
      timeoutMs: 10_000,
    });
    expect(result).toEqual({ exitCode: 3, stdout: 'ab', stderr: 'bad\n' });
  });

  test('writes megabytes as fast as they are read, and survives a reader that stops early', async () => {
    const pieces = function* () {
      for (let i = 0; i < 100_000; i++) yield `line ${i} of a text that is much longer than a pipe holds\n`;
    };
    const all = await realExec({ command: 'wc', args: ['-l'], stdin: pieces(), timeoutMs: 30_000 });
    expect(all.stdout.trim()).toBe('100000');
    const early = await realExec({ command: 'head', args: ['-n', '1'], stdin: pieces(), timeoutMs: 30_000 });
    expect(early).toMatchObject({ exitCode: 0, stdout: 'line 0 of a text that is much longer than a pipe holds\n' });
  });

  test('a missing program, a time limit and an abort each have their code', async () => {
    const code = (promise: Promise<unknown>) => promise.catch((e) => (e instanceof ExecError ? e.code : e));
    expect(await code(realExec({ command: 'no-such-program', args: [], timeoutMs: 1000 }))).toBe('NOT_FOUND');
    expect(await code(realExec({ command: 'sleep', args: ['60'], timeoutMs: 20 }))).toBe('TIMEOUT');
    const controller = new AbortController();
    const running = code(realExec({ command: 'sleep', args: ['60'], timeoutMs: 60_000, signal: controller.signal }));
    controller.abort();
    expect(await running).toBe('ABORTED');
  });

  test('lines are whole whatever pieces they arrive in', () => {
    const lines: string[] = [];
    const splitter = lineSplitter((line) => lines.push(line));
    for (const piece of ['ab', 'c\nd', '', 'e\n\nf']) splitter.push(piece);
    splitter.end();
    expect(lines).toEqual(['abc', 'de', '', 'f']);
  });
});
