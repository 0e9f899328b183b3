import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ExecOptions,
  type ExecResult,
  type HostProcess,
  type Hosts,
  HostsError,
  type PodAddresses,
  type SpawnOptions,
} from './hosts.ts';
import { LineProcess } from './line-process.ts';
import { PodBook } from './pod-book.ts';
import type { Topology } from './topology.ts';

/** One run of a program on a host in memory. */
export interface MemoryCall {
  host: string;
  argv: readonly string[];
  env: Record<string, string>;
  input: string;
  print(line: string): void;
  /** Resolves when somebody asks the program to end with anything but SIGKILL, which it never sees. */
  signalled: Promise<string>;
}

/** Resolves with the exit code. */
export type MemoryProgram = (call: MemoryCall) => Promise<number> | number;

export interface MemoryHostsOptions {
  topology: Topology;
  /** What `argv[0]` stands for. Any other command ends with code 127, as a missing command does in a shell. */
  programs?: Record<string, MemoryProgram>;
}

/**
 * The hosts without a kernel: names, addresses and processes are kept and checked as the real ones are, but no packet goes
 * anywhere. For tests, and for machines on which network namespaces cannot be had.
 */
export class MemoryHosts implements Hosts {
  readonly kind = 'memory';
  readonly topology: Topology;
  readonly ipv6 = true;
  readonly runDir: string;
  readonly lost: Promise<HostsError> = new Promise(() => undefined);
  readonly #programs: Record<string, MemoryProgram>;
  readonly #pods: PodBook;
  readonly #processes = new Map<number, { host: string; process: LineProcess }>();
  readonly #listeners = new Set<Server>();
  #nextPid = 2;
  #stopped = false;

  constructor(options: MemoryHostsOptions) {
    this.topology = options.topology;
    this.#programs = options.programs ?? {};
    this.#pods = new PodBook(options.topology);
    this.runDir = mkdtempSync(join(tmpdir(), 'slicewise-'));
  }

  async addPod(node: string, pod: PodAddresses): Promise<void> {
    this.#assertRunning();
    this.#pods.add(node, pod);
  }

  async removePod(pod: string): Promise<void> {
    this.#assertRunning();
    if (!this.#pods.remove(pod)) return;
    for (const { host, process } of this.#processes.values()) if (host === pod) process.kill('SIGKILL');
  }

  async exec(host: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const lines: string[] = [];
    const process = this.#start(host, argv, options, options.input ?? '');
    process.onLine((line) => lines.push(line));
    const { code } = await process.exited;
    const text = lines.map((line) => `${line}\n`).join('');
    return code === 127 ? { code, stdout: '', stderr: text } : { code: code ?? 128, stdout: text, stderr: '' };
  }

  async spawn(host: string, argv: readonly string[], options: SpawnOptions = {}): Promise<HostProcess> {
    return this.#start(host, argv, options, '');
  }

  /** There is no wire: the listener stands on this machine's loopback, on a port of the system's choice. */
  listenOnWire(_port: number): Promise<Server> {
    this.#assertRunning();
    return new Promise((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        this.#listeners.add(server);
        resolve(server);
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const { process } of this.#processes.values()) process.kill('SIGKILL');
    for (const server of this.#listeners) server.close();
    this.#pods.clear();
    rmSync(this.runDir, { recursive: true, force: true });
  }

  #start(host: string, argv: readonly string[], options: SpawnOptions, input: string): LineProcess {
    this.#assertRunning();
    const isNode = this.topology.nodes.some(({ name }) => name === host);
    if (!isNode && host !== 'wire' && host !== 'client' && !this.#pods.has(host)) {
      throw new HostsError(`unknown host "${host}"`);
    }
    const [command] = argv;
    if (command === undefined) throw new HostsError('empty command');
    const pid = this.#nextPid++;
    const signalled = Promise.withResolvers<string>();
    const process = new LineProcess(pid, argv.join(' '), (signal) => {
      if (signal === 'SIGKILL') process.end({ code: null, signal });
      else signalled.resolve(signal);
    });
    this.#processes.set(pid, { host, process });
    void process.exited.then(() => this.#processes.delete(pid));
    const program = this.#programs[command] ?? notFound;
    const call: MemoryCall = {
      host,
      argv,
      env: options.env ?? {},
      input,
      print: (line) => process.push(`${line}\n`),
      signalled: signalled.promise,
    };
    // In a later turn, so that whoever started it can listen before it speaks.
    setImmediate(() => {
      Promise.resolve()
        .then(() => program(call))
        .then(
          (code) => process.end({ code, signal: null }),
          (error: unknown) => {
            process.push(`${error instanceof Error ? error.message : String(error)}\n`);
            process.end({ code: 1, signal: null });
          },
        );
    });
    return process;
  }

  #assertRunning(): void {
    if (this.#stopped) throw new HostsError('the hosts are stopping');
  }
}

function notFound(call: MemoryCall): number {
  call.print(`failed to execute ${call.argv[0]}: there are no commands on hosts in memory`);
  return 127;
}
