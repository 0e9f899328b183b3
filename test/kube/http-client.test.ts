import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError, isApiError, KubeconfigError } from '../../src/kube/errors.ts';
import { createKubeClient, type KubeClientOptions } from '../../src/kube/http-client.ts';
import type { ClusterAccess } from '../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { accessTo, type Script, ScriptedServer, sendJson, sendStatus } from './support/scripted-server.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(script: Script, tls?: Parameters<typeof ScriptedServer.start>[1]): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(script, tls);
  cleanups.push(() => server.stop());
  return server;
}

function clientOf(access: ClusterAccess, options: Partial<KubeClientOptions> = {}): KubeClient {
  const client = createKubeClient(access, { userAgent: 'test/1', logger: silentLogger, random: () => 0, ...options });
  cleanups.push(() => client.close());
  return client;
}

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ApiError) return error;
  throw new Error(`expected an ApiError, got ${error}`);
}

const pems = () =>
  generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });

const get = { method: 'GET', path: '/api/v1/pods' } as const;

describe('a request', () => {
  it('sends method, path below the base path, query, body and headers, and decodes the answer', async () => {
    const server = await serve((_request, response) => sendJson(response, 201, { kind: 'Pod' }));
    const client = clientOf(
      accessTo(`${server.url}/base`, {
        headers: { 'impersonate-user': 'jane' },
        authorization: () => Promise.resolve('Bearer t'),
      }),
    );
    const body = { metadata: { name: 'ä' } };
    const query = { fieldManager: 'x&y', dryRun: undefined, force: true };
    expect(await client.request({ method: 'POST', path: '/api/v1/namespaces/a/pods', query, body })).toEqual({
      kind: 'Pod',
    });
    const [seen] = server.requests;
    expect(seen?.method).toBe('POST');
    expect(seen?.path).toBe('/base/api/v1/namespaces/a/pods');
    expect(Object.fromEntries(seen?.query ?? [])).toEqual({ fieldManager: 'x&y', force: 'true' });
    expect(JSON.parse(seen?.body ?? '')).toEqual(body);
    expect(seen?.headers).toMatchObject({
      'user-agent': 'test/1',
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: 'Bearer t',
      'impersonate-user': 'jane',
    });
    expect(seen?.headers['accept-encoding']).toBeUndefined();
  });

  it.each([
    ['merge', 'application/merge-patch+json'],
    ['strategic', 'application/strategic-merge-patch+json'],
    ['json', 'application/json-patch+json'],
    ['apply', 'application/apply-patch+yaml'],
  ] as const)('names the media type of a %s patch', async (patchType, mediaType) => {
    const server = await serve((_request, response) => sendJson(response, 200, {}));
    await clientOf(server.access()).request({ method: 'PATCH', path: '/p', body: {}, patchType });
    expect(server.requests[0]?.headers['content-type']).toBe(mediaType);
  });

  it('resolves with undefined for an empty answer', async () => {
    const server = await serve((_request, response) => response.writeHead(200).end());
    expect(await clientOf(server.access()).request(get)).toBeUndefined();
  });

  it('reuses connections for calls that follow each other', async () => {
    const server = await serve((_request, response) => sendJson(response, 200, {}));
    const client = clientOf(server.access());
    for (let i = 0; i < 20; i++) await client.request(get);
    // A connection is free again just after the last byte was handed over, so the next call may take a second one.
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it('opens no more connections for calls than allowed', async () => {
    const server = await serve((_request, response) => sendJson(response, 200, {}));
    const client = clientOf(server.access(), { connections: 3 });
    await Promise.all(Array.from({ length: 30 }, () => client.request(get)));
    expect(server.connections).toBeLessThanOrEqual(3);
  });
});

describe('a failure', () => {
  it.each([
    [400, 'BadRequest', 'BAD_REQUEST'],
    [401, 'Unauthorized', 'UNAUTHORIZED'],
    [403, 'Forbidden', 'FORBIDDEN'],
    [404, 'NotFound', 'NOT_FOUND'],
    [409, 'Conflict', 'CONFLICT'],
    [409, 'AlreadyExists', 'ALREADY_EXISTS'],
    [410, 'Expired', 'GONE'],
    [422, 'Invalid', 'INVALID'],
    [429, 'TooManyRequests', 'TOO_MANY_REQUESTS'],
    [500, 'InternalError', 'SERVER_ERROR'],
    [503, 'ServiceUnavailable', 'SERVER_ERROR'],
    [504, 'Timeout', 'TIMEOUT'],
  ])('with status %i and reason %s has the code %s', async (status, reason, code) => {
    const server = await serve((_request, response) => sendStatus(response, status, reason, 'because'));
    const error = await failureOf(clientOf(server.access()).request(get));
    expect(error).toMatchObject({ code, httpStatus: status, message: `GET /api/v1/pods: because (${status})` });
    expect(error.status?.reason).toBe(reason);
  });

  it('carries the causes that the server names', async () => {
    const details = { causes: [{ reason: 'NamespaceTerminating', message: 'x', field: 'metadata.namespace' }] };
    const server = await serve((_request, response) => sendStatus(response, 403, 'Forbidden', 'no', { details }));
    const error = await failureOf(clientOf(server.access()).request(get));
    expect(error.hasCause('NamespaceTerminating')).toBe(true);
    expect(error.hasCause('FieldValueInvalid')).toBe(false);
  });

  it('that is a page of HTML from a proxy in between is told in one line', async () => {
    const server = await serve((_request, response) =>
      response.writeHead(502).end('<html>\n<b>Bad\nGateway</b></html>'),
    );
    const error = await failureOf(clientOf(server.access()).request(get));
    expect(error).toMatchObject({
      code: 'SERVER_ERROR',
      message: 'GET /api/v1/pods: <html> <b>Bad Gateway</b></html> (502)',
    });
  });

  it('to send JSON is a BAD_RESPONSE', async () => {
    const server = await serve((_request, response) => response.writeHead(200).end('{"kind": '));
    expect(await failureOf(clientOf(server.access()).request(get))).toMatchObject({ code: 'BAD_RESPONSE' });
  });

  it('to connect names the server', async () => {
    const server = await serve(() => {});
    await server.stop();
    const error = await failureOf(clientOf(server.access()).request(get));
    expect(error).toMatchObject({ code: 'UNREACHABLE', message: `cannot reach ${server.url}: connection refused` });
  });

  it('to resolve the name says so', async () => {
    const error = await failureOf(clientOf(accessTo('http://nowhere.invalid:1')).request(get));
    expect(error).toMatchObject({ code: 'UNREACHABLE' });
    expect(error.message).toMatch(/^cannot reach http:\/\/nowhere.invalid:1: /);
    expect(error.message).not.toContain('\n');
  });

  it('to have credentials is UNAUTHORIZED and says why', async () => {
    const server = await serve((_request, response) => sendJson(response, 200, {}));
    const authorization = () => Promise.reject(new KubeconfigError('token file /t is empty'));
    const error = await failureOf(clientOf(server.access({ authorization })).request(get));
    expect(error).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(error.message).toContain('token file /t is empty');
    expect(server.requests).toHaveLength(0);
  });

  it('is reported by its status or code to whoever counts attempts', async () => {
    const server = await serve((_request, response) => sendStatus(response, 404, 'NotFound', 'x'));
    const codes: string[] = [];
    const client = clientOf(server.access(), { onAttempt: ({ method, code }) => codes.push(`${method} ${code}`) });
    await failureOf(client.request(get));
    await server.stop();
    await failureOf(client.request({ ...get, method: 'DELETE' }));
    expect(codes).toEqual(['GET 404', 'DELETE UNREACHABLE']);
  });
});

describe('TLS', () => {
  it('works with the right CA', async () => {
    const { cert, private: key } = await pems();
    const server = await serve((_request, response) => sendJson(response, 200, { ok: true }), { cert, key });
    const material = { ca: cert };
    const client = clientOf(server.access({ tls: () => Promise.resolve(material) }));
    expect(await client.request(get)).toEqual({ ok: true });
  });

  it('with the wrong CA is UNREACHABLE and names the server and the reason', async () => {
    const { cert, private: key } = await pems();
    const other = await pems();
    const server = await serve((_request, response) => sendJson(response, 200, {}), { cert, key });
    const error = await failureOf(
      clientOf(server.access({ tls: () => Promise.resolve({ ca: other.cert }) })).request(get),
    );
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toMatch(new RegExp(`^the certificate of ${server.url} is not trusted: .*self.signed`));
  });

  it('towards a plain HTTP server is explained', async () => {
    const server = await serve((_request, response) => sendJson(response, 200, {}));
    const url = server.url.replace('http:', 'https:');
    const error = await failureOf(clientOf(accessTo(url)).request(get));
    expect(error).toMatchObject({
      code: 'UNREACHABLE',
      message: `cannot speak TLS with ${url}: is it an http server?`,
    });
  });
});

describe('the time limit', () => {
  it('ends a call to a server that never answers', async () => {
    const clock = new FakeClock();
    const server = await serve(() => {});
    const failure = failureOf(clientOf(server.access(), { clock, timeoutMs: 5_000 }).request(get));
    await server.seen(1);
    await clock.advance(5_000);
    expect(await failure).toMatchObject({
      code: 'TIMEOUT',
      message: `GET /api/v1/pods: no complete answer from ${server.url} in 5000 ms`,
    });
  });

  it('covers the body', async () => {
    const clock = new FakeClock();
    const headers = Promise.withResolvers<void>();
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"items":[', () => headers.resolve());
    });
    const failure = failureOf(clientOf(server.access(), { clock }).request({ ...get, timeoutMs: 7_000 }));
    await headers.promise;
    await clock.advance(7_000);
    expect(await failure).toMatchObject({ code: 'TIMEOUT' });
  });

  it('leaves no timer behind', async () => {
    const clock = new FakeClock();
    const server = await serve((_request, response) => sendJson(response, 200, {}));
    await clientOf(server.access(), { clock }).request(get);
    expect(clock.nextTimerIn).toBeUndefined();
  });

  it('is not what a caller who aborts gets', async () => {
    const server = await serve(() => {});
    const controller = new AbortController();
    const call = clientOf(server.access()).request({ ...get, signal: controller.signal });
    await server.seen(1);
    controller.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('being turned away', () => {
  const until = (accepted: number, status: number, headers: Record<string, string>): Script => {
    return (_request, response, index) =>
      index < accepted
        ? sendStatus(response, status, 'TooManyRequests', 'later', { headers })
        : sendJson(response, 200, { index });
  };

  it('with 429 and seconds is repeated after them, also for a POST', async () => {
    const clock = new FakeClock();
    const server = await serve(until(2, 429, { 'retry-after': '3' }));
    const call = clientOf(server.access(), { clock }).request({ method: 'POST', path: '/p', body: {} });
    await server.seen(1);
    await clock.advance(2_999);
    expect(server.requests).toHaveLength(1);
    await clock.advance(1);
    await server.seen(2);
    await clock.advance(3_000);
    expect(await call).toEqual({ index: 2 });
  });

  it('with 503 and a date is repeated at that time', async () => {
    const clock = new FakeClock();
    const server = await serve(until(1, 503, { 'retry-after': new Date(clock.now() + 4_000).toUTCString() }));
    const call = clientOf(server.access(), { clock }).request({ method: 'PUT', path: '/p', body: {} });
    await server.seen(1);
    await clock.advance(4_000);
    expect(await call).toEqual({ index: 1 });
  });

  it('with 503 is not repeated for a POST, which may have been carried out', async () => {
    const server = await serve(until(1, 503, { 'retry-after': '1' }));
    const error = await failureOf(clientOf(server.access()).request({ method: 'POST', path: '/p', body: {} }));
    expect(error).toMatchObject({ code: 'SERVER_ERROR', retryAfterMs: 1000 });
    expect(server.requests).toHaveLength(1);
  });

  it('without a Retry-After is not repeated', async () => {
    const server = await serve(until(1, 429, {}));
    expect(await failureOf(clientOf(server.access()).request(get))).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(server.requests).toHaveLength(1);
  });

  it('for longer than the time limit allows fails at once, with the time to wait', async () => {
    const server = await serve(until(1, 429, { 'retry-after': '60' }));
    const error = await failureOf(clientOf(server.access()).request(get));
    expect(error).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterMs: 60_000 });
  });

  it.each([['999999999999'], ['Wed, 21 Oct 2099 07:28:00 GMT']])(
    'until %s, as a wrong clock makes of a date, is believed for ten minutes at most',
    async (retryAfter) => {
      const server = await serve(until(1, 429, { 'retry-after': retryAfter }));
      const error = await failureOf(clientOf(server.access()).request(get));
      expect(error).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterMs: 600_000 });
    },
  );

  it('is repeated only so often', async () => {
    const server = await serve(until(99, 429, { 'retry-after': '0' }));
    expect(await failureOf(clientOf(server.access(), { retries: 3 }).request(get))).toMatchObject({
      code: 'TOO_MANY_REQUESTS',
    });
    expect(server.requests).toHaveLength(4);
  });
});

describe('a broken connection', () => {
  it('is tried once more for a GET', async () => {
    const server = await serve((_request, response, index) => {
      if (index === 0) server.reset();
      else sendJson(response, 200, { index });
    });
    expect(await clientOf(server.access()).request(get)).toEqual({ index: 1 });
  });

  it('is UNREACHABLE for a write, which may have been carried out', async () => {
    const server = await serve(() => server.reset());
    const error = await failureOf(clientOf(server.access()).request({ method: 'PUT', path: '/p', body: {} }));
    expect(error.code).toBe('UNREACHABLE');
    expect(error.message).toContain(`the connection to ${server.url} broke`);
    expect(server.requests).toHaveLength(1);
  });
});

describe('a 401', () => {
  it('is answered with fresh credentials once', async () => {
    let token = 'old';
    const server = await serve((request, response) =>
      request.headers.authorization === 'new'
        ? sendJson(response, 200, { ok: true })
        : sendStatus(response, 401, 'Unauthorized', 'no'),
    );
    const access = server.access({
      authorization: () => Promise.resolve(token),
      refused: () => {
        token = 'new';
        return true;
      },
    });
    expect(await clientOf(access).request(get)).toEqual({ ok: true });
    expect(server.requests.map((r) => r.headers.authorization)).toEqual(['old', 'new']);
  });

  it('is passed on when the fresh ones are refused too', async () => {
    const server = await serve((_request, response) => sendStatus(response, 401, 'Unauthorized', 'no'));
    const error = await failureOf(clientOf(server.access({ refused: () => true })).request(get));
    expect(error.code).toBe('UNAUTHORIZED');
    expect(server.requests).toHaveLength(2);
  });
});

describe('a stream', () => {
  const path = '/api/v1/pods';

  it('resolves with the body once the server has accepted', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200);
      response.write('one\n');
    });
    const controller = new AbortController();
    const body = await clientOf(server.access()).stream({ path, query: { watch: true }, signal: controller.signal });
    const first = await body[Symbol.asyncIterator]().next();
    expect(String(first.value)).toBe('one\n');
    expect(server.requests[0]?.query.get('watch')).toBe('true');
  });

  it('rejects like a request when the server refuses', async () => {
    const server = await serve((_request, response) => sendStatus(response, 410, 'Expired', 'too old'));
    const { signal } = new AbortController();
    expect(await failureOf(clientOf(server.access()).stream({ path, signal }))).toMatchObject({ code: 'GONE' });
  });

  it('passes a 429 on with its Retry-After, and leaves the waiting to the caller', async () => {
    const headers = { 'retry-after': '9' };
    const server = await serve((_request, response) => sendStatus(response, 429, 'TooManyRequests', 'x', { headers }));
    const { signal } = new AbortController();
    const error = await failureOf(clientOf(server.access()).stream({ path, signal }));
    expect(error).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterMs: 9000 });
    expect(server.requests).toHaveLength(1);
  });

  it('has a time limit until the headers, and none after them', async () => {
    const clock = new FakeClock();
    const server = await serve((request, response) => {
      if (request.query.has('watch')) response.writeHead(200).write('x\n');
    });
    const client = clientOf(server.access(), { clock });
    const { signal } = new AbortController();
    const silent = failureOf(client.stream({ path, signal, headersTimeoutMs: 2_000 }));
    await server.seen(1);
    await clock.advance(2_000);
    expect(await silent).toMatchObject({ code: 'TIMEOUT' });
    const body = await client.stream({ path, query: { watch: true }, signal, headersTimeoutMs: 2_000 });
    await clock.advance(3_600_000);
    expect(body.destroyed).toBe(false);
  });

  it('ends with an AbortError when the caller aborts', async () => {
    const server = await serve((_request, response) => response.writeHead(200).write('x\n'));
    const controller = new AbortController();
    const body = await clientOf(server.access()).stream({ path, signal: controller.signal });
    const reading = (async () => {
      for await (const _ of body) controller.abort();
    })();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('does not take a connection from calls', async () => {
    const server = await serve((request, response) => {
      if (request.query.has('watch')) response.writeHead(200).write('x\n');
      else sendJson(response, 200, {});
    });
    const client = clientOf(server.access(), { connections: 1 });
    const { signal } = new AbortController();
    for (let i = 0; i < 5; i++) await client.stream({ path, query: { watch: true }, signal });
    expect(await client.request(get)).toEqual({});
  });
});

describe('a proxy of the kubeconfig', () => {
  it('is asked for tunnels, through which calls and watches go', async () => {
    const { cert, private: key } = await pems();
    const script: Script = (request, response) => {
      if (request.query.has('watch')) response.writeHead(200).write('x\n');
      else sendJson(response, 200, { ok: true });
    };
    const server = await serve(script, { cert, key });
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket, head) => {
      tunnels.push(request.url ?? '');
      const target = new URL(`http://${request.url}`);
      const upstream = connect(Number(target.port), target.hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    cleanups.push(async () => {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    });
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const client = clientOf(server.access({ proxyUrl, tls: () => Promise.resolve({ ca: cert }) }));
    expect(await client.request(get)).toEqual({ ok: true });
    const { signal } = new AbortController();
    const body = await client.stream({ path: '/w', query: { watch: true }, signal });
    expect(String((await body[Symbol.asyncIterator]().next()).value)).toBe('x\n');
    const host = server.url.replace('https://', '');
    expect(tunnels).toEqual([host, host]);
  });
});

describe('a closed client', () => {
  it('rejects calls and ends streams', async () => {
    const server = await serve((_request, response) => response.writeHead(200).write('x\n'));
    const client = clientOf(server.access());
    const { signal } = new AbortController();
    const body = await client.stream({ path: '/w', signal });
    const reading = (async () => {
      for await (const _ of body);
    })();
    const ended = expect(reading).rejects.toThrow('is closed');
    await client.close();
    await ended;
    expect(isApiError(await failureOf(client.request(get)), 'UNREACHABLE')).toBe(true);
    await client.close();
  });
});
