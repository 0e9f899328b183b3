import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { type ApiServer, startApiServer } from '../../../src/embedded/apiserver/server.ts';

/** Whether there is a kubectl; says so when there is none. */
export const hasKubectl = (() => {
  const found = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0;
  if (!found) console.log('skipped: the kubectl session: there is no kubectl on the PATH');
  return found;
})();

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** `kubectl edit` runs this on the file, so that no editor waits for somebody to type. */
const editor = 'sed -i s/before-editing/after-editing/';

/** An embedded API server and the kubectl of this machine, unmodified, pointed at it. */
export class Session {
  readonly server: ApiServer;
  readonly #folder: string;
  readonly #running = new Set<ChildProcess>();

  private constructor(server: ApiServer, folder: string) {
    this.server = server;
    this.#folder = folder;
  }

  static async start(): Promise<Session> {
    const folder = await mkdtemp(join(tmpdir(), 'slicewise-kubectl-'));
    const server = await startApiServer();
    await server.writeKubeconfig(join(folder, 'kubeconfig'));
    return new Session(server, folder);
  }

  async stop(): Promise<void> {
    for (const child of this.#running) {
      child.kill();
      await once(child, 'exit');
    }
    await this.server.stop();
    await rm(this.#folder, { recursive: true });
  }

  /** Runs kubectl and resolves however it ends. */
  run(...args: string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const env = { ...process.env, KUBE_EDITOR: editor };
      const child = execFile('kubectl', [...this.#flags(), ...args], { env }, (error, out, err) => {
        this.#running.delete(child);
        if (error && typeof error.code !== 'number') reject(error);
        else resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
      });
      this.#running.add(child);
    });
  }

  /** Runs kubectl and resolves with its output. @throws Error with what it said when it fails */
  async ok(...args: string[]): Promise<string> {
    const { code, out, err } = await this.run(...args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${err}${out}`);
    return out;
  }

  /** Runs kubectl, which is to fail, and resolves with its complaint. */
  async fails(...args: string[]): Promise<string> {
    const { code, out, err } = await this.run(...args);
    if (code === 0) throw new Error(`kubectl ${args.join(' ')} did not fail: ${out}`);
    return err.trim();
  }

  /** Starts a kubectl that goes on, and reads its output line by line. */
  follow(...args: string[]): Lines {
    const child = spawn('kubectl', [...this.#flags(), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return new Lines(createInterface(child.stdout), child);
  }

  /** Writes a manifest and returns its path. */
  async file(name: string, text: string): Promise<string> {
    const path = join(this.#folder, name);
    await writeFile(path, text);
    return path;
  }

  #flags(): string[] {
    return ['--kubeconfig', join(this.#folder, 'kubeconfig'), '--cache-dir', join(this.#folder, 'cache')];
  }
}

/** The output of a running command. */
export class Lines {
  readonly #lines: string[] = [];
  readonly #child: ChildProcess;
  #wake: () => void = () => {};
  #ended = false;

  constructor(input: Interface, child: ChildProcess) {
    this.#child = child;
    input.on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    input.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async next(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#ended) throw new Error('kubectl ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}

/** A table that kubectl printed, as one record of cells by column for each row. */
export function tableOf(text: string): Record<string, string>[] {
  const [head = '', ...rows] = text.trimEnd().split('\n');
  const columns = [...head.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ name: match[0], start: match.index }));
  return rows.map((row) =>
    Object.fromEntries(
      columns.map(({ name, start }, i) => [name, row.slice(start, columns[i + 1]?.start ?? row.length).trim()]),
    ),
  );
}
