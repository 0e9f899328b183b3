import { ApiError } from './errors.ts';
import { turns as sharedTurns, type Turns } from './turns.ts';
import { isRecord, messageOf, singleLine } from './values.ts';

const NEWLINE = 0x0a;
/** etcd refuses requests over 1.5 MiB; its JSON form with escapes is a few times that. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** One event of a watch stream (meta/v1 WatchEvent). */
export interface WatchEvent {
  /** `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`. */
  type: string;
  object: unknown;
}

/** Cuts a stream of bytes into lines. Only whole lines are decoded, so a character may lie across two chunks. */
export class LineSplitter {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  readonly #maxLineBytes: number;

  constructor(maxLineBytes = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that `chunk` completes, without their ends; empty lines are left out. @throws ApiError BAD_RESPONSE when one is too long. */
  *push(chunk: Buffer): Generator<string, void, void> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#take(chunk, start, end);
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start === chunk.length) return;
    const rest = chunk.subarray(start);
    this.#pending.push(rest);
    this.#pendingBytes += rest.length;
    this.#checkLength(0);
  }

  /** Bytes of a line that has not ended yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  #take(chunk: Buffer, start: number, end: number): string {
    if (this.#pendingBytes === 0) return chunk.toString('utf8', start, end);
    this.#checkLength(end - start);
    this.#pending.push(chunk.subarray(start, end));
    const line = Buffer.concat(this.#pending).toString('utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }

  #checkLength(more: number): void {
    const bytes = this.#pendingBytes + more;
    if (bytes <= this.#maxLineBytes) return;
    throw new ApiError({ code: 'BAD_RESPONSE', message: `watch event of more than ${this.#maxLineBytes} bytes` });
  }
}

/**
 * Reads the events of one watch response, one JSON.parse each, giving the event loop back between slices of work.
 *
 * @throws ApiError BAD_RESPONSE for a line that is not a watch event, and for a stream that ends within a line; otherwise whatever
 * the stream fails with.
 */
export async function* readWatchEvents(
  stream: AsyncIterable<Buffer>,
  options: { maxLineBytes?: number; turns?: Turns } = {},
): AsyncGenerator<WatchEvent, void, void> {
  const turns = options.turns ?? sharedTurns;
  const splitter = new LineSplitter(options.maxLineBytes);
  for await (const chunk of stream) {
    for (const line of splitter.push(chunk)) {
      if (turns.due()) await turns.wait();
      yield parseEvent(line);
    }
  }
  if (splitter.pendingBytes > 0) {
    throw new ApiError({
      code: 'BAD_RESPONSE',
      message: `watch ended within an event (${splitter.pendingBytes} bytes of it)`,
    });
  }
}

function parseEvent(line: string): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw new ApiError({
      code: 'BAD_RESPONSE',
      message: `watch event is not JSON: ${singleLine(messageOf(cause))}`,
      cause,
    });
  }
  if (!isRecord(event) || typeof event.type !== 'string' || !isRecord(event.object)) {
    throw new ApiError({ code: 'BAD_RESPONSE', message: `watch event without type and object: ${line.slice(0, 80)}` });
  }
  return { type: event.type, object: event.object };
}
