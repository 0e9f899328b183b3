import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { fabricPlan, podPlan, podRemovalPlan } from './plan.ts';
import { PodBook } from './pod-book.ts';
import { type Ability, adminPath, checkPrerequisites } from './prerequisites.ts';
import type { Order, Report, Request } from './protocol.ts';
import type { Topology } from './topology.ts';

export interface NamespaceHostsOptions {
  topology: Topology;
  /** From `checkPrerequisites()`, which is asked when this is absent. */
  ability?: Ability;
}

type Payload<T> = T extends { id: number } ? Omit<T, 'id'> : never;
interface Answer {
  value: unknown;
  /** A socket that came along. */
  handle: unknown;
}
interface Waiting {
  resolve(answer: Answer): void;
  reject(error: HostsError): void;
}

const SUPERVISOR = fileURLToPath(new URL('./supervisor.ts', import.meta.url));
const EXEC_TIMEOUT_MS = 30_000;
/** How much longer than the command itself an answer may take before the supervisor counts as stuck. */
const ANSWER_SLACK_MS = 10_000;

/** @throws HostsError in one line when namespaces cannot be had here, or when setting the network up fails. */
export async function startNamespaceHosts(options: NamespaceHostsOptions): Promise<NamespaceHosts> {
  const ability = options.ability ?? checkPrerequisites();
  if (!ability.able) throw new HostsError([ability.reason, ability.remedy].filter(Boolean).join('; try: '));
  const hosts = new NamespaceHosts(options.topology, ability.unshare);
  try {
    await hosts.start();
  } catch (error) {
    await hosts.stop();
    throw error;
  }
  return hosts;
}

/** Hosts as network namespaces of this kernel, all below one supervisor process (supervisor.ts says why). */
export class NamespaceHosts implements Hosts {
  readonly kind = 'namespaces';
  readonly topology: Topology;
  readonly runDir: string;
  /** In a user namespace: whoever wants to look inside with nsenter(1) must enter that too. */
  readonly rootless: boolean;
  readonly lost: Promise<HostsError>;
  readonly #supervisor: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #processes = new Map<number, LineProcess>();
  /** Reports that arrived before the answer which names their process. */
  readonly #early = new Map<number, Report[]>();
  readonly #pods: PodBook;
  #nextId = 1;
  #stopping = false;
  #ipv6 = true;
  #death: HostsError | undefined;

  constructor(topology: Topology, unshare: readonly string[]) {
    this.topology = topology;
    this.rootless = unshare.includes('--user');
    this.#pods = new PodBook(topology);
    this.runDir = mkdtempSync(join(tmpdir(), 'slicewise-'));
    this.#supervisor = spawn('unshare', [...unshare, process.execPath, SUPERVISOR, this.runDir], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A process group of its own: Ctrl-C at the terminal must reach us alone, so that we can stop things in order.
      detached: true,
      env: { ...process.env, PATH: adminPath() },
    });
    let complaint = '';
    const { stderr } = this.#supervisor;
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-2000);
    });
    this.#supervisor.on('message', (report: Report, handle) => this.#onReport(report, handle));
    const lost = Promise.withResolvers<HostsError>();
    this.lost = lost.promise;
    this.#gone = new Promise((resolve) => {
      const end = (why: string) => {
        this.#death ??= new HostsError(`the hosts' supervisor ended: ${complaint.trim() || why}`);
        // Before the news of each process that went with it: the cause comes first.
        if (!this.#stopping) lost.resolve(this.#death);
        rmSync(this.runDir, { recursive: true, force: true });
        for (const { reject } of this.#waiting.values()) reject(this.#death);
        this.#waiting.clear();
        for (const process of this.#processes.values()) process.end({ code: null, signal: 'SIGKILL' });
        this.#processes.clear();
        resolve();
      };
      this.#supervisor.once('error', (error) => end(error.message));
      // Not 'close': that never comes after a disconnect() of our own.
      this.#supervisor.once('exit', (code, signal) => {
        const why = signal ?? `code ${code}`;
        if (!stderr || stderr.readableEnded) end(why);
        else stderr.once('close', () => end(why));
      });
    });
  }

  get ipv6(): boolean {
    return this.#ipv6;
  }

  /** Process id of the supervisor's parent, unshare(1), as seen outside. */
  get pid(): number {
    return this.#supervisor.pid ?? 0;
  }

  async start(): Promise<void> {
    // Id 0 is never sent: the supervisor says "started" by itself.
    await this.#answerTo(0, EXEC_TIMEOUT_MS);
    const { code } = await this.exec('wire', ['test', '-e', '/proc/sys/net/ipv6']);
    this.#ipv6 = code === 0;
    await this.#request({ op: 'network', steps: fabricPlan(this.topology, this.#ipv6) });
  }

  async addPod(nodeName: string, { pod, ipv4, ipv6 }: PodAddresses): Promise<void> {
    const entry = this.#pods.add(nodeName, { pod, ipv4, ...(this.#ipv6 && ipv6 !== undefined ? { ipv6 } : {}) });
    await this.#request({ op: 'network', steps: podPlan(entry.node, { ...entry, host: pod }) });
  }

  async removePod(pod: string): Promise<void> {
    const entry = this.#pods.remove(pod);
    if (!entry) return;
    await this.#request({ op: 'killAll', host: pod });
    await this.#request({ op: 'network', steps: podRemovalPlan(entry.node, { host: pod, index: entry.index }) });
  }

  async exec(host: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { env = {}, input = '', timeoutMs = EXEC_TIMEOUT_MS } = options;
    const request = { op: 'exec', host, argv, env, input, timeoutMs } as const;
    return (await this.#request(request, timeoutMs + ANSWER_SLACK_MS)) as ExecResult;
  }

  async spawn(host: string, argv: readonly string[], options: SpawnOptions = {}): Promise<HostProcess> {
    const { pid } = (await this.#request({ op: 'spawn', host, argv, env: options.env ?? {} })) as { pid: number };
    const process = new LineProcess(pid, argv.join(' '), (signal) => this.#send({ op: 'signal', pid, signal }));
    this.#processes.set(pid, process);
    for (const report of this.#early.get(pid) ?? []) this.#onReport(report, undefined);
    this.#early.delete(pid);
    return process;
  }

  async listenOnWire(port: number): Promise<Server> {
    const address = this.topology.wire.ipv4;
    const { handle } = await this.#ask({ op: 'listen', address, port });
    if (handle instanceof Server) return handle;
    throw new HostsError('the supervisor sent no listener');
  }

  async stop(): Promise<void> {
    if (!this.#stopping && !this.#death) {
      this.#stopping = true;
      if (this.#supervisor.connected) this.#supervisor.disconnect();
      // The supervisor goes on disconnect; should it hang, its parent's end is its end (--kill-child).
      const timer = setTimeout(() => this.#supervisor.kill('SIGKILL'), 5000);
      await this.#gone;
      clearTimeout(timer);
    }
    await this.#gone;
  }

  async #request(payload: Payload<Request>, timeoutMs?: number): Promise<unknown> {
    return (await this.#ask(payload, timeoutMs)).value;
  }

  #ask(payload: Payload<Request>, timeoutMs = EXEC_TIMEOUT_MS): Promise<Answer> {
    const id = this.#nextId++;
    const answer = this.#answerTo(id, timeoutMs);
    this.#send({ ...payload, id } as Request);
    return answer;
  }

  #answerTo(id: number, timeoutMs: number): Promise<Answer> {
    if (this.#death) return Promise.reject(this.#death);
    if (this.#stopping) return Promise.reject(new HostsError('the hosts are stopping'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => waiting.reject(new HostsError('the supervisor does not answer')), timeoutMs);
      const forget = () => {
        clearTimeout(timer);
        this.#waiting.delete(id);
      };
      const waiting: Waiting = {
        resolve: (answer) => {
          forget();
          resolve(answer);
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      };
      this.#waiting.set(id, waiting);
    });
  }

  #send(order: Order): void {
    // A failed send means that the supervisor has gone; its 'close' event rejects what waits.
    if (this.#supervisor.connected) this.#supervisor.send(order, () => undefined);
  }

  #onReport(report: Report, handle: unknown): void {
    switch (report.event) {
      case 'started':
        this.#waiting.get(0)?.resolve({ value: null, handle: undefined });
        break;
      case 'answer':
        this.#waiting.get(report.id)?.resolve({ value: report.value, handle });
        break;
      case 'failure':
        this.#waiting.get(report.id)?.reject(new HostsError(report.message));
        break;
      default: {
        const process = this.#processes.get(report.pid);
        if (!process) {
          this.#early.set(report.pid, [...(this.#early.get(report.pid) ?? []), report]);
        } else if (report.event === 'output') {
          process.push(report.text);
        } else {
          this.#processes.delete(report.pid);
          process.end({ code: report.code, signal: report.signal });
        }
      }
    }
  }
}
