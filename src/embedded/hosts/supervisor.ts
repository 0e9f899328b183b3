/**
 * The process inside: first process of its own process namespace, owner of the wire's network namespace and of the mounts that
 * hold all other network namespaces. Whatever ends it, the kernel ends everything that it started and forgets every
 * namespace, so nothing can be left behind. Runs as `supervisor.ts RUN_DIR` under unshare(1), spoken to over Node's IPC.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { NetStep } from './plan.ts';
import type { Order, Report, Request } from './protocol.ts';

const runDir = process.argv[2] ?? '';
const namespaces = join(runDir, 'ns');
const known = new Set<string>(['wire']);
const running = new Map<number, { host: string; child: ChildProcess }>();

/** One file name for a host name: a Pod's has a slash. */
function fileOf(host: string): string {
  return join(namespaces, host.replace('/', '+'));
}

function inside(host: string, argv: readonly string[]): { file: string; args: string[] } {
  if (!known.has(host)) throw new Error(`unknown host "${host}"`);
  const [first, ...rest] = argv;
  if (first === undefined) throw new Error('empty command');
  if (host === 'wire') return { file: first, args: rest };
  return { file: 'nsenter', args: [`--net=${fileOf(host)}`, '--', first, ...rest] };
}

/** Runs a short command to its end. @throws Error with the command and what it wrote to standard error. */
function runShort(host: string, argv: readonly string[], input?: string): void {
  const { file, args } = inside(host, argv);
  try {
    execFileSync(file, args, { input: input ?? '', stdio: ['pipe', 'ignore', 'pipe'] });
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`on ${host}: "${argv.join(' ')}" failed: ${stderr || String(error)}${input ? `\n${input}` : ''}`);
  }
}

function runStep(step: NetStep): void {
  switch (step.kind) {
    case 'namespace': {
      if (known.has(step.name)) throw new Error(`host "${step.name}" exists already`);
      writeFileSync(fileOf(step.name), '');
      runShort('wire', ['unshare', `--net=${fileOf(step.name)}`, 'true']);
      known.add(step.name);
      break;
    }
    case 'ip': {
      const lines = step.lines.map((line) => line.replace(/@(\S+)/g, (_, host: string) => fileOf(host)));
      runShort(step.host, ['ip', '-batch', '-'], `${lines.join('\n')}\n`);
      break;
    }
    case 'sysctl': {
      const script = Object.entries(step.values).map(([key, value]) => {
        const file = `/proc/sys/net/${key}`;
        return `[ ! -e ${file} ] || echo ${value} > ${file}`;
      });
      runShort(step.host, ['sh', '-ec', script.join('\n')]);
      break;
    }
    case 'remove': {
      if (!known.delete(step.name)) break;
      runShort('wire', ['umount', fileOf(step.name)]);
      unlinkSync(fileOf(step.name));
      break;
    }
  }
}

function environment(host: string, extra: Record<string, string>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env.NODE_CHANNEL_FD;
  delete env.NODE_CHANNEL_SERIALIZATION_MODE;
  // The lock of the legacy iptables guards one kernel's tables; each host has tables of its own.
  return { ...env, XTABLES_LOCKFILE: `${fileOf(host)}.xtables.lock`, ...extra };
}

function start(host: string, argv: readonly string[], env: Record<string, string>): Promise<ChildProcess> {
  const { file, args } = inside(host, argv);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: environment(host, env) });
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  // A process that ends without reading its input is no failure of ours.
  child.stdin.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      const pid = child.pid ?? 0;
      running.set(pid, { host, child });
      child.once('exit', () => running.delete(pid));
      resolve(child);
    });
  });
}

async function execute(request: Request & { op: 'exec' }): Promise<unknown> {
  const child = await start(request.host, request.argv, request.env);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.end(request.input);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`on ${request.host}: "${request.argv.join(' ')}" took longer than ${request.timeoutMs} ms`));
    }, request.timeoutMs);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      // Shells' convention for a process that a signal ended.
      resolve({ code: code ?? (signal ? 128 : 1), stdout, stderr });
    });
  });
}

async function startLasting(request: Request & { op: 'spawn' }): Promise<unknown> {
  const child = await start(request.host, request.argv, request.env);
  const pid = child.pid ?? 0;
  child.stdin?.end();
  child.stdout?.on('data', (text: string) => report({ event: 'output', pid, text }));
  child.stderr?.on('data', (text: string) => report({ event: 'output', pid, text }));
  child.once('close', (code, signal) => report({ event: 'exit', pid, code, signal }));
  return { pid };
}

/** Listens in the wire's network namespace and hands the socket out: it stays in this network wherever it is served. */
function listen(request: Request & { op: 'listen' }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(request.port, request.address, () => {
      const answer: Report = { event: 'answer', id: request.id, value: null };
      process.send?.(answer, server, {}, () => server.close(() => resolve(undefined)));
    });
  });
}

async function killAll(host: string): Promise<void> {
  const ends: Promise<unknown>[] = [];
  for (const process of running.values()) {
    if (process.host !== host) continue;
    ends.push(new Promise((resolve) => process.child.once('exit', resolve)));
    process.child.kill('SIGKILL');
  }
  await Promise.all(ends);
}

function handle(request: Request): Promise<unknown> | unknown {
  switch (request.op) {
    case 'network':
      for (const step of request.steps) runStep(step);
      return null;
    case 'exec':
      return execute(request);
    case 'spawn':
      return startLasting(request);
    case 'listen':
      return listen(request);
    case 'killAll':
      return killAll(request.host);
  }
}

function report(message: Report): void {
  // Once the other side has gone there is nobody to tell, and 'disconnect' ends this process. It may go between this look and the
  // write: without a callback that failure would end this process before it has removed the directory.
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}

async function answer(request: Request): Promise<void> {
  try {
    const value = await handle(request);
    // `listen` has answered already: its answer carries the socket.
    if (request.op !== 'listen') report({ event: 'answer', id: request.id, value: value ?? null });
  } catch (error) {
    report({ event: 'failure', id: request.id, message: error instanceof Error ? error.message : String(error) });
  }
}

function onOrder(order: Order): void {
  if (order.op === 'signal') running.get(order.pid)?.child.kill(order.signal);
  else void answer(order);
}

/** Everything but the directory goes with this process; what could still write into the directory goes first. */
function removeRunDir(): void {
  for (const { child } of running.values()) child.kill('SIGKILL');
  // Without the mount the directory is all there is to remove.
  spawnSync('umount', ['--recursive', '--lazy', namespaces], { stdio: 'ignore' });
  rmSync(runDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

mkdirSync(namespaces, { recursive: true });
execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0700', 'slicewise', namespaces]);
process.on('message', onOrder);
process.on('disconnect', () => {
  removeRunDir();
  process.exit(0);
});
report({ event: 'started' });
