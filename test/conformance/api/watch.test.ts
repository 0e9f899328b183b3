import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';

describeWithServers('watch', (server) => {
  const configMaps = async () => `/api/v1/namespaces/${await server.namespace()}/configmaps`;
  const version = async (path: string) => (await server.get(path)).body.metadata.resourceVersion;

  it('delivers every change after a resourceVersion once and in order, even those from before it was opened', async () => {
    const path = await configMaps();
    const resourceVersion = await version(path);
    await server.post(path, { metadata: { name: 'a' }, data: { k: '1' } });
    await server.patch(`${path}/a`, 'merge', { data: { k: '2' } });
    const watch = await server.watch(path, { resourceVersion });
    await server.patch(`${path}/a`, 'merge', { data: { k: '3' } });
    await server.delete(`${path}/a`);
    const events = await watch.take(4);
    expect(events.map(({ type, object }) => [type, object.data.k])).toEqual([
      ['ADDED', '1'],
      ['MODIFIED', '2'],
      ['MODIFIED', '3'],
      ['DELETED', '3'],
    ]);
    expect(events[0]?.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
  });

  it('resource versions grow from event to event, and a deletion has its own', async () => {
    const path = await configMaps();
    const watch = await server.watch(path, { resourceVersion: await version(path) });
    await server.post(path, { metadata: { name: 'a' } });
    await server.patch(`${path}/a`, 'merge', { data: { k: '2' } });
    await server.delete(`${path}/a`);
    const versions = (await watch.take(3)).map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
  });

  it('can be resumed from the version of any event, the deletion included', async () => {
    const path = await configMaps();
    const watch = await server.watch(path, { resourceVersion: await version(path) });
    await server.post(path, { metadata: { name: 'a' } });
    await server.delete(`${path}/a`);
    await server.post(path, { metadata: { name: 'b' } });
    const events = await watch.take(3);
    for (const [i, { object }] of events.entries()) {
      if (i === events.length - 1) break;
      const resumed = await server.watch(path, { resourceVersion: object.metadata.resourceVersion });
      const rest = await resumed.take(events.length - i - 1);
      expect(rest).toEqual(events.slice(i + 1));
    }
  });

  it.each([
    ['no resourceVersion', undefined],
    ['resourceVersion 0', '0'],
  ])('with %s starts with an ADDED event for each object that is there', async (_, resourceVersion) => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'b' } });
    await server.post(path, { metadata: { name: 'a' } });
    const watch = await server.watch(path, { resourceVersion });
    const events = await watch.take(2);
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'ADDED']);
    expect(events.map(({ object }) => object.metadata.name).sort()).toEqual(['a', 'b']);
    await server.delete(`${path}/a`);
    expect((await watch.next()).type).toBe('DELETED');
  });

  it('in one namespace hears nothing of others', async () => {
    const [here, elsewhere] = [await configMaps(), await configMaps()];
    const watch = await server.watch(here, { resourceVersion: await version(here) });
    await server.post(elsewhere, { metadata: { name: 'a' } });
    await server.post(here, { metadata: { name: 'b' } });
    expect((await watch.next()).object.metadata.name).toBe('b');
  });

  it('with a label selector sees objects enter as ADDED and leave as DELETED', async () => {
    const path = await configMaps();
    const watch = await server.watch(path, { resourceVersion: await version(path), labelSelector: 'in=yes' });
    await server.post(path, { metadata: { name: 'a', labels: { in: 'no' } } });
    await server.patch(`${path}/a`, 'merge', { metadata: { labels: { in: 'yes' } } });
    await server.patch(`${path}/a`, 'merge', { data: { k: '1' } });
    await server.patch(`${path}/a`, 'merge', { metadata: { labels: { in: 'no' } }, data: { k: '2' } });
    await server.patch(`${path}/a`, 'merge', { data: { k: '3' } });
    await server.patch(`${path}/a`, 'merge', { metadata: { labels: { in: 'yes' } } });
    await server.delete(`${path}/a`);
    const events = await watch.take(5);
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED']);
  });

  it('with a field selector follows one object, or the Pods of one node', async () => {
    const namespace = await server.namespace();
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    const one = await server.watch(path, { resourceVersion: await version(path), fieldSelector: 'metadata.name=b' });
    const node = await server.watch(path, { resourceVersion: await version(path), fieldSelector: 'spec.nodeName=n1' });
    await server.post(path, { metadata: { name: 'a' }, spec: { ...spec, nodeName: 'n2' } });
    await server.post(path, { metadata: { name: 'b' }, spec });
    expect((await one.next()).object.metadata.name).toBe('b');
    const binding = { metadata: { name: 'b' }, target: { kind: 'Node', name: 'n1' } };
    expect((await server.post(`${path}/b/binding`, binding)).status).toBe(201);
    const entered = await node.next();
    expect([entered.type, entered.object.metadata.name]).toEqual(['ADDED', 'b']);
  });

  it('ends by itself after timeoutSeconds', async () => {
    const path = await configMaps();
    const watch = await server.watch(path, { resourceVersion: await version(path), timeoutSeconds: 1 });
    expect(await watch.rest()).toEqual([]);
    expect(watch.failure).toBeUndefined();
  });

  it('sends a bookmark shortly before its time is over to clients that allow it, and none to others', async () => {
    const path = await configMaps();
    const query = { resourceVersion: await version(path), timeoutSeconds: 5 };
    const [withBookmarks, without] = await Promise.all([
      server.watch(path, { ...query, allowWatchBookmarks: true }),
      server.watch(path, query),
    ]);
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    const [events, plain] = await Promise.all([withBookmarks.rest(), without.rest()]);
    expect(plain.map(({ type }) => type)).toEqual(['ADDED']);
    expect(events.map(({ type }) => type)).toContain('BOOKMARK');
    const bookmark = events.find(({ type }) => type === 'BOOKMARK')?.object;
    expect(bookmark).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
    expect(Number(bookmark?.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(body.metadata.resourceVersion));
    expect(bookmark?.metadata.name).toBeUndefined();
  });

  it('from a version of the future stays silent until then', async () => {
    const path = await configMaps();
    const watch = await server.watch(path, { resourceVersion: '99999999', timeoutSeconds: 1 });
    await server.post(path, { metadata: { name: 'a' } });
    expect(watch.status).toBe(200);
    expect(await watch.rest()).toEqual([]);
  });

  it('of a single object by its path answers the object, not a stream', async () => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'a' } });
    const answer = await server.get(`${path}/a`, { watch: true, timeoutSeconds: 1 });
    expect(answer.body).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'a' } });
  });

  it('a DELETED event shows the last stored state', async () => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'a', finalizers: ['example.com/x'] } });
    await server.delete(`${path}/a`);
    const watch = await server.watch(path, { resourceVersion: await version(path) });
    const last = await server.patch(`${path}/a`, 'merge', { metadata: { finalizers: null }, data: { late: '1' } });
    expect(last.status).toBe(200);
    const { type, object } = await watch.next();
    expect(type).toBe('DELETED');
    // The removal of the last finalizer is not stored: the object goes as it was.
    expect(object.metadata.finalizers).toEqual(['example.com/x']);
    expect(object.data).toBeUndefined();
  });
});

describeWithServers(
  'watch after compaction',
  (server) => {
    it('from a version that is no longer held gets one ERROR event with a 410 Status, and the stream ends', async () => {
      const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
      const { body } = await server.post(path, { metadata: { name: 'a' } });
      await server.patch(`${path}/a`, 'merge', { data: { k: '1' } });
      await server.compact();
      const watch = await server.watch(path, { resourceVersion: body.metadata.resourceVersion });
      expect(watch.status).toBe(200);
      const events = await watch.rest();
      expect(events).toMatchObject([
        {
          type: 'ERROR',
          object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410 },
        },
      ]);
      expect(events[0]?.object.message).toMatch(/^too old resource version: \d+ \(\d+\)$/);
    }, 60_000);

    it('from the version of a list made after the compaction goes on', async () => {
      const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
      await server.post(path, { metadata: { name: 'a' } });
      await server.compact();
      const { resourceVersion } = (await server.get(path)).body.metadata;
      const watch = await server.watch(path, { resourceVersion });
      await server.delete(`${path}/a`);
      expect((await watch.next()).type).toBe('DELETED');
    }, 60_000);
  },
  { compacts: true },
);
