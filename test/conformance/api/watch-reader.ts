import type { Readable } from 'node:stream';
import type { Body } from './harness.ts';

export interface WatchEvent {
  type: string;
  object: Body;
}

/** Reads the events of one watch, in order. */
export class WatchReader {
  readonly status: number;
  readonly #body: Readable;
  readonly #events: WatchEvent[] = [];
  #text = '';
  #ended = false;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(status: number, body: Readable) {
    this.status = status;
    this.#body = body;
    body.on('data', (part: Buffer) => this.#take(part.toString('utf8')));
    body.on('error', (error: Error) => this.#finish(error));
    body.on('end', () => this.#finish());
    body.on('close', () => this.#finish());
  }

  /** The next event. @throws Error when the stream ends first, or nothing comes for 15 s. */
  async next(): Promise<WatchEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event) return event;
      if (this.#ended) throw new Error(`the watch ended: ${this.#failure?.message ?? 'orderly'}; rest: ${this.#text}`);
      await this.#more(15_000);
    }
  }

  async take(count: number): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }

  /** All events up to and including the first for which `last` holds. */
  async until(last: (event: WatchEvent) => boolean): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    for (;;) {
      const event = await this.next();
      events.push(event);
      if (last(event)) return events;
    }
  }

  /** Resolves with the events not yet read once the server has ended the stream. */
  async rest(): Promise<WatchEvent[]> {
    while (!this.#ended) await this.#more(30_000);
    return this.#events.splice(0);
  }

  /** The text that came after the last complete line. */
  get partial(): string {
    return this.#text;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  close(): void {
    this.#body.destroy();
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.#events.push(JSON.parse(line));
    this.#wake();
  }

  #finish(error?: Error): void {
    this.#ended = true;
    this.#failure ??= error;
    this.#wake();
  }

  #more(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no watch event for ${milliseconds} ms`)), milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
