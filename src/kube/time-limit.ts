import type { Clock, Timer } from '../clock.ts';
import { ApiError } from './errors.ts';
import { messageOf } from './values.ts';

/** The time limit of one call, and its caller's wish to end it, in one. Its reason is an `ApiError` TIMEOUT or an `AbortError`. */
export class TimeLimit {
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly #caller: AbortSignal | undefined;
  readonly #timer: Timer;
  readonly #abort: () => void;
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  #listener: ((reason: Error) => void) | undefined;
  #forCallerOnly = false;

  constructor(clock: Clock, caller: AbortSignal | undefined, timeoutMs: number, message: string) {
    this.deadline = clock.monotonic() + timeoutMs;
    this.#caller = caller;
    this.#abort = () => this.#end(abortError(caller?.reason));
    if (caller?.aborted) this.#abort();
    caller?.addEventListener('abort', this.#abort, { once: true });
    const expire = () => this.#end(new ApiError({ code: 'TIMEOUT', message: `${message} in ${timeoutMs} ms` }));
    this.#timer = clock.setTimer(expire, timeoutMs);
  }

  /** For those who cannot do without a signal; it is made only then. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Calls `listener` once it is over, or now if it is. There is one listener at a time; undefined for none. */
  whenOver(listener: ((reason: Error) => void) | undefined): void {
    this.#listener = listener;
    if (!listener && this.#forCallerOnly) this.release();
    if (this.#reason) listener?.(this.#reason);
  }

  /** @throws the reason once it is over */
  throwIfOver(): void {
    if (this.#reason) throw this.#reason;
  }

  release(): void {
    this.#timer.cancel();
    this.#caller?.removeEventListener('abort', this.#abort);
  }

  /** The headers came in time; from here only the caller ends the stream, until there is no listener any more. */
  keepForCallerOnly(): void {
    this.#timer.cancel();
    this.#forCallerOnly = true;
    if (!this.#listener) this.release();
  }

  #end(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#listener?.(reason);
  }
}

/** `work`, or the signal's reason once it aborts, whichever comes first. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function abortError(reason: unknown): Error {
  if (reason instanceof Error && reason.name === 'AbortError') return reason;
  return new DOMException(reason === undefined ? 'aborted' : messageOf(reason), 'AbortError');
}
