const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Depth of the list object itself, and of the elements' surroundings in its `items`. */
const IN_LIST = 1;
const IN_ITEMS = 2;

/**
 * Cuts the JSON of a Kubernetes list into the JSON texts of its items while it arrives, so that neither the whole text nor the whole
 * parsed list is ever in memory, and no single JSON.parse takes long. It only counts braces and quotes; that the parts are JSON is for
 * JSON.parse to check.
 */
export class ListScanner {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #inItems = false;
  /** The last string directly in the list object: when a `[` comes, that is the key before it. */
  #key: number[] = [];
  /** Bytes of an item that has begun in an earlier chunk. */
  #pending: Buffer[] = [];
  /** All but the items. */
  #envelope: Buffer[] = [];

  /** The items that `chunk` completes. */
  *push(chunk: Buffer): Generator<string, void, void> {
    // Where what is not yet handed on begins: a part of an item, or of the envelope.
    let start = 0;
    const length = chunk.length;
    for (let i = 0; i < length; i++) {
      if (this.#inString) {
        i = this.#skipString(chunk, i);
        continue;
      }
      switch (chunk[i]) {
        case QUOTE:
          this.#inString = true;
          if (this.#depth === IN_LIST) this.#key = [];
          break;
        case OPEN_BRACE:
          if (this.#inItems && this.#depth === IN_ITEMS) start = i;
          this.#depth++;
          break;
        case OPEN_BRACKET:
          this.#depth++;
          if (this.#depth === IN_ITEMS && isItems(this.#key)) {
            this.#inItems = true;
            this.#envelope.push(chunk.subarray(start, i + 1));
          }
          break;
        case CLOSE_BRACE:
          this.#depth--;
          if (this.#inItems && this.#depth === IN_ITEMS) {
            yield this.#item(chunk, start, i + 1);
            start = i + 1;
          }
          break;
        case CLOSE_BRACKET:
          this.#depth--;
          if (this.#inItems && this.#depth === IN_LIST) {
            this.#inItems = false;
            start = i;
          }
          break;
      }
    }
    if (this.#inItems && this.#depth === IN_ITEMS) return;
    (this.#inItems ? this.#pending : this.#envelope).push(chunk.subarray(start));
  }

  /** The JSON text of the list without its items, once all has arrived. */
  envelope(): string {
    return Buffer.concat(this.#envelope).toString('utf8');
  }

  /** Goes to the end of a string, or of the chunk. Returns the last index that was looked at. */
  #skipString(chunk: Buffer, from: number): number {
    const collect = this.#depth === IN_LIST;
    const length = chunk.length;
    for (let i = from; i < length; i++) {
      const byte = chunk[i] as number;
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) {
        this.#inString = false;
        return i;
      }
      if (collect && this.#key.length < 8) this.#key.push(byte);
    }
    return length;
  }

  #item(chunk: Buffer, start: number, end: number): string {
    if (this.#pending.length === 0) return chunk.toString('utf8', start, end);
    this.#pending.push(chunk.subarray(start, end));
    const text = Buffer.concat(this.#pending).toString('utf8');
    this.#pending = [];
    return text;
  }
}

function isItems(key: readonly number[]): boolean {
  return String.fromCharCode(...key) === 'items';
}
