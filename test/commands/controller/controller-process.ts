import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from '../../endpointslice/support/cluster.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');

/** `slicewise controller` as a process, whose log can be read. */
export class ControllerProcess {
  readonly exit: Promise<number | NodeJS.Signals | null>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [MAIN, 'controller', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.exit = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  }

  get output(): string {
    return this.#output;
  }

  /** The lines that are JSON. */
  get lines(): Record<string, unknown>[] {
    const lines = this.#output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line));
  }

  /** Resolves with the first line that has this message. */
  async line(msg: string): Promise<Record<string, unknown>> {
    let found: Record<string, unknown> | undefined;
    await eventually(async () => {
      found = this.lines.find((line) => line.msg === msg);
      if (!found) throw new Error(`no line "${msg}" in:\n${this.#output}`);
    });
    return found ?? {};
  }

  /** Base URL of the plain pages. */
  async pages(): Promise<string> {
    const { address } = await this.line('serving metrics');
    const { host, port } = address as { host: string; port: number };
    return `http://${host}:${port}`;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    this.kill('SIGKILL');
    await this.exit;
  }
}
