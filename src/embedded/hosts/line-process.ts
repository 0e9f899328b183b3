import { type HostProcess, HostsError, type ProcessExit } from './hosts.ts';

const KEPT_LINES = 200;

/** A process known by what it writes and how it ends; `push` and `end` are for the side that runs it. */
export class LineProcess implements HostProcess {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  readonly recentLines: string[] = [];
  readonly #name: string;
  readonly #kill: (signal: NodeJS.Signals) => void;
  readonly #listeners = new Set<(line: string) => void>();
  readonly #exit = Promise.withResolvers<ProcessExit>();
  #ended: ProcessExit | undefined;
  #partial = '';

  constructor(pid: number, name: string, kill: (signal: NodeJS.Signals) => void) {
    this.pid = pid;
    this.#name = name;
    this.#kill = kill;
    this.exited = this.#exit.promise;
  }

  push(text: string): void {
    const lines = `${this.#partial}${text}`.split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) this.#emit(line);
  }

  end(exit: ProcessExit): void {
    if (this.#ended) return;
    if (this.#partial !== '') this.#emit(this.#partial);
    this.#partial = '';
    this.#ended = exit;
    this.#exit.resolve(exit);
  }

  onLine(listener: (line: string) => void): void {
    this.#listeners.add(listener);
  }

  waitForLine(pattern: RegExp): Promise<string> {
    const past = this.recentLines.find((line) => pattern.test(line));
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const listener = (line: string) => {
        if (!pattern.test(line)) return;
        this.#listeners.delete(listener);
        resolve(line);
      };
      this.#listeners.add(listener);
      void this.exited.then(({ code, signal }) => {
        this.#listeners.delete(listener);
        const how = signal ? `by ${signal}` : `with code ${code}`;
        const last = this.recentLines.slice(-5).join('\n');
        reject(
          new HostsError(
            `"${this.#name}" ended ${how} before it wrote ${pattern}${last && `; its last lines:\n${last}`}`,
          ),
        );
      });
    });
  }

  kill(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGHUP'): void {
    if (!this.#ended) this.#kill(signal);
  }

  #emit(line: string): void {
    this.recentLines.push(line);
    if (this.recentLines.length > KEPT_LINES) this.recentLines.shift();
    for (const listener of this.#listeners) listener(line);
  }
}
