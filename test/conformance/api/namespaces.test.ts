import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';

describeWithServers('namespaces', (server) => {
  it('the initial ones are there and cannot be deleted', async () => {
    const { body } = await server.get('/api/v1/namespaces');
    const found = body.items.map(({ metadata }) => metadata.name);
    expect(found).toEqual(expect.arrayContaining(['default', 'kube-node-lease', 'kube-public', 'kube-system']));
    for (const name of ['default', 'kube-public', 'kube-system']) {
      const { status, body: answer } = await server.delete(`/api/v1/namespaces/${name}`);
      expect([status, answer.message]).toEqual([
        403,
        `namespaces "${name}" is forbidden: this namespace may not be deleted`,
      ]);
    }
  });

  it('nothing can be created in one that is not there', async () => {
    const { status, body } = await server.post('/api/v1/namespaces/nope/configmaps', { metadata: { name: 'a' } });
    expect([status, body.message, body.details]).toEqual([
      404,
      'namespaces "nope" not found',
      { name: 'nope', kind: 'namespaces' },
    ]);
    expect((await server.get('/api/v1/namespaces/nope/configmaps')).body.items).toEqual([]);
    expect((await server.get('/api/v1/namespaces/nope/configmaps/a')).body.message).toBe('configmaps "a" not found');
  });

  it('a new one is Active, held by a finalizer, and labelled with its name', async () => {
    const name = await server.namespace();
    const { body } = await server.get(`/api/v1/namespaces/${name}`);
    expect(body).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
    expect(body.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': name });
  });

  it('one that is being deleted is Terminating and takes nothing new', async () => {
    const name = await server.namespace();
    const path = `/api/v1/namespaces/${name}/configmaps`;
    // Held by a finalizer, so that nothing can empty it meanwhile.
    await server.post(path, { metadata: { name: 'held', finalizers: ['x.y/z'] } });
    const deleted = await server.delete(`/api/v1/namespaces/${name}`);
    expect(deleted.status).toBe(200);
    expect(deleted.body).toMatchObject({ kind: 'Namespace', status: { phase: 'Terminating' } });
    expect(deleted.body.metadata.deletionTimestamp).toBeDefined();
    const refused = await server.post(path, { metadata: { name: 'new' } });
    expect([refused.status, refused.body]).toEqual([
      403,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: `configmaps "new" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
        reason: 'Forbidden',
        details: {
          name: 'new',
          kind: 'configmaps',
          causes: [
            {
              reason: 'NamespaceTerminating',
              message: `namespace ${name} is being terminated`,
              field: 'metadata.namespace',
            },
          ],
        },
        code: 403,
      },
    ]);
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${name}/leases/l`;
    expect((await server.put(leases, { metadata: { name: 'l' }, spec: {} })).status).toBe(403);
    const changed = await server.patch(`${path}/held`, 'merge', { data: { k: '1' } });
    expect(changed.status).toBe(200);
    await server.patch(`${path}/held`, 'merge', { metadata: { finalizers: null } });
  });
});

describeWithServers(
  'namespace deletion',
  (server) => {
    it('deletes all contents and then the namespace, waiting for finalizers', async () => {
      const name = await server.namespace();
      const path = `/api/v1/namespaces/${name}/configmaps`;
      const { body } = await server.post(path, { metadata: { name: 'a' } });
      await server.post(path, { metadata: { name: 'held', finalizers: ['x.y/z'] } });
      const { resourceVersion } = body.metadata;
      const watch = await server.watch(path, { resourceVersion });
      const namespaces = await server.watch('/api/v1/namespaces', {
        resourceVersion,
        fieldSelector: `metadata.name=${name}`,
      });
      await server.delete(`/api/v1/namespaces/${name}`);
      const marked = await watch.until(({ type, object }) => type === 'MODIFIED' && object.metadata.name === 'held');
      expect(marked.map(({ type, object }) => [type, object.metadata.name])).toEqual([
        ['ADDED', 'held'],
        ['DELETED', 'a'],
        ['MODIFIED', 'held'],
      ]);
      expect((await server.get(`/api/v1/namespaces/${name}`)).status).toBe(200);
      await server.patch(`${path}/held`, 'merge', { metadata: { finalizers: null } });
      const events = await namespaces.until(({ type }) => type === 'DELETED');
      // kube-controller-manager notes meanwhile what it waits for.
      expect([...new Set(events.map(({ type }) => type))]).toEqual(['MODIFIED', 'DELETED']);
      expect(events[0]?.object.status).toMatchObject({ phase: 'Terminating' });
    });

    it('an empty namespace goes at once', async () => {
      const name = await server.namespace();
      const { body } = await server.get(`/api/v1/namespaces/${name}`);
      const watch = await server.watch('/api/v1/namespaces', { resourceVersion: body.metadata.resourceVersion });
      await server.delete(`/api/v1/namespaces/${name}`);
      await watch.until(({ type }) => type === 'DELETED');
      expect((await server.get(`/api/v1/namespaces/${name}`)).status).toBe(404);
    });
  },
  { controllers: ['namespace-controller'] },
);
