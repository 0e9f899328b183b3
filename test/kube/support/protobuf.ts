/** Just enough of a protobuf encoder to write messages by hand. */
export type Field = Buffer;

export function varint(value: number | bigint): Buffer {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left > 0n ? low | 0x80 : low);
  } while (left > 0n);
  return Buffer.from(bytes);
}

export function int(field: number, value: number): Field {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

export function bytes(field: number, value: Buffer | string): Field {
  const content = Buffer.from(value);
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

export function message(field: number, ...fields: Field[]): Field {
  return bytes(field, Buffer.concat(fields));
}

export function fixed64(field: number): Field {
  return Buffer.concat([varint((field << 3) | 1), Buffer.alloc(8)]);
}

export function fixed32(field: number): Field {
  return Buffer.concat([varint((field << 3) | 5), Buffer.alloc(4)]);
}

/** A map<string, string>, one entry a message. */
export function map(field: number, entries: Record<string, string>): Field {
  return Buffer.concat(Object.entries(entries).map(([key, value]) => message(field, bytes(1, key), bytes(2, value))));
}

/** `runtime.Unknown` around an object, with the magic number. */
export function envelope(kind: string, ...fields: Field[]): Buffer {
  const type = message(1, bytes(1, 'v1'), bytes(2, kind));
  return Buffer.concat([Buffer.from('k8s\0'), type, message(2, ...fields), bytes(3, ''), bytes(4, '')]);
}

/** A frame of a watch. */
export function frame(type: string, object: Buffer): Buffer {
  const event = Buffer.concat([bytes(1, type), message(2, bytes(1, object))]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}

/** Bytes in pieces of the given sizes, over and over. */
export function* pieces(all: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < all.length; i++) {
    const size = sizes[i % sizes.length] ?? all.length;
    yield all.subarray(at, at + size);
    at += size;
  }
}
