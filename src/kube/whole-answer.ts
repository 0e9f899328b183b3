import type { Dispatcher } from 'undici';
import type { TimeLimit } from './time-limit.ts';

/** A response with its whole body. */
export interface Answer {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface AskOptions {
  request: Dispatcher.DispatchOptions;
  /** When it ends, so does the call, connected or not; its reason is what the call fails with. */
  limit: Pick<TimeLimit, 'whenOver'>;
  /** Called right before the first byte is written. What it throws is the failure of the call. */
  beforeSend?: (() => void) | undefined;
}

/**
 * Sends one request and resolves with the whole answer. On undici's `dispatch`, not its `request`: a controller does this all day, and a
 * stream, an iterator over it and an abort signal for each call cost more than all of a sync's planning.
 */
export function ask(dispatcher: Pick<Dispatcher, 'dispatch'>, options: AskOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(options.request, new WholeAnswer(options, resolve, reject));
  });
}

class WholeAnswer implements Dispatcher.DispatchHandler {
  readonly #options: AskOptions;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (reason: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #over: Error | undefined;
  #statusCode = 0;
  #headers: Answer['headers'] = {};
  readonly #chunks: Buffer[] = [];

  constructor(options: AskOptions, resolve: (answer: Answer) => void, reject: (reason: Error) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    options.limit.whenOver((reason) => this.#end(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) {
      controller.abort(this.#over);
      return;
    }
    try {
      this.#options.beforeSend?.();
    } catch (error) {
      controller.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: Answer['headers']): void {
    this.#statusCode = statusCode;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#options.limit.whenOver(undefined);
    const [only, ...others] = this.#chunks;
    const body = only && others.length === 0 ? only : Buffer.concat(this.#chunks);
    this.#resolve({ statusCode: this.#statusCode, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#options.limit.whenOver(undefined);
    this.#reject(error);
  }

  /** undici has no way back for a request that waits for a connection: it is refused when its turn comes. */
  #end(reason: Error): void {
    this.#over = reason;
    this.#reject(reason);
    this.#controller?.abort(reason);
  }
}
