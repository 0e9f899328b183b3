import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { readListPage } from '../../src/kube/list-page.ts';
import { ListScanner } from '../../src/kube/list-scanner.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { until } from './support/recorder.ts';
import { type Script, ScriptedServer, sendJson, sendStatus } from './support/scripted-server.ts';

/** Scans `text`, cut into chunks of the given sizes over and over. */
function scan(text: string, sizes: readonly number[]): { items: string[]; envelope: string } {
  const scanner = new ListScanner();
  const bytes = Buffer.from(text);
  const items: string[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    items.push(...scanner.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return { items, envelope: scanner.envelope() };
}

describe('the list scanner', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue());

  it('cuts out the items of any list, wherever the chunks and the items stand, and leaves the rest', () => {
    const spaces = fc.constantFrom(undefined, 1);
    fc.assert(
      fc.property(fc.array(object), object, object, sizes, spaces, (items, before, after, chunkSizes, space) => {
        const rest = { ...before, ...after };
        delete rest.items;
        const entries = Object.entries(rest);
        const half = Math.floor(entries.length / 2);
        const list = Object.fromEntries([...entries.slice(0, half), ['items', items], ...entries.slice(half)]);
        const found = scan(JSON.stringify(list, undefined, space), chunkSizes);
        expect(found.items.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(items)));
        expect(JSON.parse(found.envelope)).toEqual(JSON.parse(JSON.stringify({ ...list, items: [] })));
      }),
    );
  });

  it('is not misled by brackets and quotes in strings, nor by other keys and values named items', () => {
    const items = [{ a: '}],{"items":[{"x":"\\"' }, { items: [{ items: [] }] }];
    const found = scan(
      JSON.stringify({ kind: 'items', itemsToo: [{}], metadata: { items: [{}] }, items, remaining: [[{}]] }),
      [7],
    );
    expect(found.items.map((text) => JSON.parse(text))).toEqual(items);
    expect(JSON.parse(found.envelope)).toMatchObject({
      itemsToo: [{}],
      metadata: { items: [{}] },
      items: [],
      remaining: [[{}]],
    });
  });

  it.each(['{"items":null,"a":1}', '{"a":1}', '<html>[{"x"}]</html>', '[]', ''])('gives %s back as it is', (text) => {
    expect(scan(text, [3])).toEqual({ items: [], envelope: text });
  });
});

describe('a page', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function open(script: Script, clock = new FakeClock()) {
    const server = await ScriptedServer.start(script);
    cleanups.push(() => server.stop());
    const client = createKubeClient(server.access(), {
      userAgent: 'test',
      logger: silentLogger,
      clock,
      random: () => 0,
    });
    cleanups.push(() => client.close());
    const { signal } = new AbortController();
    return { server, clock, page: readListPage({ client, path: '/api/v1/pods', query: { limit: 2 }, signal, clock }) };
  }

  async function all(page: AsyncGenerator<unknown, unknown, void>): Promise<{ items: unknown[]; end: unknown }> {
    const items: unknown[] = [];
    for (;;) {
      const { value, done } = await page.next();
      if (done) return { items, end: value };
      items.push(value);
    }
  }

  it('gives its items and what its metadata says', async () => {
    const metadata = { resourceVersion: '7', continue: 'more' };
    const { page } = await open((_request, response) =>
      sendJson(response, 200, { metadata, items: [{ a: 1 }, { b: 2 }] }),
    );
    expect(await all(page)).toEqual({
      items: [{ a: 1 }, { b: 2 }],
      end: { resourceVersion: '7', continueToken: 'more' },
    });
  });

  it('waits and asks again when the server says when', async () => {
    const { page, clock, server } = await open((_request, response, index) =>
      index === 0
        ? sendStatus(response, 429, 'TooManyRequests', 'x', { headers: { 'retry-after': '2' } })
        : sendJson(response, 200, { metadata: { resourceVersion: '7' }, items: [] }),
    );
    const result = all(page);
    await server.seen(1);
    await until(() => clock.nextTimerIn === 2_000);
    await clock.advance(2_000);
    expect(await result).toEqual({ items: [], end: { resourceVersion: '7', continueToken: undefined } });
  });

  it.each([
    ['cut short', '{"metadata":{"resourceVersion":"7"},"items":[{"a":1},{"b"', 'the answer is not a list'],
    ['of items that are not JSON', '{"items":[{a}]}', 'the answer is not a list'],
    ['without a version', '{"items":[]}', 'it has no resourceVersion'],
    ['that is no object', '"x"', 'it has no resourceVersion'],
  ])('%s is a BAD_RESPONSE', async (_, text, message) => {
    const { page } = await open((_request, response) => response.writeHead(200).end(text));
    await expect(all(page)).rejects.toMatchObject({ code: 'BAD_RESPONSE', message: expect.stringContaining(message) });
  });

  it('that does not go on for 30 seconds is a TIMEOUT, a slow one is not', async () => {
    const { page, clock } = await open((_request, response) => response.writeHead(200).write('{"items":[{"a":1},'));
    expect(await page.next()).toEqual({ value: { a: 1 }, done: false });
    const next = expect(page.next()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(30_000);
    await next;
    expect(clock.nextTimerIn).toBeUndefined();
  });
});
