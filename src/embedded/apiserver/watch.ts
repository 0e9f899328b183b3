import type { ServerResponse } from 'node:http';

/** A client that reads so slowly that this many bytes wait for it is disconnected; it can resume from its last event. */
const mostBuffered = 64 * 1024 * 1024;

/** One open watch: frames go out in order, and nobody waits for the client to read them. */
export class WatchStream {
  readonly #response: ServerResponse;
  #buffered = 0;
  #open = true;
  #breakNext = false;
  readonly #onEnd: (() => void)[] = [];

  constructor(response: ServerResponse, contentType: string) {
    this.#response = response;
    response.writeHead(200, { 'Cache-Control': 'no-cache, private', 'Content-Type': contentType });
    response.flushHeaders();
    response.on('close', () => this.#finish());
  }

  get open(): boolean {
    return this.#open;
  }

  /** Calls `fn` once when the stream has ended, by either side. */
  onEnd(fn: () => void): void {
    if (this.#open) this.#onEnd.push(fn);
    else fn();
  }

  send(frame: Buffer): void {
    if (!this.#open) return;
    if (this.#breakNext) {
      this.#response.write(frame.subarray(0, Math.ceil(frame.length / 2)), () => this.drop());
      this.#finish();
      return;
    }
    this.#buffered += frame.length;
    this.#response.write(frame, () => {
      this.#buffered -= frame.length;
    });
    if (this.#buffered > mostBuffered) this.drop();
  }

  /** Ends the stream in the orderly way, as at its time limit. */
  end(): void {
    if (!this.#open) return;
    this.#response.end();
    this.#finish();
  }

  /** Cuts the connection. */
  drop(): void {
    this.#response.destroy();
    this.#finish();
  }

  /** The next frame is cut in its middle, and the connection with it. */
  breakAtNextFrame(): void {
    this.#breakNext = true;
  }

  #finish(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const fn of this.#onEnd.splice(0)) fn();
  }
}
