import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { NAMESPACES, type Namespace } from '../../src/kube/projections.ts';
import { decodePod } from '../../src/kube/proto/pods.ts';
import { UnknownFieldError } from '../../src/kube/proto/reader.ts';
import { Reflector, type ReflectorOptions } from '../../src/kube/reflector.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { bytes, envelope, frame, int, map, message } from './support/protobuf.ts';
import { recorder, until } from './support/recorder.ts';
import {
  type Script,
  ScriptedServer,
  type SeenRequest,
  sendJson,
  sendStatus,
  statusObject,
  watchLine,
} from './support/scripted-server.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server, a reflector of Namespaces at it with a fake clock, and what its handler was told. */
async function reflect(script: Script, options: Partial<ReflectorOptions<Namespace>> = {}) {
  const server = await ScriptedServer.start(script);
  cleanups.push(() => server.stop());
  const clock = new FakeClock();
  const client = createKubeClient(server.access(), { userAgent: 'test', logger: silentLogger, clock });
  cleanups.push(() => client.close());
  const relists: string[] = [];
  const counts = { skipped: 0, handlerFailed: 0 };
  const reflector = new Reflector<Namespace>({
    client,
    resource: NAMESPACES,
    logger: silentLogger,
    clock,
    random: () => 0,
    observer: {
      relist: (reason) => relists.push(reason),
      skipped: () => counts.skipped++,
      handlerFailed: () => counts.handlerFailed++,
    },
    ...options,
  });
  cleanups.push(() => reflector.stop());
  const handler = recorder<Namespace>();
  reflector.addHandler(handler);
  const names = () => [...reflector.store.list()].map((o) => `${o.metadata.name}@${o.metadata.resourceVersion}`).sort();
  reflector.start();
  return { server, clock, reflector, calls: handler.calls, names, relists, counts };
}

const ns = (name: string, resourceVersion: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, uid: `uid-${name}`, resourceVersion },
});
const added = (name: string, rv: string) => watchLine('ADDED', ns(name, rv));
const modified = (name: string, rv: string) => watchLine('MODIFIED', ns(name, rv));
const deleted = (name: string, rv: string) => watchLine('DELETED', ns(name, rv));
const bookmark = (rv: string) => watchLine('BOOKMARK', { kind: 'Namespace', metadata: { resourceVersion: rv } });
const endOfInitial = (rv: string) =>
  watchLine('BOOKMARK', { metadata: { resourceVersion: rv, annotations: { 'k8s.io/initial-events-end': 'true' } } });
const list = (rv: string, objects: object[], continueToken?: string) => ({
  kind: 'NamespaceList',
  metadata: { resourceVersion: rv, ...(continueToken && { continue: continueToken }) },
  items: objects,
});

/** Answers a watch: writes the lines and leaves it open. */
function stream(response: ServerResponse, ...lines: (string | Buffer)[]): ServerResponse {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  for (const line of lines) response.write(line);
  return response;
}

const isWatchList = (request: SeenRequest) => request.query.get('sendInitialEvents') === 'true';
const isWatch = (request: SeenRequest) => request.query.get('watch') === 'true' && !isWatchList(request);
const versionOf = (request: SeenRequest | undefined) => request?.query.get('resourceVersion');

describe('filling the cache', () => {
  it('by a watch-list: one request, objects told as initial ones, then changes from the same stream', async () => {
    const { server, reflector, calls, names } = await reflect((_request, response) =>
      stream(
        response,
        added('a', '1'),
        added('b', '2'),
        endOfInitial('5'),
        modified('a', '6'),
        deleted('b', '7'),
        added('c', '8'),
      ),
    );
    await reflector.synced;
    await until(() => calls.length === 5);
    expect(calls).toEqual(['add a@1 initial', 'add b@2 initial', 'update a 1->6', 'delete b@7', 'add c@8']);
    expect(names()).toEqual(['a@6', 'c@8']);
    expect(server.requests).toHaveLength(1);
    const { query, path } = server.requests[0] as SeenRequest;
    expect(path).toBe('/api/v1/namespaces');
    expect(Object.fromEntries(query)).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
    });
    expect(reflector.status()).toMatchObject({
      phase: 'watching',
      synced: true,
      objects: 2,
      resourceVersion: '8',
      lastEventAgeMs: 0,
    });
  });

  it('by pages of 500 where watch-list is not served, and remembers that', async () => {
    let epoch = 0;
    const { server, reflector, calls, relists } = await reflect((request, response) => {
      if (isWatchList(request)) return sendStatus(response, 422, 'Invalid', 'sendInitialEvents is forbidden');
      if (isWatch(request)) return epoch++ === 0 ? sendStatus(response, 410, 'Expired', 'x') : stream(response);
      if (request.query.get('continue') === 't1') return sendJson(response, 200, list('10', [ns('b', '2')]));
      return sendJson(response, 200, list('10', [ns('a', '1')], 't1'));
    });
    await reflector.synced;
    await server.seen(7);
    expect(calls).toEqual(['add a@1 initial', 'add b@2 initial']);
    expect(server.requests.map((r) => [r.query.get('limit'), r.query.get('continue'), versionOf(r)])).toEqual([
      [null, null, null],
      ['500', null, null],
      ['500', 't1', null],
      [null, null, '10'],
      ['500', null, null],
      ['500', 't1', null],
      [null, null, '10'],
    ]);
    expect(relists).toEqual(['start', 'watch-list-unsupported', 'gone']);
  });

  it('is not seen by readers before it is complete', async () => {
    let response: ServerResponse | undefined;
    const { reflector, names } = await reflect((_request, r) => {
      response = stream(r, added('a', '1'));
    });
    await until(() => reflector.status().lastEventAgeMs !== undefined);
    expect(names()).toEqual([]);
    response?.write(endOfInitial('2'));
    await reflector.synced;
    expect(names()).toEqual(['a@1']);
  });

  it('takes changes between the initial objects into account', async () => {
    const { reflector, calls } = await reflect((_request, response) =>
      stream(response, added('a', '1'), added('b', '2'), deleted('a', '3'), modified('b', '4'), endOfInitial('5')),
    );
    await reflector.synced;
    expect(calls).toEqual(['add b@4 initial']);
  });

  it('falls back to pages from a server that stays silent', async () => {
    const { server, clock, reflector, names } = await reflect((request, response) => {
      if (isWatchList(request) || isWatch(request)) return stream(response);
      return sendJson(response, 200, list('10', [ns('a', '1')]));
    });
    await until(() => reflector.status().phase === 'watch-listing' && server.requests.length === 1);
    await until(() => (clock.nextTimerIn ?? 0) === 30_000);
    await clock.advance(30_000);
    await reflector.synced;
    expect(names()).toEqual(['a@1']);
  });

  it('is waited for when the server does not know the kind, unless that counts as empty', async () => {
    const unknown: Script = (_request, response) =>
      sendStatus(response, 404, 'NotFound', 'the server could not find it');
    const strict = await reflect(unknown);
    await until(() => strict.reflector.status().phase === 'backing-off');
    expect(strict.reflector.status().synced).toBe(false);
    const lenient = await reflect(
      (request, response, index) =>
        index === 0 ? unknown(request, response, index) : stream(response, added('a', '1'), endOfInitial('2')),
      {
        absentIsEmpty: true,
      },
    );
    await lenient.reflector.synced;
    expect(lenient.reflector.store.size).toBe(0);
    await until(() => lenient.reflector.status().phase === 'backing-off');
    await lenient.clock.advance(800);
    await until(() => lenient.calls.length === 1);
    expect(lenient.calls).toEqual(['add a@1 initial']);
  });

  it('passes selectors and the namespace on', async () => {
    const { server } = await reflect((_request, response) => stream(response), {
      labelSelector: 'a=b,!c',
      fieldSelector: 'metadata.name=x',
    });
    await server.seen(1);
    expect(server.requests[0]?.query.get('labelSelector')).toBe('a=b,!c');
    expect(server.requests[0]?.query.get('fieldSelector')).toBe('metadata.name=x');
  });
});

describe('losing the watch', () => {
  /** Fills the cache with a and b at version 5, then answers further watches by the given scripts, one after the other. */
  const then =
    (...next: Script[]): Script =>
    (request, response, index) =>
      index === 0
        ? stream(response, added('a', '1'), added('b', '2'), endOfInitial('5'), bookmark('6')).end()
        : next[index - 1]?.(request, response, index);

  it('by a clean close continues from the last version, bookmarks included, without a listing', async () => {
    const { server, calls, reflector, relists } = await reflect(
      then(
        (_request, response) => stream(response, modified('a', '7')).end(),
        (_request, response) => stream(response, modified('a', '8')),
      ),
    );
    await reflector.synced;
    await until(() => calls.length === 4);
    expect(server.requests.map(versionOf)).toEqual([null, '6', '7']);
    expect(calls.slice(2)).toEqual(['update a 1->7', 'update a 7->8']);
    expect(relists).toEqual(['start']);
  });

  it('by 410 as status lists anew, and tells what was missed: deletes with the last state known', async () => {
    const { server, calls, relists, names } = await reflect(
      then(
        (_request, response) => sendStatus(response, 410, 'Expired', 'too old resource version'),
        (_request, response) => stream(response, added('a', '9'), added('c', '8'), endOfInitial('10')),
      ),
    );
    await until(() => calls.length === 5);
    expect(calls.slice(2)).toEqual(['delete b@2 unknown', 'update a 1->9', 'add c@8']);
    expect(names()).toEqual(['a@9', 'c@8']);
    expect(relists).toEqual(['start', 'gone']);
    expect(versionOf(server.requests[2])).toBeNull();
  });

  it('by 410 within the stream does the same', async () => {
    const { calls, relists } = await reflect(
      then(
        (_request, response) =>
          stream(response, watchLine('ERROR', statusObject(410, 'Expired', 'too old resource version: 6 (9)'))),
        (_request, response) => stream(response, added('a', '1'), endOfInitial('10')),
      ),
    );
    await until(() => calls.length === 3);
    expect(calls.slice(2)).toEqual(['delete b@2 unknown']);
    expect(relists).toEqual(['start', 'gone']);
  });

  it('by a reset in the middle of an event waits, and continues from the last whole event', async () => {
    const { server, clock, calls } = await reflect(
      then(
        (_request, response) => {
          stream(response, modified('a', '7'));
          response.write(modified('b', '8').slice(0, 20), () => setImmediate(() => server.reset()));
        },
        (_request, response) => stream(response, modified('b', '8')),
      ),
    );
    await until(() => calls.length === 3 && clock.nextTimerIn === 800);
    expect(server.requests).toHaveLength(2);
    await clock.advance(800);
    await until(() => calls.length === 4);
    expect(versionOf(server.requests[2])).toBe('7');
    expect(calls.slice(2)).toEqual(['update a 1->7', 'update b 2->8']);
  });

  it('by an end in the middle of an event is not taken for a clean close', async () => {
    const { server, clock, reflector } = await reflect(
      then(
        (_request, response) => stream(response, modified('a', '7').slice(0, 30)).end(),
        (_request, response) => stream(response),
      ),
    );
    await until(() => clock.nextTimerIn === 800);
    expect(reflector.status().lastError).toMatch('watch ended within an event');
    await clock.advance(800);
    await server.seen(3);
    expect(versionOf(server.requests[2])).toBe('6');
  });

  it('by 429 waits as long as the server asks for', async () => {
    const { server, clock, reflector } = await reflect(
      then(
        (_request, response) => sendStatus(response, 429, 'TooManyRequests', 'x', { headers: { 'retry-after': '20' } }),
        (_request, response) => stream(response),
      ),
    );
    await until(() => reflector.status().phase === 'backing-off');
    await clock.advance(19_999);
    expect(server.requests).toHaveLength(2);
    await clock.advance(1);
    await server.seen(3);
    expect(versionOf(server.requests[2])).toBe('6');
  });

  it('by another ERROR event waits, and continues from the last version', async () => {
    const { server, clock, reflector } = await reflect(
      then(
        (_request, response) =>
          stream(response, watchLine('ERROR', statusObject(500, 'InternalError', 'etcd is away'))),
        (_request, response) => stream(response),
      ),
    );
    await until(() => reflector.status().phase === 'backing-off');
    expect(reflector.status().lastError).toContain('etcd is away');
    await clock.advance(800);
    await server.seen(3);
    expect(versionOf(server.requests[2])).toBe('6');
  });

  it('by silence beyond the server time limit and 5 seconds opens it anew', async () => {
    const { server, clock, reflector } = await reflect(
      then(
        (_request, response) => stream(response),
        (_request, response) => stream(response),
      ),
    );
    await until(() => server.requests.length === 2 && clock.nextTimerIn === 305_000);
    expect(server.requests[1]?.query.get('timeoutSeconds')).toBe('300');
    await clock.advance(305_000);
    await server.seen(3);
    expect(versionOf(server.requests[2])).toBe('6');
    expect(reflector.status().failures).toBe(0);
  });

  it('again and again, at once and without news, does not become a hot loop', async () => {
    const { server, clock } = await reflect((_request, response, index) =>
      index === 0 ? stream(response, endOfInitial('5')).end() : stream(response).end(),
    );
    await until(() => clock.nextTimerIn === 800);
    await clock.advance(800);
    await until(() => clock.nextTimerIn === 1600);
    expect(server.requests).toHaveLength(3);
  });

  it('to a server that is away goes on trying until it is back', async () => {
    let away = false;
    const { server, clock, reflector, calls } = await reflect((_request, response, index) => {
      if (away) return response.destroy();
      if (index === 0) return stream(response, added('a', '1'), endOfInitial('5'));
      return stream(response, modified('a', '9'));
    });
    await reflector.synced;
    away = true;
    server.reset();
    for (let i = 0; i < 12; i++) {
      await until(() => reflector.status().phase === 'backing-off');
      await clock.advance(30_000);
    }
    expect(reflector.status()).toMatchObject({ synced: true, objects: 1, resourceVersion: '5' });
    away = false;
    await until(() => reflector.status().phase === 'backing-off');
    await clock.advance(30_000);
    await until(() => calls.length === 2);
    expect(calls).toEqual(['add a@1 initial', 'update a 1->9']);
  });
});

describe('listing by pages', () => {
  const paged = { watchList: false };

  it('starts over in one piece when a page has expired', async () => {
    const { server, reflector, names } = await reflect((request, response) => {
      if (isWatch(request)) return stream(response);
      if (request.query.get('continue')) return sendStatus(response, 410, 'Expired', 'continue token is too old');
      if (request.query.get('limit')) return sendJson(response, 200, list('10', [ns('a', '1')], 't1'));
      return sendJson(response, 200, list('12', [ns('b', '11')]));
    }, paged);
    await reflector.synced;
    await server.seen(4);
    expect(names()).toEqual(['b@11']);
    expect(server.requests.map((r) => r.query.get('limit'))).toEqual(['500', '500', null, null]);
    expect(versionOf(server.requests[3])).toBe('12');
  });

  it('does not call handlers for objects whose version is the same', async () => {
    const { server, calls, relists } = await reflect((request, response, index) => {
      if (isWatch(request)) return index === 1 ? sendStatus(response, 410, 'Expired', 'x') : stream(response);
      return sendJson(response, 200, list('10', [ns('a', '1'), ns('b', '2')]));
    }, paged);
    await server.seen(4);
    expect(calls).toEqual(['add a@1 initial', 'add b@2 initial']);
    expect(relists).toEqual(['start', 'gone']);
  });

  it('goes on after an answer that is not a list', async () => {
    const { clock, reflector, names } = await reflect((request, response, index) => {
      if (isWatch(request)) return stream(response);
      return index === 0
        ? sendJson(response, 200, { hello: 'world' })
        : sendJson(response, 200, list('10', [ns('a', '1')]));
    }, paged);
    await until(() => reflector.status().phase === 'backing-off');
    expect(reflector.status().lastError).toContain('not a list');
    await clock.advance(800);
    await reflector.synced;
    expect(names()).toEqual(['a@1']);
  });

  it('takes null for an empty list', async () => {
    const { reflector } = await reflect(
      (request, response) =>
        isWatch(request)
          ? stream(response)
          : sendJson(response, 200, { metadata: { resourceVersion: '1' }, items: null }),
      paged,
    );
    await reflector.synced;
    expect(reflector.store.size).toBe(0);
  });
});

describe('what arrives', () => {
  it('may have characters cut anywhere', async () => {
    const bytes = Buffer.from(
      watchLine('ADDED', { metadata: { name: 'a', resourceVersion: '1', labels: { note: '€'.repeat(5) } } }),
    );
    const { reflector } = await reflect(async (_request, response) => {
      stream(response);
      for (const byte of bytes) await new Promise((resolve) => response.write(Buffer.from([byte]), resolve));
      response.write(endOfInitial('2'));
    });
    await reflector.synced;
    expect(reflector.store.get('a')?.metadata.labels).toEqual({ note: '€€€€€' });
  });

  it('is made to share with the version that is cached, where its kind knows how', async () => {
    const versions: string[] = [];
    const resource: typeof NAMESPACES = {
      ...NAMESPACES,
      share: (before, after) => {
        versions.push(`${before.metadata.resourceVersion} ${after.metadata.resourceVersion}`);
        return { ...after, metadata: { ...after.metadata, uid: 'shared' } };
      },
    };
    const script: Script = (_request, response) =>
      stream(response, added('a', '1'), endOfInitial('1'), added('b', '2'), modified('a', '3'), deleted('a', '4'));
    const { reflector } = await reflect(script, { resource });
    await reflector.synced;
    await until(() => reflector.store.get('b') !== undefined && reflector.store.get('a') === undefined);
    expect(versions).toEqual(['1 3']);
    expect(reflector.store.get('b')?.metadata.uid).toBe('uid-b');
  });

  it('is skipped and counted when it has no name, and the others are kept', async () => {
    const { reflector, calls, counts, names } = await reflect((_request, response) =>
      stream(
        response,
        watchLine('ADDED', { metadata: { resourceVersion: '1' } }),
        added('a', '2'),
        endOfInitial('3'),
        watchLine('MODIFIED', { metadata: { name: '', resourceVersion: '4' } }),
        modified('a', '5'),
      ),
    );
    await reflector.synced;
    await until(() => calls.length === 2);
    expect(names()).toEqual(['a@5']);
    expect(counts.skipped).toBe(2);
  });

  it('is skipped and counted when an index function cannot deal with it, however it arrives', async () => {
    const indexers = {
      first: ({ metadata }: Namespace) => {
        if (metadata.name === 'bad') throw new Error('bad name');
        return [metadata.name.charAt(0)];
      },
    };
    for (const watchList of [true, false]) {
      const { reflector, names, counts } = await reflect(
        (request, response) => {
          if (isWatchList(request))
            return stream(response, added('bad', '1'), added('good', '2'), endOfInitial('3'), added('bad', '4'));
          if (isWatch(request)) return stream(response, added('bad', '4'));
          return sendJson(response, 200, list('3', [ns('bad', '1'), ns('good', '2')]));
        },
        { indexers, watchList },
      );
      await until(() => counts.skipped === 2);
      expect(names()).toEqual(['good@2']);
      expect(reflector.status().failures).toBe(0);
    }
  });

  it('of an unknown type is passed over', async () => {
    const { calls } = await reflect((_request, response) =>
      stream(response, endOfInitial('3'), watchLine('SURPRISE', ns('x', '4')), added('a', '5')),
    );
    await until(() => calls.length === 1);
    expect(calls).toEqual(['add a@5']);
  });

  it('reaches every handler even when one throws', async () => {
    const { reflector, calls, counts } = await reflect((_request, response) =>
      stream(response, added('a', '1'), endOfInitial('3')),
    );
    reflector.addHandler({
      onAdd: () => {
        throw new Error('broken');
      },
      onUpdate: () => {},
      onDelete: () => {},
    });
    await reflector.synced;
    expect(calls).toEqual(['add a@1 initial']);
    expect(counts.handlerFailed).toBe(1);
  });

  it('is replayed to a handler that comes later', async () => {
    const { reflector } = await reflect((_request, response) => stream(response, added('a', '1'), endOfInitial('3')));
    await reflector.synced;
    const late = recorder<Namespace>();
    reflector.addHandler(late);
    expect(late.calls).toEqual(['add a@1 initial']);
  });
});

describe('protobuf', () => {
  const PROTOBUF = 'application/vnd.kubernetes.protobuf';
  const meta = (name: string, rv: string) => message(1, bytes(1, name), bytes(5, `uid-${name}`), bytes(6, rv));
  const pod = (name: string, rv: string) => envelope('Pod', meta(name, rv));
  const end = (rv: string) =>
    frame('BOOKMARK', envelope('Pod', message(1, bytes(6, rv), map(12, { 'k8s.io/initial-events-end': 'true' }))));
  const send = (response: ServerResponse, type: string, ...parts: Buffer[]) => {
    response.writeHead(200, { 'content-type': type });
    for (const part of parts) response.write(part);
    return response;
  };
  const pods = { resource: { ...NAMESPACES, decode: (raw: Buffer) => decodePod(raw) } };

  it('is asked for, JSON being good as well, and read where the server speaks it', async () => {
    const { server, calls, names, reflector } = await reflect((_request, response) => {
      send(
        response,
        `${PROTOBUF};stream=watch`,
        frame('ADDED', pod('a', '1')),
        end('2'),
        frame('MODIFIED', pod('a', '3')),
        frame('DELETED', pod('a', '4')),
      );
      response.write(frame('ADDED', pod('b', '5')));
    }, pods);
    await until(() => calls.length === 4);
    expect(server.requests[0]?.headers.accept).toBe(`${PROTOBUF}, application/json`);
    expect(calls).toEqual(['add a@1 initial', 'update a 1->3', 'delete a@4', 'add b@5']);
    expect(names()).toEqual(['b@5']);
    expect(reflector.status().resourceVersion).toBe('5');
  });

  it('is read from pages, and 410 within the stream is understood', async () => {
    const { calls, relists } = await reflect(
      (request, response, index) => {
        if (isWatch(request)) {
          const gone = envelope('Status', bytes(3, 'too old'), bytes(4, 'Expired'), int(6, 410));
          return send(response, `${PROTOBUF};stream=watch`, ...(index === 1 ? [frame('ERROR', gone)] : []));
        }
        const items =
          index === 0 ? [message(2, meta('a', '1')), message(2, meta('b', '2'))] : [message(2, meta('b', '2'))];
        return send(response, PROTOBUF, envelope('PodList', message(1, bytes(2, '10')), ...items)).end();
      },
      { ...pods, watchList: false },
    );
    await until(() => calls.length === 3);
    expect(calls).toEqual(['add a@1 initial', 'add b@2 initial', 'delete a@1 unknown']);
    expect(relists).toEqual(['start', 'gone']);
  });

  it('is not needed: a server that answers in JSON is understood', async () => {
    const { calls } = await reflect((_request, response) => stream(response, added('a', '1'), endOfInitial('2')), pods);
    await until(() => calls.length === 1);
    expect(calls).toEqual(['add a@1 initial']);
  });

  it('tells refusals too', async () => {
    const { reflector, relists } = await reflect((request, response) => {
      if (!isWatchList(request)) return;
      response.writeHead(422, { 'content-type': PROTOBUF });
      response.end(envelope('Status', bytes(3, 'sendInitialEvents is forbidden'), bytes(4, 'Invalid'), int(6, 422)));
    }, pods);
    await until(() => relists.length === 2);
    expect(reflector.status().lastError).toBe('GET /api/v1/namespaces: sendInitialEvents is forbidden (422)');
  });

  it('is given up for JSON, and all listed anew, once an object has a field that would be lost', async () => {
    const exact = (raw: Buffer) => {
      if (raw.includes('new')) throw new UnknownFieldError('field number 99');
      return decodePod(raw);
    };
    const { server, calls, names, relists, counts } = await reflect(
      (request, response) =>
        request.headers.accept?.startsWith(PROTOBUF)
          ? send(response, PROTOBUF, frame('ADDED', pod('a', '1')), end('2'), frame('ADDED', pod('new', '3')))
          : stream(response, added('a', '1'), added('new', '3'), endOfInitial('4')),
      { resource: { ...NAMESPACES, decode: exact } },
    );
    await until(() => calls.length === 2);
    expect(names()).toEqual(['a@1', 'new@3']);
    expect(relists).toEqual(['start', 'gone']);
    expect(counts.skipped).toBe(0);
    expect(server.requests.map(({ headers }) => headers.accept)).toEqual([
      `${PROTOBUF}, application/json`,
      'application/json',
    ]);
  });

  it('objects that cannot be read are skipped and counted', async () => {
    const { calls, counts } = await reflect(
      (_request, response) =>
        send(
          response,
          PROTOBUF,
          frame('ADDED', envelope('Pod', bytes(1, 'x'))),
          frame('ADDED', pod('a', '1')),
          end('2'),
        ),
      pods,
    );
    await until(() => calls.length === 1);
    expect(counts.skipped).toBe(1);
  });
});

describe('stopping', () => {
  it('ends the watch and leaves no timer', async () => {
    const { server, clock, reflector } = await reflect((_request, response) => stream(response, endOfInitial('3')));
    await reflector.synced;
    await reflector.stop();
    expect(reflector.status().phase).toBe('stopped');
    expect(clock.nextTimerIn).toBeUndefined();
    await until(() => server.sockets.size === 0);
  });

  it('cuts a pause short', async () => {
    const { reflector } = await reflect((_request, response) => sendStatus(response, 403, 'Forbidden', 'no'));
    await until(() => reflector.status().phase === 'backing-off');
    await reflector.stop();
    expect(reflector.status().phase).toBe('stopped');
  });

  it('before the first full state rejects synced', async () => {
    const { reflector } = await reflect((_request, response) => stream(response, added('a', '1')));
    const failure = expect(reflector.synced).rejects.toMatchObject({ name: 'AbortError' });
    await reflector.stop();
    await failure;
  });
});
