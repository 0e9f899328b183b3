import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';

describeWithServers('optimistic concurrency', (server) => {
  it('an update with a stale resourceVersion is a conflict and changes nothing', async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
    const created = await server.post(path, { metadata: { name: 'a' }, data: { k: '1' } });
    expect(created.status).toBe(201);
    const updated = await server.put(`${path}/a`, { ...created.body, data: { k: '2' } });
    expect(updated.status).toBe(200);
    const stale = await server.put(`${path}/a`, { ...created.body, data: { k: '3' } });
    expect(stale.status).toBe(409);
    expect(stale.body).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      reason: 'Conflict',
      code: 409,
      details: { name: 'a', kind: 'configmaps' },
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    });
    expect((await server.get(`${path}/a`)).body.data).toEqual({ k: '2' });
  });

  it('an update that changes nothing keeps the resourceVersion', async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
    const created = await server.post(path, { metadata: { name: 'a' }, data: { k: '1' } });
    const same = await server.put(`${path}/a`, created.body);
    expect(same.status).toBe(200);
    expect(same.body.metadata.resourceVersion).toBe(created.body.metadata.resourceVersion);
  });

  it('a watch from a resourceVersion delivers every later change once, in order', async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
    const created = await server.post(path, { metadata: { name: 'a' }, data: { k: '1' } });
    const watch = await server.watch(path, { resourceVersion: created.body.metadata.resourceVersion });
    await server.put(`${path}/a`, { metadata: { name: 'a' }, data: { k: '2' } });
    await server.delete(`${path}/a`);
    const events = await watch.take(2);
    expect(events.map((event) => event.type)).toEqual(['MODIFIED', 'DELETED']);
    expect(events[0]?.object.data).toEqual({ k: '2' });
  });
});
