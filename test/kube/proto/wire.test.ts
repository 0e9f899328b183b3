import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ListCutter } from '../../../src/kube/proto/list-cutter.ts';
import { ProtobufError, ProtoReader } from '../../../src/kube/proto/reader.ts';
import { FrameSplitter, readWatchFrames } from '../../../src/kube/proto/watch-frames.ts';
import type { WatchEvent } from '../../../src/kube/watch-lines.ts';
import { bytes, envelope, fixed32, fixed64, frame, int, map, message, pieces, varint } from '../support/protobuf.ts';

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 12 });

describe('the reader', () => {
  it('reads numbers of every size, negative ones too', () => {
    const safe = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.nat());
    fc.assert(
      fc.property(safe, (value) => {
        const reader = new ProtoReader(int(1, value));
        expect(reader.next(reader.end)).toBe(1);
        expect(reader.int()).toBe(value);
        expect(reader.next(reader.end)).toBe(0);
      }),
    );
  });

  it('skips fields of every type', () => {
    const reader = new ProtoReader(
      Buffer.concat([int(1, 300), fixed64(2), bytes(3, 'abc'), fixed32(4), message(5, int(1, 1)), bytes(16, 'end')]),
    );
    const fields: number[] = [];
    for (let field = reader.next(reader.end); field !== 0; field = reader.next(reader.end)) {
      fields.push(field);
      if (field === 16) expect(reader.string()).toBe('end');
      else reader.skip();
    }
    expect(fields).toEqual([1, 2, 3, 4, 5, 16]);
  });

  it.each([
    [
      'a string longer than the message',
      Buffer.concat([varint((1 << 3) | 2), varint(5), Buffer.from('abc')]),
      'cut short',
    ],
    ['a number that does not end', Buffer.from([0x08, 0x80]), 'ends within a field'],
    ['a number of eleven bytes', Buffer.from([0x08, ...Array(10).fill(0x80), 1]), 'more than ten bytes'],
    ['a field with the number 0', Buffer.from([0x02, 0]), 'field number 0'],
    ['a group, which nobody uses', Buffer.from([0x0b]), 'wire type 3'],
  ])('refuses %s', (_, encoded, problem) => {
    const reader = new ProtoReader(encoded);
    const walk = () => {
      for (let field = reader.next(reader.end); field !== 0; field = reader.next(reader.end)) reader.skip();
    };
    expect(walk).toThrow(ProtobufError);
    expect(() => {
      const again = new ProtoReader(encoded);
      for (let field = again.next(again.end); field !== 0; field = again.next(again.end)) again.skip();
    }).toThrow(problem);
  });

  it('takes a stretch of fields with one number as a text that can be read again', () => {
    const entries = { a: 'ä', b: '' };
    const reader = new ProtoReader(Buffer.concat([int(1, 1), map(11, entries), int(12, 5), map(11, { c: 'x' })]));
    expect(reader.next(reader.end)).toBe(1);
    reader.skip();
    expect(reader.next(reader.end)).toBe(11);
    const text = reader.stretch(11, reader.end);
    expect(Buffer.from(text, 'latin1')).toEqual(map(11, entries));
    expect(reader.next(reader.end)).toBe(12);
    expect(reader.int()).toBe(5);
    expect(reader.next(reader.end)).toBe(11);
    const rest = reader.stretch(11, reader.end);
    expect(reader.next(reader.end)).toBe(0);
    const again = ProtoReader.ofText(text + rest);
    const numbers: number[] = [];
    for (let field = again.next(again.end); field !== 0; field = again.next(again.end)) {
      numbers.push(field);
      again.skip();
    }
    expect(numbers).toEqual([11, 11, 11]);
  });

  it('refuses a number where a string is expected', () => {
    const reader = new ProtoReader(int(1, 7));
    reader.next(reader.end);
    expect(() => reader.string()).toThrow('wire type 0 instead of 2');
  });

  it('refuses a nested message that reaches beyond the one around it', () => {
    const reader = new ProtoReader(
      Buffer.concat([message(1, varint((1 << 3) | 2), varint(9)), bytes(2, 'x'.repeat(20))]),
    );
    reader.next(reader.end);
    const end = reader.message();
    reader.next(end);
    reader.skip();
    expect(() => reader.next(end)).toThrow('beyond its message');
  });
});

describe('the frame splitter', () => {
  it('gives the same frames wherever the chunks are cut', () => {
    fc.assert(
      fc.property(texts, sizes, (contents, chunkSizes) => {
        const all = Buffer.concat(
          contents.map((text) => {
            const content = Buffer.from(text);
            const length = Buffer.alloc(4);
            length.writeUInt32BE(content.length);
            return Buffer.concat([length, content]);
          }),
        );
        const splitter = new FrameSplitter();
        const found = [...pieces(all, chunkSizes)].flatMap((chunk) => [...splitter.push(chunk)].map(String));
        expect(found).toEqual(contents);
        expect(splitter.pendingBytes).toBe(0);
      }),
    );
  });

  it('refuses a frame beyond the limit before it has arrived', () => {
    expect(() => [...new FrameSplitter(10).push(Buffer.from([0, 0, 0, 11]))]).toThrow('watch event of 11 bytes');
  });
});

describe('watch frames', () => {
  async function read(...chunks: Buffer[]): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    async function* stream() {
      yield* chunks;
    }
    for await (const event of readWatchFrames(stream())) events.push(event);
    return events;
  }

  it('hold objects as bytes, bookmarks and errors decoded', async () => {
    const metadata = message(1, bytes(6, '42'), map(12, { 'k8s.io/initial-events-end': 'true' }));
    const status = [bytes(2, 'Failure'), bytes(3, 'too old'), bytes(4, 'Expired'), message(5, int(5, 3)), int(6, 410)];
    const events = await read(
      frame('ADDED', envelope('Pod', bytes(1, 'inner'))),
      frame('BOOKMARK', envelope('Pod', metadata)),
      frame('ERROR', envelope('Status', ...status)),
    );
    expect(events).toEqual([
      { type: 'ADDED', object: bytes(1, 'inner') },
      {
        type: 'BOOKMARK',
        object: { metadata: { resourceVersion: '42', annotations: { 'k8s.io/initial-events-end': 'true' } } },
      },
      {
        type: 'ERROR',
        object: {
          kind: 'Status',
          status: 'Failure',
          message: 'too old',
          reason: 'Expired',
          code: 410,
          details: { retryAfterSeconds: 3 },
        },
      },
    ]);
  });

  it.each([
    ['without the magic number', [frame('ADDED', Buffer.from('{}'))], 'does not begin as Kubernetes protobuf'],
    ['that are no messages', [Buffer.from([0, 0, 0, 1, 0x0b])], 'is not protobuf'],
    ['that end within one', [Buffer.from([0, 0, 0, 9, 1])], 'ended within an event'],
  ])('%s are a BAD_RESPONSE', async (_, chunks, problem) => {
    await expect(read(...chunks)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringContaining(problem),
    });
  });
});

describe('the list cutter', () => {
  const listOf = (contents: readonly string[], token = '') =>
    envelope(
      'PodList',
      message(1, bytes(1, ''), bytes(2, '77'), bytes(3, token), int(4, 5)),
      ...contents.map((text) => bytes(2, text)),
    );

  it('gives the same items wherever the chunks are cut, and what the metadata says', () => {
    fc.assert(
      fc.property(texts, sizes, (contents, chunkSizes) => {
        const cutter = new ListCutter();
        const items = [...pieces(listOf(contents, 'more'), chunkSizes)].flatMap((chunk) =>
          [...cutter.push(chunk)].map(String),
        );
        expect(items).toEqual(contents);
        expect(cutter.end()).toEqual({ resourceVersion: '77', continueToken: 'more' });
      }),
    );
  });

  it('takes an empty list without metadata', () => {
    const cutter = new ListCutter();
    expect([...cutter.push(envelope('PodList'))]).toEqual([]);
    expect(cutter.end()).toEqual({ resourceVersion: undefined, continueToken: undefined });
  });

  it('notices when the list is cut short anywhere', () => {
    const whole = listOf(['one', 'two']);
    for (let length = 0; length < whole.length - 4; length++) {
      const cutter = new ListCutter();
      expect(() => {
        for (const _ of cutter.push(whole.subarray(0, length)));
        cutter.end();
      }, `${length} bytes`).toThrow(ProtobufError);
    }
  });

  it('refuses what is not Kubernetes protobuf', () => {
    expect(() => [...new ListCutter().push(Buffer.from('{"kind":"PodList"}'))]).toThrow('does not begin');
  });
});
