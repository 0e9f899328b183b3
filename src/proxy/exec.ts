import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { messageOf } from '../kube/values.ts';
import { namelessFile } from './nameless-file.ts';

export interface ExecRequest {
  /** Program name, looked up in PATH and the sbin directories, or an absolute path. Never a shell line. */
  command: string;
  args: readonly string[];
  /** Text for standard input, in pieces so that a large one need not exist as one string. */
  stdin?: Iterable<string>;
  /**
   * Standard input is a file, not a socket: for a program that opens /dev/stdin by its name, which no socket allows. Rejects with code
   * `NO_FILE` where no folder can be written to.
   */
  stdinFile?: boolean;
  /** Receives standard output as it arrives; without it, the output is collected into `stdout`. */
  onStdout?: (chunk: string) => void;
  /** Milliseconds after which the process is killed. */
  timeoutMs: number;
  /** Kills the process when it aborts; the call then rejects with code `ABORTED`. */
  signal?: AbortSignal | undefined;
}

export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs one program to its end. Any exit status resolves; it rejects with `ExecError` only when there is no exit status: the
 * program is missing, may not be run, was killed, or ran out of time.
 */
export type Exec = (request: ExecRequest) => Promise<ExecResult>;

export type ExecErrorCode = 'NOT_FOUND' | 'NOT_PERMITTED' | 'NO_FILE' | 'TIMEOUT' | 'ABORTED' | 'KILLED' | 'FAILED';

export class ExecError extends Error {
  override readonly name = 'ExecError';
  readonly code: ExecErrorCode;
  readonly command: string;
  readonly stderr: string;

  constructor(
    code: ExecErrorCode,
    command: string,
    message: string,
    options: { stderr?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.command = command;
    this.stderr = options.stderr ?? '';
  }
}

/** Enough for any message of iptables; a program gone wild must not fill our memory. */
const MAX_STDERR = 64 * 1024;
/** Pieces of standard input are joined up to about this many characters for each write. */
const STDIN_WRITE = 256 * 1024;

/** PATH of a service often lacks the sbin directories, where iptables and conntrack live. */
function searchPath(): string {
  const parts = (process.env.PATH ?? '').split(':').filter((p) => p !== '');
  for (const dir of ['/usr/sbin', '/sbin', '/usr/local/sbin']) if (!parts.includes(dir)) parts.push(dir);
  return parts.join(':');
}

export const realExec: Exec = (request) =>
  new Promise((resolve, reject) => {
    const { command, args, timeoutMs } = request;
    if (request.signal?.aborted) {
      reject(new ExecError('ABORTED', command, `${command} was not started`));
      return;
    }
    const { input, close } = standardInput(request);
    const child = spawn(command, args, {
      stdio: [input, 'pipe', 'pipe'],
      // Messages are matched by text, so they must not be translated.
      env: { ...process.env, PATH: searchPath(), LC_ALL: 'C' },
    });
    close();
    const output: string[] = [];
    let stderr = '';
    let timedOut = false;
    let outputFailure: unknown;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const abort = () => child.kill('SIGKILL');
    request.signal?.addEventListener('abort', abort, { once: true });
    const settled = () => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
    };

    child.once('error', (error: NodeJS.ErrnoException) => {
      settled();
      reject(startFailure(command, error));
    });
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (!request.onStdout) output.push(chunk);
      else if (outputFailure === undefined) {
        try {
          request.onStdout(chunk);
        } catch (error) {
          outputFailure = error;
          child.kill('SIGKILL');
        }
      }
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < MAX_STDERR) stderr += chunk.slice(0, MAX_STDERR - stderr.length);
    });
    child.once('close', (exitCode, signal) => {
      settled();
      if (outputFailure !== undefined) reject(outputFailure);
      else if (timedOut) {
        reject(
          new ExecError('TIMEOUT', command, `${command} was killed after ${timeoutMs} ms without an end`, { stderr }),
        );
      } else if (exitCode === null && request.signal?.aborted) {
        reject(new ExecError('ABORTED', command, `${command} was stopped`, { stderr }));
      } else if (exitCode === null) {
        reject(new ExecError('KILLED', command, `${command} was killed by ${signal}`, { stderr }));
      } else resolve({ exitCode, stdout: output.join(''), stderr });
    });
    if (request.stdin !== undefined && child.stdin) writeAll(child.stdin, request.stdin);
  });

/** What to give to the child as its standard input, and what to close once it has that. @throws ExecError `NO_FILE` */
function standardInput({ command, stdin, stdinFile }: ExecRequest): {
  input: 'ignore' | 'pipe' | number;
  close: () => void;
} {
  if (stdin === undefined) return { input: 'ignore', close: () => undefined };
  if (!stdinFile) return { input: 'pipe', close: () => undefined };
  try {
    const file = namelessFile([...stdin].join(''));
    return { input: file, close: () => closeSync(file) };
  } catch (error) {
    throw new ExecError('NO_FILE', command, `no file for the input of ${command}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Writes piece by piece, waiting for the reader, so that at most one buffer of text is held. */
function writeAll(stream: NodeJS.WritableStream, pieces: Iterable<string>): void {
  // A program that stops reading early ends with a status and a message of its own, which say more than EPIPE does.
  stream.on('error', () => {});
  const iterator = pieces[Symbol.iterator]();
  const pump = () => {
    for (;;) {
      let buffer = '';
      let done = false;
      while (buffer.length < STDIN_WRITE) {
        const next = iterator.next();
        if (next.done) {
          done = true;
          break;
        }
        buffer += next.value;
      }
      if (done) {
        stream.end(buffer);
        return;
      }
      if (!stream.write(buffer)) {
        stream.once('drain', pump);
        return;
      }
    }
  };
  pump();
}

function startFailure(command: string, error: NodeJS.ErrnoException): ExecError {
  if (error.code === 'ENOENT') {
    return new ExecError('NOT_FOUND', command, `${command} is not installed, or not in PATH`, { cause: error });
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new ExecError('NOT_PERMITTED', command, `${command} may not be run: ${error.message}`, { cause: error });
  }
  return new ExecError('FAILED', command, `${command} could not be started: ${error.message}`, { cause: error });
}

/** Cuts text that arrives in pieces into lines. `end` delivers a last line that had no line end. */
export function lineSplitter(onLine: (line: string) => void): { push: (chunk: string) => void; end: () => void } {
  let rest = '';
  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
        onLine(start === 0 ? rest + chunk.slice(0, end) : chunk.slice(start, end));
        if (start === 0) rest = '';
        start = end + 1;
      }
      rest += chunk.slice(start);
    },
    end() {
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}
