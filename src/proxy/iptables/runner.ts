import type { IPFamily } from '../../objects/meta.ts';
import { type Exec, ExecError, type ExecResult, lineSplitter } from '../exec.ts';
import { type BinaryNames, type IptablesInfo, restoreWaitArgs, waitArgs } from './backend.ts';

/** What one iptables table is called on the command line; the proxier keeps a canary in `mangle` besides its two tables. */
export type AnyTable = 'filter' | 'nat' | 'mangle';

/**
 * The iptables programs of one address family. Commands of one instance run one after the other, in the order of the calls.
 * Every failure is an `IptablesError`.
 */
export interface Iptables {
  readonly family: IPFamily;
  readonly info: IptablesInfo;
  /**
   * Feeds `text` (in pieces) to `iptables-restore --noflush --counters`: chains that a section declares are created or
   * emptied, all others stay. A section takes effect as a whole at its COMMIT; a failure leaves earlier sections in effect.
   */
  restore(text: Iterable<string>): Promise<void>;
  /** Calls `onLine` with each line of `iptables-save`, of one table or of all that exist, without the line end. */
  save(onLine: (line: string) => void, options?: SaveOptions): Promise<void>;
  /** Runs one `iptables` command, for example `['-N', 'CHAIN', '-t', 'nat']`, and resolves with its standard output. */
  command(args: readonly string[]): Promise<string>;
}

export interface SaveOptions {
  table?: AnyTable;
  /** Stops the save; it then rejects with an error whose `aborted` is true. */
  signal?: AbortSignal;
}

/** `line 37: CHAIN_DEL failed (Device or resource busy): chain KUBE-SVC-X`; no memory, for one, is another reason. */
const REFUSED_BY_KERNEL =
  /\b[A-Z]+_[A-Z_]+ failed \((No such file or directory|Device or resource busy|Directory not empty|File exists|Invalid argument|Operation not supported|Too many links)\)/;

export class IptablesError extends Error {
  override readonly name = 'IptablesError';
  /** The program that failed. */
  readonly program: string;
  /** Absent when the program could not be started, was killed or ran out of time. */
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(program: string, message: string, init: { exitCode?: number; stderr?: string; cause?: unknown } = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.program = program;
    this.exitCode = init.exitCode;
    this.stderr = init.stderr ?? '';
  }

  /**
   * The kernel or the lock refused for now (exit status 4): says nothing about whether rules or chains exist. iptables-nft ends with
   * the same status when the kernel refuses a rule or a chain for what it is.
   */
  get isResourceProblem(): boolean {
    return this.exitCode === undefined || (this.exitCode === 4 && !REFUSED_BY_KERNEL.test(this.stderr));
  }

  /** The caller stopped the command. */
  get aborted(): boolean {
    return this.cause instanceof ExecError && this.cause.code === 'ABORTED';
  }

  /** One section was larger than what the process may send to the kernel at once. */
  get isTooLarge(): boolean {
    return /Message too long|No buffer space/.test(this.stderr);
  }

  get isPermissionProblem(): boolean {
    return /Permission denied|Operation not permitted|must be root/i.test(this.stderr);
  }

  /** Line of the restore text that was refused, when the message names one. The three spellings are those of 1.8. */
  get line(): number | undefined {
    const found = /line:? (\d+)/.exec(this.stderr);
    return found ? Number(found[1]) : undefined;
  }
}

/** A restore of a large ruleset took 33 s at 2,000 Services in one section; nothing we send should come near this. */
const RESTORE_TIMEOUT_MS = 5 * 60_000;
const COMMAND_TIMEOUT_MS = 60_000;

export class RealIptables implements Iptables {
  readonly family: IPFamily;
  readonly info: IptablesInfo;
  readonly #exec: Exec;
  readonly #names: BinaryNames;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(exec: Exec, family: IPFamily, names: BinaryNames, info: IptablesInfo) {
    this.#exec = exec;
    this.family = family;
    this.#names = names;
    this.info = info;
  }

  restore(text: Iterable<string>): Promise<void> {
    const args = [...restoreWaitArgs(this.info.version), '--noflush', '--counters'];
    return this.#enqueue(async () => {
      await this.#run(this.#names.restore, args, { stdin: text, timeoutMs: RESTORE_TIMEOUT_MS });
    });
  }

  save(onLine: (line: string) => void, { table, signal }: SaveOptions = {}): Promise<void> {
    return this.#enqueue(async () => {
      const lines = lineSplitter(onLine);
      const args = table === undefined ? [] : ['-t', table];
      await this.#run(this.#names.save, args, { onStdout: lines.push, timeoutMs: RESTORE_TIMEOUT_MS, signal });
      lines.end();
    });
  }

  command(args: readonly string[]): Promise<string> {
    return this.#enqueue(async () => {
      const all = [...waitArgs(this.info.version), ...args];
      return (await this.#run(this.#names.command, all, { timeoutMs: COMMAND_TIMEOUT_MS })).stdout;
    });
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    // The queue goes on after a failure; the caller gets the failure itself.
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #run(
    program: string,
    args: readonly string[],
    io: {
      stdin?: Iterable<string>;
      onStdout?: (chunk: string) => void;
      timeoutMs: number;
      signal?: AbortSignal | undefined;
    },
  ): Promise<ExecResult> {
    let result: ExecResult;
    try {
      result = await this.#exec({ command: program, args, ...io });
    } catch (error) {
      if (!(error instanceof ExecError)) throw error;
      throw new IptablesError(program, error.message, { stderr: error.stderr, cause: error });
    }
    if (result.exitCode !== 0) throw exitFailure(program, result);
    return result;
  }
}

export function exitFailure(program: string, result: ExecResult): IptablesError {
  return new IptablesError(program, `${program} ended with status ${result.exitCode}: ${summary(result.stderr)}`, {
    exitCode: result.exitCode,
    stderr: result.stderr,
  });
}

/** The telling lines of what iptables printed, on one line. */
function summary(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('Try `') && !line.startsWith('# Warning'));
  return lines.length === 0 ? 'no message' : lines.join('; ').slice(0, 500);
}
