import { ApiError } from '../errors.ts';
import { turns as sharedTurns, type Turns } from '../turns.ts';
import { MAX_LINE_BYTES, type WatchEvent } from '../watch-lines.ts';
import { openEnvelope } from './envelope.ts';
import { readBareMeta } from './meta.ts';
import { ProtobufError, ProtoReader } from './reader.ts';
import { readStatus } from './status.ts';

/** Bytes of the length, big-endian, before each frame (k8s.io/apimachinery, LengthDelimitedFramer). */
const HEADER = 4;

/** Cuts a stream of bytes into its length-delimited frames. */
export class FrameSplitter {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The frames that `chunk` completes. @throws ApiError BAD_RESPONSE when one is too long. */
  *push(chunk: Buffer): Generator<Buffer, void, void> {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    // Joining once a frame is complete, not with every chunk, keeps large frames linear.
    if (this.#pendingBytes < HEADER || this.#pendingBytes < HEADER + this.#frameLength()) return;
    const bytes = this.#joined();
    let start = 0;
    while (bytes.length - start >= HEADER) {
      const end = start + HEADER + this.#checked(bytes.readUInt32BE(start));
      if (end > bytes.length) break;
      yield bytes.subarray(start + HEADER, end);
      start = end;
    }
    const rest = bytes.subarray(start);
    this.#pending = rest.length > 0 ? [rest] : [];
    this.#pendingBytes = rest.length;
  }

  /** Length of the first pending frame. */
  #frameLength(): number {
    const [first] = this.#pending;
    return this.#checked((first && first.length >= HEADER ? first : this.#joined()).readUInt32BE(0));
  }

  #joined(): Buffer {
    const [first, ...others] = this.#pending;
    if (first && others.length === 0) return first;
    const all = Buffer.concat(this.#pending);
    this.#pending = [all];
    return all;
  }

  #checked(length: number): number {
    if (length <= this.#maxBytes) return length;
    throw new ApiError({ code: 'BAD_RESPONSE', message: `watch event of ${length} bytes` });
  }
}

/**
 * Like `readWatchEvents`, for `application/vnd.kubernetes.protobuf;stream=watch`: objects of ADDED, MODIFIED and DELETED events are the bytes
 * of their message, those of BOOKMARK and ERROR are decoded.
 */
export async function* readWatchFrames(
  stream: AsyncIterable<Buffer>,
  options: { turns?: Turns } = {},
): AsyncGenerator<WatchEvent, void, void> {
  const turns = options.turns ?? sharedTurns;
  const splitter = new FrameSplitter();
  for await (const chunk of stream) {
    for (const frame of splitter.push(chunk)) {
      if (turns.due()) await turns.wait();
      yield decodeEvent(frame);
    }
  }
  if (splitter.pendingBytes > 0) {
    throw new ApiError({
      code: 'BAD_RESPONSE',
      message: `watch ended within an event (${splitter.pendingBytes} bytes of it)`,
    });
  }
}

function decodeEvent(frame: Buffer): WatchEvent {
  try {
    const { type, object } = readEvent(frame);
    const { raw } = openEnvelope(object);
    if (type === 'BOOKMARK') return { type, object: { metadata: readBareMeta(new ProtoReader(raw)) } };
    return { type, object: type === 'ERROR' ? readStatus(new ProtoReader(raw)) : raw };
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause;
    throw new ApiError({ code: 'BAD_RESPONSE', message: `watch event is not protobuf: ${cause.message}`, cause });
  }
}

/** meta/v1 WatchEvent: the type, and the object in a RawExtension. */
function readEvent(frame: Buffer): { type: string; object: Buffer } {
  const reader = new ProtoReader(frame);
  const { end } = reader;
  let type = '';
  let object = frame.subarray(0, 0);
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) type = reader.shared();
    else if (field === 2) {
      const extensionEnd = reader.message();
      for (let inner = reader.next(extensionEnd); inner !== 0; inner = reader.next(extensionEnd)) {
        if (inner === 1) object = reader.slice();
        else reader.skip();
      }
    } else reader.skip();
  }
  return { type, object };
}
