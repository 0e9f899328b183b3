import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { ended } from './real-apiserver.ts';

/** A controller that runs as a process of its own. */
export interface RunningController {
  /** The text of its page of metrics. */
  metrics(): Promise<string>;
  /** Asks it to end, as its supervisor would, and waits until it has. */
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;

/** A process whose output goes to a file. */
export class LoggedProcess {
  readonly #name: string;
  readonly #log: string;
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], options: { name: string; log: string }) {
    this.#name = options.name;
    this.#log = options.log;
    const output = openSync(options.log, 'a');
    this.#child = spawn(command, args, { stdio: ['ignore', output, output] });
    closeSync(output);
  }

  /** Resolves with what `look` finds. @throws Error with the end of the log when the process ends, or takes too long. */
  async until<T>(look: (log: string) => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      const log = await readFile(this.#log, 'utf8');
      const found = await look(log);
      if (found !== undefined) return found;
      const { exitCode, signalCode } = this.#child;
      if (exitCode !== null || signalCode !== null) {
        throw new Error(`${this.#name} ended with ${exitCode ?? signalCode}:\n${log.slice(-2000)}`);
      }
      if (performance.now() > deadline) throw new Error(`${this.#name} does not come up:\n${log.slice(-2000)}`);
      await wait(50);
    }
  }

  stop(): Promise<void> {
    return ended(this.#child);
  }
}
