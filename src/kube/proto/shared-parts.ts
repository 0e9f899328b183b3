import { ProtoReader } from './reader.ts';

/** Past this the parts are evidently not repeated ones; starting afresh only costs some sharing. */
const MAX_PARTS = 8192;
/** Longer parts are rarely the same, and their keys would take more room than sharing saves. Bytes. */
const MAX_LENGTH = 1024;

/**
 * One copy of each part that many objects have in common (the labels of all Pods of a ReplicaSet, their containers' ports), found by the
 * bytes that it is encoded in, so that it is decoded once, too. Parts are immutable, as all cached objects are.
 */
export class SharedParts<T> {
  readonly #decode: (reader: ProtoReader) => T;
  readonly #known = new Map<string, T>();

  constructor(decode: (reader: ProtoReader) => T) {
    this.#decode = decode;
  }

  /** @param text the part's bytes, as `ProtoReader.stretch` gives them */
  get(text: string): T {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const part = this.#decode(ProtoReader.ofText(text));
    if (text.length > MAX_LENGTH) return part;
    if (this.#known.size >= MAX_PARTS) this.#known.clear();
    this.#known.set(text, part);
    return part;
  }
}
