import type { Clock } from '../clock.ts';
import type { ByteStream, KubeClient, StreamOptions } from './client.ts';
import { ACCEPT_PROTOBUF, PROTOBUF } from './proto/envelope.ts';
import { readWatchFrames } from './proto/watch-frames.ts';
import { StreamWatchdog } from './stream-watchdog.ts';
import { readWatchEvents, type WatchEvent } from './watch-lines.ts';

export interface WatchOptions {
  client: KubeClient;
  path: string;
  query: NonNullable<StreamOptions['query']>;
  signal: AbortSignal;
  clock: Clock;
  /** Asks for protobuf; what comes may still be JSON. */
  protobuf: boolean;
  /** Milliseconds after which the stream is ended. */
  deadlineMs: number;
  /** Milliseconds without an event after which the stream is ended, until `allowSilence()`. */
  silenceMs: number | undefined;
}

/** One open watch. */
export class WatchStream {
  readonly #body: ByteStream;
  readonly #events: AsyncGenerator<WatchEvent, void, void>;
  readonly #watchdog: StreamWatchdog;

  private constructor(body: ByteStream, events: AsyncGenerator<WatchEvent, void, void>, clock: Clock) {
    this.#body = body;
    this.#events = events;
    this.#watchdog = new StreamWatchdog(clock, () => body.destroy(new Error('watch is silent')));
  }

  /** Resolves once the server has accepted. @throws ApiError */
  static async open(options: WatchOptions): Promise<WatchStream> {
    const { client, path, query, signal, protobuf, clock } = options;
    let read: typeof readWatchEvents = readWatchEvents;
    const body = await client.stream({
      path,
      query,
      signal,
      ...(protobuf && { accept: ACCEPT_PROTOBUF }),
      onContentType: (type) => {
        if (type.startsWith(PROTOBUF)) read = readWatchFrames;
      },
    });
    const stream = new WatchStream(body, read(body), clock);
    stream.#watchdog.limitTotal(options.deadlineMs);
    if (options.silenceMs !== undefined) stream.#watchdog.limitSilence(options.silenceMs);
    return stream;
  }

  /** True once we ended the stream because of a time limit. */
  get timedOut(): boolean {
    return this.#watchdog.barked;
  }

  /** The next event; undefined when the server has ended the stream properly. Rejects when it broke. */
  async next(): Promise<WatchEvent | undefined> {
    const { value } = await this.#events.next();
    this.#watchdog.fed();
    return value ?? undefined;
  }

  allowSilence(): void {
    this.#watchdog.allowSilence();
  }

  close(): void {
    this.#watchdog.release();
    this.#body.destroy();
  }
}
