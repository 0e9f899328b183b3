import { isEnvelope, MAGIC } from './envelope.ts';
import { type ListMeta, readListMeta } from './meta.ts';
import { ProtobufError, ProtoReader } from './reader.ts';

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** Field of the list's bytes in `runtime.Unknown`. */
const RAW = 2;
/** Fields that all list kinds have in common. */
const METADATA = 1;
const ITEMS = 2;

/**
 * Cuts a protobuf list into the messages of its items while it arrives. All lists look alike from outside: magic number, `runtime.Unknown`,
 * in it (field 2) the list, in that metadata (1) and items (2).
 */
export class ListCutter {
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes to come before the next field can be complete; joining chunks earlier would be in vain. */
  #needed = MAGIC.length;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #begun = false;
  #listSeen = false;
  /** Bytes of the list that are still to come; undefined outside of it. */
  #listLeft: number | undefined;
  #meta: ListMeta = { resourceVersion: undefined, continueToken: undefined };

  /** The items that `chunk` completes. @throws ProtobufError */
  *push(chunk: Buffer): Generator<Buffer, void, void> {
    const bytes = this.#gather(chunk);
    if (!bytes) return;
    let position = this.#begun ? 0 : this.#skipMagic(bytes);
    this.#needed = 1;
    for (let field = fieldAt(bytes, position); field; field = fieldAt(bytes, position)) {
      if (this.#listLeft === undefined && field.number === RAW) {
        // The list itself is walked field by field, as it arrives.
        this.#listLeft = field.end - field.start;
        this.#listSeen = true;
        position = field.start;
      } else if (field.end > bytes.length) {
        this.#needed = field.end - position;
        break;
      } else {
        if (this.#listLeft !== undefined) {
          this.#listLeft -= field.end - position;
          if (this.#listLeft < 0) throw new ProtobufError('an item reaches beyond its list');
          if (field.number === ITEMS) yield bytes.subarray(field.start, field.end);
          if (field.number === METADATA) this.#readMeta(bytes, field);
        }
        position = field.end;
      }
      if (this.#listLeft === 0) this.#listLeft = undefined;
    }
    this.#rest = bytes.subarray(position);
  }

  /** What the list's metadata says, once all has arrived. @throws ProtobufError when it was cut short. */
  end(): ListMeta {
    const complete = this.#listSeen && this.#listLeft === undefined;
    if (!complete || this.#rest.length > 0 || this.#waitingBytes > 0) {
      throw new ProtobufError('the list is cut short');
    }
    return this.#meta;
  }

  /** All bytes that are not dealt with, once they are enough to go on. */
  #gather(chunk: Buffer): Buffer | undefined {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#rest.length + this.#waitingBytes < this.#needed) return undefined;
    const alone = this.#rest.length === 0 && this.#waiting.length === 1;
    const bytes = alone ? chunk : Buffer.concat([this.#rest, ...this.#waiting]);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  #skipMagic(bytes: Buffer): number {
    if (!isEnvelope(bytes)) {
      throw new ProtobufError('the list does not begin as Kubernetes protobuf does');
    }
    this.#begun = true;
    return MAGIC.length;
  }

  #readMeta(bytes: Buffer, { start, end }: Field): void {
    this.#meta = readListMeta(new ProtoReader(bytes, start, end), end);
  }
}

interface Field {
  number: number;
  /** Where its content begins and ends; the end may lie beyond what has arrived. */
  start: number;
  end: number;
}

/** The field that begins at `at`; undefined while its tag and length, or its number, are not complete. */
function fieldAt(bytes: Buffer, at: number): Field | undefined {
  const tag = varintAt(bytes, at);
  const second = tag && varintAt(bytes, tag.end);
  if (!second) return undefined;
  const number = tag.value >>> 3;
  switch (tag.value & 7) {
    case VARINT:
      return { number, start: tag.end, end: second.end };
    case LENGTH_DELIMITED:
      return { number, start: second.end, end: second.end + second.value };
    default:
      throw new ProtobufError(`wire type ${tag.value & 7} in a list`);
  }
}

function varintAt(bytes: Buffer, at: number): { value: number; end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: i + 1 };
    scale *= 0x80;
    if (i - at >= 9) throw new ProtobufError('a number of more than ten bytes');
  }
  return undefined;
}
