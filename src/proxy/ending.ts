import { UserError } from '../user-error.ts';

/** What ends the run: a signal, or a reason to be started anew. */
export class Ending {
  /** Resolves on SIGTERM or SIGINT, or when all is well and a new start is due; rejects with a UserError. */
  readonly ended: Promise<void>;
  readonly end: () => void;
  readonly fail: (reason: string) => void;

  /** @param onSignal calls back when the process gets that signal */
  constructor(onSignal: (signal: 'SIGTERM' | 'SIGINT', listener: () => void) => void) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ended = promise;
    this.end = resolve;
    this.fail = (reason) => reject(new UserError(reason));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) onSignal(signal, resolve);
    // Whoever waits hears of it; until then it must not end the process by itself.
    promise.catch(() => {});
  }

  /** The promise's value, or undefined when the end came first. */
  async unlessEnded<T>(promise: Promise<T>): Promise<T | undefined> {
    return Promise.race([promise, this.ended.then(() => undefined)]);
  }
}
