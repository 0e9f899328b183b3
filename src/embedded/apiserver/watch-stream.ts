import type { ServerResponse } from 'node:http';

/** A client that reads so slowly that this many bytes wait for it is disconnected; it can resume from its last event. */
const mostBufferedBytes = 64 * 1024 * 1024;

/** The response of one watch: lines go out in order, and nobody waits for the client to read them. */
export class WatchStream {
  readonly #response: ServerResponse;
  #buffered = 0;
  #open = true;
  #corked = false;
  #breakNext = false;
  readonly #onEnd: (() => void)[] = [];

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'Cache-Control': 'no-cache, private', 'Content-Type': 'application/json' });
    response.flushHeaders();
    response.on('close', () => this.#finish());
    response.on('error', () => this.#finish());
  }

  get open(): boolean {
    return this.#open;
  }

  /** Calls `fn` once when the stream has ended, by either side. */
  onEnd(fn: () => void): void {
    if (this.#open) this.#onEnd.push(fn);
    else fn();
  }

  send(line: Buffer): void {
    if (!this.#open) return;
    if (this.#breakNext) {
      const response = this.#response;
      this.#finish();
      response.write(line.subarray(0, Math.ceil(line.length / 2)), () => response.destroy());
      return;
    }
    this.#corkThisTurn();
    this.#buffered += line.length;
    this.#response.write(line, () => {
      this.#buffered -= line.length;
    });
    if (this.#buffered > mostBufferedBytes) this.drop();
  }

  /** Resolves when the client has caught up enough to be sent more, after other work had its turn. */
  async drained(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#open && this.#response.writableNeedDrain) {
      await new Promise<void>((resolve) => {
        this.#response.once('drain', resolve);
        this.onEnd(resolve);
      });
    }
  }

  /** Ends the stream in the orderly way, as at its time limit. */
  end(): void {
    if (!this.#open) return;
    this.#finish();
    this.#response.end();
  }

  /** Cuts the connection. */
  drop(): void {
    this.#finish();
    this.#response.destroy();
  }

  /** The next line is cut in its middle, and the connection with it. */
  breakAtNextLine(): void {
    this.#breakNext = true;
  }

  /** Many small writes of one turn leave as one. */
  #corkThisTurn(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#response.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#response.uncork();
    });
  }

  #finish(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const fn of this.#onEnd.splice(0)) fn();
  }
}
