import type { Dispatcher } from 'undici';
import type { ByteStream } from './client.ts';
import type { TimeLimit } from './time-limit.ts';

/** A response whose body is still on its way. */
export interface StreamedAnswer {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  body: ByteStream;
}

export interface OpenStreamOptions {
  request: Dispatcher.DispatchOptions;
  /** When it ends, so does the call, connected or not, answered or not; its reason is what the call, or the body, fails with. */
  limit: Pick<TimeLimit, 'whenOver'>;
}

/** Bytes that may wait to be read before the server has to. */
const HIGH_WATER = 256 * 1024;

/**
 * Sends one request and resolves once the headers of the answer are there. On undici's `dispatch`, as `ask`: the server flushes each event of
 * a watch by itself, in several pieces, and every piece would cost a round through a Node stream.
 */
export function openStream(
  dispatcher: Pick<Dispatcher, 'dispatch'>,
  options: OpenStreamOptions,
): Promise<StreamedAnswer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(options.request, new Streaming(options, resolve, reject));
  });
}

class Streaming implements Dispatcher.DispatchHandler, ByteStream {
  readonly #limit: OpenStreamOptions['limit'];
  readonly #resolve: (answer: StreamedAnswer) => void;
  readonly #reject: (reason: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #reader:
    | { resolve: (result: IteratorResult<Buffer, undefined>) => void; reject: (reason: Error) => void }
    | undefined;
  #over: { reason: Error | undefined } | undefined;

  constructor(
    { limit }: OpenStreamOptions,
    resolve: (answer: StreamedAnswer) => void,
    reject: (reason: Error) => void,
  ) {
    this.#limit = limit;
    this.#resolve = resolve;
    this.#reject = reject;
    limit.whenOver((reason) => this.destroy(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Not before: undici has no way back for a request that waits for a connection.
    if (this.#over) controller.abort(this.#over.reason ?? closed());
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: StreamedAnswer['headers'],
  ): void {
    // 1xx only announces the answer.
    if (statusCode >= 200) this.#resolve({ statusCode, headers, body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    const reader = this.#reader;
    if (reader) {
      this.#reader = undefined;
      reader.resolve({ value: chunk, done: false });
      return;
    }
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > HIGH_WATER) controller.pause();
  }

  onResponseEnd(): void {
    this.#end(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  get destroyed(): boolean {
    return this.#over !== undefined;
  }

  destroy(reason: Error = closed()): void {
    if (this.#over) return;
    this.#fail(reason);
    this.#controller?.abort(reason);
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    const chunk = this.#chunks.shift();
    if (chunk) {
      this.#waitingBytes -= chunk.length;
      if (this.#controller?.paused && this.#waitingBytes <= HIGH_WATER / 2) this.#controller.resume();
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#over?.reason) return Promise.reject(this.#over.reason);
    if (this.#over) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** Who stops reading has no use for the rest. */
  return(): Promise<IteratorResult<Buffer, undefined>> {
    this.destroy();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** What has arrived but was not read is of no use any more. */
  #fail(reason: Error): void {
    if (this.#over) return;
    this.#chunks = [];
    this.#reject(reason);
    this.#end(reason);
  }

  #end(reason: Error | undefined): void {
    if (this.#over) return;
    this.#over = { reason };
    this.#limit.whenOver(undefined);
    const reader = this.#reader;
    this.#reader = undefined;
    if (reason) reader?.reject(reason);
    else reader?.resolve({ value: undefined, done: true });
  }
}

function closed(): Error {
  return new Error('the stream was closed');
}
