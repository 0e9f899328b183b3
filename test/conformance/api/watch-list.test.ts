import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';

const streaming = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true };
const endMark = { 'k8s.io/initial-events-end': 'true' };

describeWithServers('watch-list (sendInitialEvents)', (server) => {
  const configMaps = async () => `/api/v1/namespaces/${await server.namespace()}/configmaps`;

  it('sends what is there, then a bookmark that says so, then changes', async () => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'a' } });
    await server.post(path, { metadata: { name: 'b' } });
    const before = (await server.get(path)).body.metadata.resourceVersion;
    const watch = await server.watch(path, streaming);
    const events = await watch.until(({ type }) => type === 'BOOKMARK');
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'BOOKMARK']);
    const bookmark = events.at(-1)?.object;
    expect(bookmark?.metadata.annotations).toEqual(endMark);
    expect(Number(bookmark?.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(before));
    await server.delete(`${path}/a`);
    expect((await watch.next()).type).toBe('DELETED');
  });

  it('of nothing sends the bookmark at once', async () => {
    const watch = await server.watch(await configMaps(), streaming);
    const first = await watch.next();
    expect([first.type, first.object.metadata.annotations]).toEqual(['BOOKMARK', endMark]);
  });

  it('the bookmark is an empty object of the kind: an EndpointSlice has null lists', async () => {
    const path = `/apis/discovery.k8s.io/v1/namespaces/${await server.namespace()}/endpointslices`;
    const { object } = await (await server.watch(path, streaming)).next();
    const { resourceVersion } = object.metadata;
    expect(object).toEqual({
      kind: 'EndpointSlice',
      apiVersion: 'discovery.k8s.io/v1',
      metadata: { resourceVersion, annotations: endMark },
      addressType: '',
      endpoints: null,
      ports: null,
    });
  });

  it('without allowWatchBookmarks there is no end mark', async () => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'a' } });
    const watch = await server.watch(path, { ...streaming, allowWatchBookmarks: undefined, timeoutSeconds: 1 });
    expect((await watch.rest()).map(({ type }) => type)).toEqual(['ADDED']);
  });

  it('respects selectors', async () => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'a', labels: { x: '1' } } });
    await server.post(path, { metadata: { name: 'b', labels: { x: '2' } } });
    const watch = await server.watch(path, { ...streaming, labelSelector: 'x=2' });
    const events = await watch.until(({ type }) => type === 'BOOKMARK');
    expect(events.map(({ object }) => object.metadata.name)).toEqual(['b', undefined]);
  });

  it('starts from what is there whatever resourceVersion is named', async () => {
    const path = await configMaps();
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    await server.post(path, { metadata: { name: 'b' } });
    const { resourceVersion } = body.metadata;
    const watch = await server.watch(path, { ...streaming, resourceVersion });
    const events = await watch.until(({ type }) => type === 'BOOKMARK');
    expect(
      events
        .map(({ object }) => object.metadata.name)
        .slice(0, -1)
        .sort(),
    ).toEqual(['a', 'b']);
  });

  it('for a version of the future answers a 504 Status in the stream', async () => {
    const watch = await server.watch(await configMaps(), { ...streaming, resourceVersion: '99999999' });
    const [event] = await watch.rest();
    expect(event).toMatchObject({
      type: 'ERROR',
      object: {
        code: 504,
        reason: 'Timeout',
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
      },
    });
  });

  it('sendInitialEvents=false resumes like a plain watch', async () => {
    const path = await configMaps();
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    await server.post(path, { metadata: { name: 'b' } });
    const { resourceVersion } = body.metadata;
    const watch = await server.watch(path, { ...streaming, sendInitialEvents: false, resourceVersion });
    expect((await watch.next()).object.metadata.name).toBe('b');
  });

  it('sendInitialEvents=false without a resourceVersion starts now', async () => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'a' } });
    const watch = await server.watch(path, { ...streaming, sendInitialEvents: false });
    await server.patch(`${path}/a`, 'merge', { data: { k: '1' } });
    expect((await watch.next()).type).toBe('MODIFIED');
  });

  const needsMatch = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
  it.each([
    [{ watch: true, sendInitialEvents: true }, [needsMatch]],
    [{ watch: true, sendInitialEvents: false }, [needsMatch]],
    [
      { watch: true, sendInitialEvents: true, resourceVersionMatch: 'Exact' },
      [needsMatch, 'Unsupported value: "Exact": supported values: "NotOlderThan"'],
    ],
    [
      { watch: true, resourceVersionMatch: 'NotOlderThan' },
      ['Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'],
    ],
    [{ sendInitialEvents: true }, ['Forbidden: sendInitialEvents is forbidden for list']],
  ])('refuses %j with 422', async (query, messages) => {
    const { status, body } = await server.get(await configMaps(), query);
    expect(status).toBe(422);
    expect(body).toMatchObject({ reason: 'Invalid', details: { group: 'meta.k8s.io', kind: 'ListOptions' } });
    expect(body.details.causes?.map(({ message }) => message)).toEqual(messages);
  });
});
