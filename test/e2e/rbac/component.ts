import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { ended } from '../../support/real-apiserver.ts';

const PATIENCE_MS = 60_000;

/** Resolves with what `look` finds, as soon as it finds something. @throws Error naming what never came */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`);
    await wait(50);
  }
}

/** A process of ours and what it says. */
export class Component {
  readonly #child: ChildProcess;
  #log = '';

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
  }

  get log(): string {
    return this.#log;
  }

  /** Resolves when the log has it. @throws Error with the log when it never does, or the process ends first */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return eventually(`${pattern} in:\n${this.#log}`, async () => {
      const found = pattern.exec(this.#log);
      if (found) return found;
      const { exitCode, signalCode } = this.#child;
      if (exitCode !== null || signalCode !== null)
        throw new Error(`ended with ${exitCode ?? signalCode}:\n${this.#log}`);
      return undefined;
    });
  }

  /** The exit code of a process that ends by itself. */
  async end(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await new Promise((resolve) => this.#child.once('exit', resolve));
    return this.#child.exitCode;
  }

  async stop(): Promise<void> {
    await ended(this.#child);
  }
}
