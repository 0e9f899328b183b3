import { intern } from '../projections/intern.ts';

/** The bytes are not what the message should be. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** A field that this code does not know, where none may be lost. */
export class UnknownFieldError extends Error {
  override readonly name = 'UnknownFieldError';
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** `list` with `item` at its end; makes the list when there is none yet. */
export function append<I>(list: I[] | undefined, item: I): I[] {
  if (!list) return [item];
  list.push(item);
  return list;
}

/**
 * Walks the fields of a protobuf message (protobuf.dev, "Encoding") in place. Use:
 *
 *     for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
 *       switch (field) {
 *         case 1: name = reader.string(); break;
 *         default: reader.skip();
 *       }
 *     }
 *
 * Each field must be read or skipped once. Nested messages are walked by the same reader up to the end that `message()` returns.
 */
export class ProtoReader {
  readonly #bytes: Buffer;
  #position: number;
  #limit: number;
  #fieldStart = 0;
  #field = 0;
  #wireType = VARINT;
  readonly #exact: boolean;

  /** @param options.exact no field may be passed over as `unknown` */
  constructor(bytes: Buffer, start = 0, end = bytes.length, options: { exact?: boolean } = {}) {
    this.#bytes = bytes;
    this.#position = start;
    this.#limit = end;
    this.#exact = options.exact ?? false;
  }

  /** Over what `stretch` returned. */
  static ofText(text: string): ProtoReader {
    return new ProtoReader(Buffer.from(text, 'latin1'));
  }

  get end(): number {
    return this.#limit;
  }

  /** Number of the next field before `end`, 0 when there is none. */
  next(end: number): number {
    if (this.#position >= end) {
      if (this.#position > end)
        throw new ProtobufError(`a field reaches ${this.#position - end} bytes beyond its message`);
      return 0;
    }
    this.#fieldStart = this.#position;
    const tag = this.#varint();
    this.#wireType = tag & 7;
    const field = tag >>> 3;
    if (field === 0) throw new ProtobufError('field number 0');
    this.#field = field;
    return field;
  }

  /** Skips a field that may be newer than this code. @throws UnknownFieldError where none may be lost */
  unknown(): void {
    if (this.#exact) throw new UnknownFieldError(`field number ${this.#field}`);
    this.skip();
  }

  skip(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#varint();
        return;
      case FIXED64:
        this.#advance(8);
        return;
      case LENGTH_DELIMITED:
        this.#advance(this.#varint());
        return;
      case FIXED32:
        this.#advance(4);
        return;
      default:
        throw new ProtobufError(`wire type ${this.#wireType}`);
    }
  }

  /** An int32 or int64; numbers beyond 2^53 lose precision. */
  int(): number {
    this.#expect(VARINT);
    return this.#varint();
  }

  bool(): boolean {
    return this.int() !== 0;
  }

  string(): string {
    const end = this.message();
    const text = this.#bytes.toString('utf8', this.#position, end);
    this.#position = end;
    return text;
  }

  /** A string that many objects repeat. */
  shared(): string {
    return intern(this.string());
  }

  /** The bytes themselves, not copied. */
  slice(): Buffer {
    const end = this.message();
    const bytes = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }

  /**
   * Skips the current field `field` and those of the same number right behind it, and returns their bytes, a byte a character. Good as a
   * key, and for `ProtoReader.ofText`; texts of several stretches may be joined.
   */
  stretch(field: number, end: number): string {
    const start = this.#fieldStart;
    this.skip();
    let stop = this.#position;
    while (this.next(end) === field) {
      this.skip();
      stop = this.#position;
    }
    this.#position = stop;
    return this.#bytes.toString('latin1', start, stop);
  }

  /** Enters a nested message and returns where it ends. */
  message(): number {
    this.#expect(LENGTH_DELIMITED);
    const length = this.#varint();
    const end = this.#position + length;
    if (length < 0 || end > this.#limit) throw new ProtobufError(`a field of ${length} bytes is cut short`);
    return end;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw new ProtobufError(`wire type ${this.#wireType} instead of ${wireType}`);
  }

  #advance(length: number): void {
    this.#position += length;
    if (length < 0 || this.#position > this.#limit) throw new ProtobufError(`a field of ${length} bytes is cut short`);
  }

  #varint(): number {
    const bytes = this.#bytes;
    let byte = this.#byte(bytes);
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 0x80;
    for (let i = 1; i < 10; i++) {
      byte = this.#byte(bytes);
      value += (byte & 0x7f) * scale;
      // Negative numbers are written in two's complement of 64 bits, whose tenth byte is 1.
      if (byte < 0x80) return i === 9 ? Number(BigInt.asIntN(64, this.#lastTen(bytes))) : value;
      scale *= 0x80;
    }
    throw new ProtobufError('a number of more than ten bytes');
  }

  #byte(bytes: Buffer): number {
    if (this.#position >= this.#limit) throw new ProtobufError('the message ends within a field');
    return bytes[this.#position++] as number;
  }

  #lastTen(bytes: Buffer): bigint {
    let value = 0n;
    for (let i = 1; i <= 10; i++) value = (value << 7n) | BigInt((bytes[this.#position - i] as number) & 0x7f);
    return value;
  }
}
