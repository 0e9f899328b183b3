import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/embedded/apiserver/faults.ts';
import { startServer } from './support.ts';

const path = '/api/v1/namespaces/default/configmaps';
const configMaps = { plural: 'configmaps' };

describe('injected faults', () => {
  it.each([
    [403, 'Forbidden', undefined],
    [404, 'NotFound', undefined],
    [409, 'Conflict', undefined],
    [410, 'Expired', undefined],
    [429, 'TooManyRequests', '1'],
    [500, 'InternalError', undefined],
    [503, 'ServiceUnavailable', undefined],
    [504, 'Timeout', undefined],
  ] as [FailureCode, string, string | undefined][])('answer %d %s', async (code, reason, retryAfter) => {
    const { server, call } = await startServer();
    server.faults.failNext(1, { ...configMaps, verb: 'get' }, code);
    const failed = await call('GET', `${path}/a`);
    expect(failed.status).toBe(code);
    expect(failed.body).toMatchObject({ kind: 'Status', status: 'Failure', reason, code });
    expect(failed.headers['retry-after']).toBe(retryAfter);
    expect((await call('GET', `${path}/a`)).body).toMatchObject({ message: 'configmaps "a" not found' });
  });

  it('hit only what they match, as often as they say', async () => {
    const { server, call } = await startServer();
    await call('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
    server.faults.failNext(2, { ...configMaps, verb: 'create', namespace: 'default' }, 429, { retryAfterSeconds: 7 });
    const create = (at: string) => call('POST', at, { metadata: { generateName: 'x-' } });
    expect((await create('/api/v1/namespaces/other/configmaps')).status).toBe(201);
    const first = await create(path);
    expect([first.status, first.headers['retry-after']]).toEqual([429, '7']);
    expect((await create(path)).status).toBe(429);
    expect((await create(path)).status).toBe(201);
    expect(server.requests.writes(configMaps).map(({ status }) => status)).toEqual([201, 429, 429, 201]);
  });

  it('may come after the request has been served, as when an answer is lost', async () => {
    const { server, call } = await startServer();
    server.faults.failNext(1, { ...configMaps, verb: 'create' }, 504, { afterServing: true });
    expect((await call('POST', path, { metadata: { name: 'a' } })).status).toBe(504);
    expect((await call('GET', `${path}/a`)).status).toBe(200);
  });

  it('hold a request until it is let go', async () => {
    const { server, call } = await startServer();
    const hold = server.faults.holdNext({ ...configMaps, verb: 'create' });
    const creation = call('POST', path, { metadata: { name: 'a' } });
    expect(await hold.arrived).toMatchObject({ verb: 'create', namespace: 'default', userAgent: 'unit/1' });
    expect((await call('GET', `${path}/a`)).status).toBe(404);
    hold.release();
    expect((await creation).status).toBe(201);
  });

  it('delay and cut', async () => {
    const { server, call } = await startServer();
    server.faults.delayNext(1, configMaps, 1);
    expect((await call('GET', path)).status).toBe(200);
    server.faults.cutNext(1, configMaps);
    await expect(call('GET', path)).rejects.toThrow();
    expect((await call('GET', path)).status).toBe(200);
  });

  it('drop the watches of one kind', async () => {
    const { server, open } = await startServer();
    const [configs, pods] = [await open(`${path}?watch=1`), await open('/api/v1/pods?watch=1')];
    expect(server.faults.dropWatches('configmaps')).toBe(1);
    await expect(configs.body.text()).rejects.toThrow();
    expect(server.faults.dropWatches()).toBe(1);
    await expect(pods.body.text()).rejects.toThrow();
  });

  it('break a watch in the middle of an event', async () => {
    const { server, call, open } = await startServer();
    const watch = await open(`${path}?watch=1&resourceVersion=${server.faults.revision}`);
    const parts: Buffer[] = [];
    watch.body.on('data', (part: Buffer) => parts.push(part));
    const failed = new Promise((resolve) => watch.body.once('error', resolve));
    expect(server.faults.breakWatches('configmaps')).toBe(1);
    await call('POST', path, { metadata: { name: 'a' } });
    await failed;
    const text = Buffer.concat(parts).toString('utf8');
    expect(text).toMatch(/^\{"type":"ADDED","object":\{/);
    expect(text).not.toContain('\n');
  });

  it('serve one stale list', async () => {
    const { server, call } = await startServer();
    const before = server.faults.revision;
    await call('POST', path, { metadata: { name: 'a' } });
    server.faults.staleListOnce('configmaps', before);
    expect((await call('GET', path)).body).toMatchObject({ metadata: { resourceVersion: String(before) }, items: [] });
    expect((await call('GET', path)).body).toMatchObject({ items: [{ metadata: { name: 'a' } }] });
  });

  it('are forgotten when told so', async () => {
    const { server, call } = await startServer();
    server.faults.failNext(5, {}, 500);
    server.faults.staleListOnce('configmaps', 1);
    server.faults.clear();
    expect((await call('GET', path)).status).toBe(200);
  });
});
