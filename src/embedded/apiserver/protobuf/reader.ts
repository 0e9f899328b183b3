/** One field as it stands on the wire. */
export interface WireField {
  number: number;
  /** Of a length-delimited or fixed-size field; empty otherwise. */
  bytes: Uint8Array;
  /** Of a varint field; 0 otherwise. */
  value: bigint;
}

const none = new Uint8Array();

/** Reads the wire format of protobuf (protobuf.dev/programming-guides/encoding). */
export class Reader {
  readonly #body: Uint8Array;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  /** @throws RangeError on a body that is cut short or has groups, which the API does not use */
  *fields(): Iterable<WireField> {
    while (this.#at < this.#body.length) {
      const tag = this.#varint();
      const number = Number(tag >> 3n);
      switch (Number(tag & 7n)) {
        case 0:
          yield { number, bytes: none, value: this.#varint() };
          break;
        case 1:
          yield { number, bytes: this.#take(8), value: 0n };
          break;
        case 2:
          yield { number, bytes: this.#take(Number(this.#varint())), value: 0n };
          break;
        case 5:
          yield { number, bytes: this.#take(4), value: 0n };
          break;
        default:
          throw new RangeError(`wire type ${tag & 7n} at byte ${this.#at}`);
      }
    }
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#body[this.#at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError(`no end of a number before byte ${this.#at}`);
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#body.length) throw new RangeError(`a field of ${length} bytes is cut short at byte ${this.#at}`);
    const bytes = this.#body.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
