import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/kube/turns.ts';
import { LineSplitter, readWatchEvents, type WatchEvent } from '../../src/kube/watch-lines.ts';

/** Cuts `bytes` at the given places. */
function* cut(bytes: Buffer, places: readonly number[]): Generator<Buffer> {
  let start = 0;
  for (const place of [...places].map((p) => Math.min(p, bytes.length)).sort((a, b) => a - b)) {
    yield bytes.subarray(start, place);
    start = place;
  }
  yield bytes.subarray(start);
}

async function* chunks(...texts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

async function read(stream: AsyncIterable<Buffer>, maxLineBytes?: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of readWatchEvents(stream, maxLineBytes === undefined ? {} : { maxLineBytes }))
    events.push(event);
  return events;
}

describe('the line splitter', () => {
  it('gives the same lines wherever the chunks are cut, also within a character', () => {
    const lines = fc.array(fc.string({ unit: 'grapheme', minLength: 1 }).filter((line) => !line.includes('\n')));
    fc.assert(
      fc.property(lines, fc.array(fc.nat(200)), (expected, places) => {
        const splitter = new LineSplitter();
        const bytes = Buffer.from(expected.map((line) => `${line}\n`).join(''));
        const found = [...cut(bytes, places)].flatMap((chunk) => [...splitter.push(chunk)]);
        expect(found).toEqual(expected);
        expect(splitter.pendingBytes).toBe(0);
      }),
    );
  });

  it('leaves empty lines out', () => {
    expect([...new LineSplitter().push(Buffer.from('\n\na\n\n'))]).toEqual(['a']);
  });

  it('refuses a line beyond the limit, in one chunk or over many', () => {
    const splitter = new LineSplitter(10);
    expect([...splitter.push(Buffer.from('12345'))]).toEqual([]);
    expect([...splitter.push(Buffer.from('67890'))]).toEqual([]);
    expect(() => [...splitter.push(Buffer.from('1'))]).toThrow('more than 10 bytes');
    expect(() => [...new LineSplitter(10).push(Buffer.from('12345678901'))]).toThrow('more than 10 bytes');
  });
});

describe('watch events', () => {
  it('are read one a line', async () => {
    const stream = chunks('{"type":"ADDED","object":{"a":1}}\n{"type":"BOOK', 'MARK","object":{"b":2}}\n');
    expect(await read(stream)).toEqual([
      { type: 'ADDED', object: { a: 1 } },
      { type: 'BOOKMARK', object: { b: 2 } },
    ]);
  });

  it('keep a three-byte character that lies across two chunks', async () => {
    const line = Buffer.from('{"type":"ADDED","object":{"name":"€"}}\n');
    const middle = line.indexOf(0xe2) + 1;
    expect(await read(chunks(line.subarray(0, middle), line.subarray(middle)))).toEqual([
      { type: 'ADDED', object: { name: '€' } },
    ]);
  });

  it.each([
    ['a line that is not JSON', '{"type":"ADDED","object":\n', 'watch event is not JSON'],
    ['a line without a type', '{"object":{}}\n', 'without type and object'],
    ['a line without an object', '{"type":"ADDED"}\n', 'without type and object'],
    ['an end within a line', '{"type":"ADDED","object":{}}', 'ended within an event'],
  ])('%s is a BAD_RESPONSE', async (_, text, message) => {
    await expect(read(chunks(text))).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringContaining(message),
    });
  });
});

describe('turns', () => {
  it('ask for a pause after a slice of work, and go on in a later turn of the event loop', async () => {
    let now = 0;
    const turns = new Turns(10, () => now);
    const log: string[] = [];
    setImmediate(() => log.push('other work'));
    expect(turns.due()).toBe(false);
    now = 9;
    expect(turns.due()).toBe(false);
    now = 10;
    expect(turns.due()).toBe(true);
    await turns.wait();
    log.push('again');
    expect(log).toEqual(['other work', 'again']);
    expect(turns.due()).toBe(false);
  });

  it('let one waiter go on in each turn, in order', async () => {
    const turns = new Turns();
    const log: string[] = [];
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    const workers = ['a', 'b', 'c'].map((name) => turns.wait().then(() => log.push(name)));
    for (let i = 0; i < 3; i++) {
      await turn();
      expect(log).toHaveLength(i + 1);
    }
    await Promise.all(workers);
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('share one slice among all workers', async () => {
    let now = 0;
    const turns = new Turns(10, () => now);
    const log: string[] = [];
    const worker = async (name: string) => {
      for (let i = 0; i < 2; i++) {
        if (turns.due()) await turns.wait();
        log.push(`${name} at ${now}`);
        now += 10;
      }
    };
    await Promise.all([worker('a'), worker('b')]);
    expect(log).toEqual(
      ['a at 0', 'a at 10', 'b at 20', 'b at 30'].sort((x, y) => Number(x.slice(5)) - Number(y.slice(5))),
    );
  });
});
