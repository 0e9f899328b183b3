import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Exec, ExecError, realExec } from '../../src/proxy/exec.ts';

/** An empty network namespace with rules of its own, in which programs can be run. */
export interface KernelLab {
  exec: Exec;
  /** Runs to the end and gives the standard output. @throws Error with the standard error on a non-zero status */
  run(command: string, ...args: string[]): Promise<string>;
  /** For `nsenter -t`. */
  pid: number;
  dispose(): Promise<void>;
}

/**
 * As root, or without root (and if `rootless`, always) in a user namespace. @throws Error when this machine allows neither.
 */
export async function createKernelLab({ rootless = false } = {}): Promise<KernelLab> {
  const root = process.getuid?.() === 0 && !rootless;
  const folder = await mkdtemp(join(tmpdir(), 'slicewise-lab-'));
  // cat ends with our end of the pipe, so that the namespace goes even when this process dies.
  const holder = spawn('unshare', [...(root ? ['-nm'] : ['-Urnm']), 'sh', '-c', 'echo ready; exec cat > /dev/null'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  holder.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const started = once(holder.stdout, 'data').then(() => true);
  const ended = once(holder, 'close').then(() => false);
  const dispose = async () => {
    holder.stdin.end();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  if (!(await Promise.race([started, ended]))) {
    await rm(folder, { recursive: true, force: true });
    throw new Error(`cannot make a network namespace: ${stderr.trim()}`);
  }
  const pid = holder.pid ?? 0;
  const enter = ['-t', String(pid), ...(root ? [] : ['-U', '--preserve-credentials']), '-n', '-m', '--'];
  const exec: Exec = async (request) => {
    const prefix = [...enter, 'env', `XTABLES_LOCKFILE=${join(folder, 'xtables.lock')}`, request.command];
    const result = await realExec({ ...request, command: 'nsenter', args: [...prefix, ...request.args] });
    if (result.exitCode === 127)
      throw new ExecError('NOT_FOUND', request.command, `${request.command} is not installed`);
    return result;
  };
  return {
    exec,
    pid,
    dispose,
    async run(command, ...args) {
      const result = await exec({ command, args, timeoutMs: 60_000 });
      if (result.exitCode !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`);
      return result.stdout;
    },
  };
}
