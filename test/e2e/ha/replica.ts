import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Arena, ReplicaName } from './arena.ts';
import { SeverableNetwork } from './severable-network.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');

/** Milliseconds. Long enough for a machine that is busy with other tests, too. */
export const DURATIONS = { lease: 5000, renew: 4000, retry: 500 };

const flags = [
  `--leader-elect-lease-duration=${DURATIONS.lease}ms`,
  `--leader-elect-renew-deadline=${DURATIONS.renew}ms`,
  `--leader-elect-retry-period=${DURATIONS.retry}ms`,
  // The more writes, the more could be out of turn.
  '--kube-api-qps=-1',
];

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** `slicewise controller` as a process, on a network of its own to the API server. */
export class Replica {
  readonly name: ReplicaName;
  readonly network: SeverableNetwork;
  readonly #kubeconfig: string;
  #child: ChildProcess | undefined;
  #output = '';
  #exit: Promise<Exit> | undefined;

  private constructor(name: ReplicaName, network: SeverableNetwork, kubeconfig: string) {
    this.name = name;
    this.network = network;
    this.#kubeconfig = kubeconfig;
  }

  static async start(name: ReplicaName, arena: Arena): Promise<Replica> {
    const network = await SeverableNetwork.start(arena.url);
    const replica = new Replica(name, network, await arena.kubeconfig(name, `https://127.0.0.1:${network.port}`));
    replica.launch();
    return replica;
  }

  /** Also again, after it has ended. */
  launch(): void {
    const child = spawn(process.execPath, [MAIN, 'controller', `--kubeconfig=${this.#kubeconfig}`, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.#child = child;
    this.#exit = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  get exit(): Promise<Exit> {
    if (!this.#exit) throw new Error(`${this.name} was not started`);
    return this.#exit;
  }

  /** Lines at level error and above. */
  get errors(): string[] {
    const lines = this.#output.split('\n').filter((line) => line !== '');
    return lines
      .map((line) => JSON.parse(line))
      .filter(({ level }) => level >= 50)
      .map(({ msg }) => msg);
  }

  get leads(): boolean {
    return this.#output.includes('"controller synced"');
  }

  get isWarm(): boolean {
    return (this.#output.match(/"cache is filled"/g) ?? []).length === 4;
  }

  get output(): string {
    return this.#output;
  }

  async stop(): Promise<void> {
    this.kill('SIGKILL');
    await this.#exit;
    await this.network.stop();
  }
}
