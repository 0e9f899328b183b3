import { afterEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { ENDPOINT_SLICES, NODES } from '../../src/kube/projections.ts';
import { resourceClient } from '../../src/kube/typed.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { type Script, ScriptedServer, sendJson } from './support/scripted-server.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(script: Script) {
  const server = await ScriptedServer.start(script);
  cleanups.push(() => server.stop());
  const client = createKubeClient(server.access(), { userAgent: 'test', logger: silentLogger });
  cleanups.push(() => client.close());
  return { server, slices: resourceClient(client, ENDPOINT_SLICES), nodes: resourceClient(client, NODES) };
}

const slice = (name: string): EndpointSlice => ({
  metadata: { name, namespace: 'a b' },
  addressType: 'IPv4',
  endpoints: [],
  ports: [],
});
/** Answers with what was sent, as a server that stores it. */
const echo: Script = (request, response) =>
  sendJson(response, 200, { ...JSON.parse(request.body || '{}'), endpoints: null });
const BASE = '/apis/discovery.k8s.io/v1/namespaces/a%20b/endpointslices';

describe('writing', () => {
  it('creates at the collection, with version and kind filled in, and gives back the projected object', async () => {
    const { server, slices } = await serve(echo);
    const created = await slices.create(slice('x'));
    expect(created.endpoints).toEqual([]);
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: BASE });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
    });
  });

  it('updates an object, or its subresource, at its name', async () => {
    const { server, slices } = await serve(echo);
    await slices.update(slice('x'));
    await slices.update(slice('x'), 'status');
    expect(server.requests.map((r) => [r.method, r.path])).toEqual([
      ['PUT', `${BASE}/x`],
      ['PUT', `${BASE}/x/status`],
    ]);
  });

  it('patches by every type', async () => {
    const { server, slices } = await serve((_request, response) => sendJson(response, 200, slice('x')));
    await slices.patch('a b', 'x', { metadata: { labels: { a: null } } }, 'merge');
    await slices.patch('a b', 'x', slice('x'), 'apply', { fieldManager: 'me', force: true });
    expect(server.requests[0]).toMatchObject({
      method: 'PATCH',
      path: `${BASE}/x`,
      body: '{"metadata":{"labels":{"a":null}}}',
    });
    expect(Object.fromEntries(server.requests[1]?.query ?? [])).toEqual({ fieldManager: 'me', force: 'true' });
  });

  it('deletes, with conditions only when there are any', async () => {
    const { server, slices } = await serve((_request, response) => sendJson(response, 200, { kind: 'Status' }));
    await slices.delete('a b', 'x');
    await slices.delete('a b', 'x', { preconditions: { uid: 'u', resourceVersion: '3' }, gracePeriodSeconds: 0 });
    expect(server.requests.map((r) => r.method)).toEqual(['DELETE', 'DELETE']);
    expect(server.requests[0]?.body).toBe('');
    expect(JSON.parse(server.requests[1]?.body ?? '')).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid: 'u', resourceVersion: '3' },
      gracePeriodSeconds: 0,
    });
  });
});

describe('reading', () => {
  it('gets a cluster-scoped object', async () => {
    const { server, nodes } = await serve((_request, response) =>
      sendJson(response, 200, { metadata: { name: 'n/1' } }),
    );
    expect(await nodes.get(undefined, 'n/1')).toEqual({ metadata: { name: 'n/1' }, spec: {}, status: {} });
    expect(server.requests[0]?.path).toBe('/api/v1/nodes/n%2F1');
  });

  it('lists page by page, and only as far as it is asked', async () => {
    const { server, slices } = await serve((request, response) => {
      const token = request.query.get('continue');
      const metadata = { resourceVersion: '1', continue: token === 't2' ? '' : token === 't1' ? 't2' : 't1' };
      sendJson(response, 200, { metadata, items: [slice(token ?? 'first')] });
    });
    const names: string[] = [];
    for await (const object of slices.list({ labelSelector: 'a=b', limit: 1 })) names.push(object.metadata.name);
    expect(names).toEqual(['first', 't1', 't2']);
    expect(server.requests[0]?.path).toBe('/apis/discovery.k8s.io/v1/endpointslices');
    expect(Object.fromEntries(server.requests[1]?.query ?? [])).toEqual({
      labelSelector: 'a=b',
      limit: '1',
      continue: 't1',
    });
    for await (const _ of slices.list({ namespace: 'a b' })) break;
    expect(server.requests).toHaveLength(4);
  });

  it('refuses an answer that is not a list', async () => {
    const { slices } = await serve((_request, response) => sendJson(response, 200, { items: 1 }));
    await expect(slices.list().next()).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });
});
