/** Longer texts are left to Buffer, whose call costs more than a loop over a few characters. */
const SHORT = 48;

/**
 * Writes protobuf messages from their end to their beginning, so that the length of whatever is nested is known when its header is due:
 * what stands last in a message is written first. One writer serves many messages; it holds on to the room of the largest.
 */
export class ProtoWriter {
  #bytes = Buffer.allocUnsafeSlow(8192);
  /** Where what is written begins. */
  #start = this.#bytes.length;

  /** Forgets what was written. */
  reset(): void {
    this.#start = this.#bytes.length;
  }

  /** How much is written, in bytes. */
  get length(): number {
    return this.#bytes.length - this.#start;
  }

  /** A copy of what is written. */
  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(this.#start));
  }

  /** A length-delimited field around all that was written since `length` was `before`. */
  wrap(field: number, before: number): void {
    this.#varint(this.length - before);
    this.#varint((field << 3) | 2);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#start -= bytes.length;
    this.#bytes.set(bytes, this.#start);
  }

  string(field: number, text: string): void {
    const before = this.length;
    if (text.length > SHORT || !this.#ascii(text)) {
      const size = Buffer.byteLength(text);
      this.#room(size);
      this.#start -= size;
      this.#bytes.write(text, this.#start);
    }
    this.wrap(field, before);
  }

  /** A number without fraction. */
  int(field: number, value: number): void {
    if (value < 0) this.#negative(value);
    else this.#varint(value);
    this.#varint(field << 3);
  }

  bool(field: number, value: boolean): void {
    this.int(field, value ? 1 : 0);
  }

  /** False, and nothing written, when a character takes more than a byte. */
  #ascii(text: string): boolean {
    this.#room(text.length);
    const start = this.#start - text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[start + i] = code;
    }
    this.#start = start;
    return true;
  }

  #varint(value: number): void {
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
    this.#room(size);
    this.#start -= size;
    let at = this.#start;
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[at++] = (rest % 0x80) | 0x80;
    this.#bytes[at] = rest;
  }

  /** Two's complement of 64 bits. */
  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    this.#room(10);
    this.#start -= 10;
    for (let i = 0; i < 10; i++) {
      this.#bytes[this.#start + i] = Number(rest & 0x7fn) | (i < 9 ? 0x80 : 0);
      rest >>= 7n;
    }
  }

  #room(size: number): void {
    if (this.#start >= size) return;
    const { length } = this;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, length + size));
    larger.set(this.#bytes.subarray(this.#start), larger.length - length);
    this.#bytes = larger;
    this.#start = larger.length - length;
  }
}
