import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Runs programs that end when this process does, however it ends. */
export class Processes {
  readonly #running = new Set<ChildProcess>();
  #stopped = false;

  /** Starts a program that the kernel kills with us. */
  start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    if (this.#stopped) throw new Error(`${command} was not started: we are on the way out`);
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], options);
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return child;
  }

  /** Keeps what the program says to itself. @throws Error with the end of that, unless the program ends with status 0 */
  async run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = this.start(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        said = (said + piece).slice(-MAX_SAID);
      });
    }
    await succeeded(child, command, args, () => said);
  }

  /** As `run`, but what the program says is seen at once. */
  async show(command: string, args: readonly string[]): Promise<void> {
    await succeeded(this.start(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }), command, args);
  }

  /** What the program prints. @throws Error unless it ends with status 0 */
  async output(command: string, args: readonly string[]): Promise<string> {
    const child = this.start(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = await Promise.all([child.stdout ? text(child.stdout) : '', succeeded(child, command, args)]);
    return printed;
  }

  /** Kills what still runs and waits for its end. Nothing can be started after. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const ends = [...this.#running].map((child) => once(child, 'close'));
    for (const child of this.#running) child.kill('SIGKILL');
    await Promise.all(ends);
  }
}

const MAX_SAID = 4000;

async function succeeded(
  child: ChildProcess,
  command: string,
  args: readonly string[],
  said: () => string = () => '',
): Promise<void> {
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ended with ${code ?? signal}\n${said()}`);
}

/** The words before a command that gives it namespaces of its own, with all its processes gone when it ends. */
export const FENCED = ['unshare', '--mount', '--pid', '--fork', '--kill-child'] as const;
