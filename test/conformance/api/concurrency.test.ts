import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';

const modified = 'the object has been modified; please apply your changes to the latest version and try again';

describeWithServers('optimistic concurrency', (server) => {
  const configMaps = async () => `/api/v1/namespaces/${await server.namespace()}/configmaps`;

  it('an update with a stale resourceVersion is a conflict and changes nothing', async () => {
    const path = await configMaps();
    const created = await server.post(path, { metadata: { name: 'a' }, data: { k: '1' } });
    expect(created.status).toBe(201);
    const updated = await server.put(`${path}/a`, { ...created.body, data: { k: '2' } });
    expect(updated.status).toBe(200);
    expect(updated.body.metadata.resourceVersion).not.toBe(created.body.metadata.resourceVersion);
    const stale = await server.put(`${path}/a`, { ...created.body, data: { k: '3' } });
    expect(stale.status).toBe(409);
    expect(stale.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Operation cannot be fulfilled on configmaps "a": ${modified}`,
      reason: 'Conflict',
      details: { name: 'a', kind: 'configmaps' },
      code: 409,
    });
    expect((await server.get(`${path}/a`)).body.data).toEqual({ k: '2' });
  });

  it('of many updates made from the same state exactly one succeeds', async () => {
    const path = await configMaps();
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => server.put(`${path}/a`, { ...body, data: { winner: String(i) } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect((await server.get(`${path}/a`)).body.data).toEqual({ winner: String(winner) });
  });

  it('an update without a resourceVersion replaces whatever is there', async () => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'a', labels: { x: '1' } }, data: { k: '1' } });
    const updated = await server.put(`${path}/a`, { metadata: { name: 'a' }, data: { l: '2' } });
    expect(updated.status).toBe(200);
    expect(updated.body.data).toEqual({ l: '2' });
    expect(updated.body.metadata.labels).toBeUndefined();
  });

  it('a Lease cannot be updated without a resourceVersion', async () => {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${await server.namespace()}/leases`;
    await server.post(path, { metadata: { name: 'a' }, spec: { holderIdentity: 'x' } });
    const updated = await server.put(`${path}/a`, { metadata: { name: 'a' }, spec: { holderIdentity: 'y' } });
    expect(updated.status).toBe(422);
    expect(updated.body.details.causes).toEqual([
      {
        reason: 'FieldValueInvalid',
        message: 'Invalid value: 0: must be specified for an update',
        field: 'metadata.resourceVersion',
      },
    ]);
  });

  it('an update or patch that changes nothing keeps the resourceVersion and is not seen by watches', async () => {
    const path = await configMaps();
    const { body } = await server.post(path, { metadata: { name: 'a', labels: { l: '1' } }, data: { k: '1' } });
    const watch = await server.watch(path, { resourceVersion: body.metadata.resourceVersion });
    const put = await server.put(`${path}/a`, body);
    const merge = await server.patch(`${path}/a`, 'merge', { data: { k: '1' }, metadata: { labels: { l: '1' } } });
    const json = await server.patch(`${path}/a`, 'json', [{ op: 'test', path: '/data/k', value: '1' }]);
    for (const answer of [put, merge, json]) {
      expect(answer.status).toBe(200);
      expect(answer.body.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
    }
    await server.patch(`${path}/a`, 'merge', { data: { k: '2' } });
    expect((await watch.next()).object.data).toEqual({ k: '2' });
  });

  it('an update for another uid is a conflict', async () => {
    const path = await configMaps();
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    const answer = await server.put(`${path}/a`, { metadata: { name: 'a', uid: 'not-this-one' }, data: { k: '1' } });
    expect(answer.status).toBe(409);
    expect(answer.body.message).toContain(
      `Precondition failed: UID in precondition: not-this-one, UID in object meta: ${body.metadata.uid}`,
    );
  });

  it('a patch that names a stale resourceVersion is a conflict, one that names none is not', async () => {
    const path = await configMaps();
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    await server.patch(`${path}/a`, 'merge', { data: { k: '1' } });
    const { resourceVersion } = body.metadata;
    const stale = await server.patch(`${path}/a`, 'merge', { metadata: { resourceVersion }, data: { k: '2' } });
    expect(stale.status).toBe(409);
    expect(stale.body.message).toBe(`Operation cannot be fulfilled on configmaps "a": ${modified}`);
    expect((await server.patch(`${path}/a`, 'merge', { data: { k: '2' } })).status).toBe(200);
  });

  it('what only the server sets is kept through updates', async () => {
    const path = await configMaps();
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    const answer = await server.put(`${path}/a`, {
      metadata: { name: 'a', creationTimestamp: '2020-01-01T00:00:00Z', generation: 9, selfLink: '/x' },
      data: { k: '1' },
    });
    const { uid, creationTimestamp, namespace } = body.metadata;
    expect(answer.body.metadata).toMatchObject({ uid, creationTimestamp, namespace, name: 'a' });
    expect(answer.body.metadata.generation).toBeUndefined();
    expect(answer.body.metadata.selfLink).toBeUndefined();
  });

  it('a PUT to an absent name creates a Lease, but not a ConfigMap', async () => {
    const namespace = await server.namespace();
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const lease = await server.put(`${leases}/a`, { metadata: { name: 'a' }, spec: {} });
    expect(lease.status).toBe(201);
    const wrong = await server.put(`${leases}/b`, { metadata: { name: 'b', uid: 'x' }, spec: {} });
    expect(wrong.status).toBe(409);
    const configMap = await server.put(`/api/v1/namespaces/${namespace}/configmaps/a`, { metadata: { name: 'a' } });
    expect(configMap.status).toBe(404);
  });

  it('a dry run answers as if, and stores nothing', async () => {
    const path = await configMaps();
    const created = await server.post(path, { metadata: { name: 'a' } }, { dryRun: 'All' });
    expect(created.status).toBe(201);
    expect(created.body.metadata.uid).not.toBe('');
    expect(created.body.metadata.resourceVersion).toBeUndefined();
    expect((await server.get(`${path}/a`)).status).toBe(404);
    await server.post(path, { metadata: { name: 'a' } });
    const patched = await server.patch(`${path}/a`, 'merge', { data: { k: '1' } }, { dryRun: 'All' });
    expect(patched.body.data).toEqual({ k: '1' });
    expect((await server.delete(`${path}/a`, undefined, { dryRun: 'All' })).status).toBe(200);
    expect((await server.get(`${path}/a`)).body.data).toBeUndefined();
  });

  it('generated names start with the base and differ', async () => {
    const path = await configMaps();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => server.post(path, { metadata: { generateName: 'gen-' } })),
    );
    const names = answers.map(({ body }) => body.metadata.name);
    for (const name of names) expect(name).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(new Set(names).size).toBe(5);
    const long = await server.post(path, { metadata: { generateName: 'x'.repeat(100) } });
    expect(long.body.metadata.name).toMatch(/^x{58}[a-z0-9]{5}$/);
  });
});
