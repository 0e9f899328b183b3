import { expect, it } from 'vitest';
import { describeWithServers, type TestServer } from './harness.ts';

async function configMaps(server: TestServer): Promise<string> {
  return `/api/v1/namespaces/${await server.namespace()}/configmaps`;
}

describeWithServers('deletion', (server) => {
  it('answers with a Status that names what is gone, and the kinds that always did with the object', async () => {
    const path = await configMaps(server);
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    const deleted = await server.delete(`${path}/a`);
    expect([deleted.status, deleted.body]).toEqual([
      200,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name: 'a', kind: 'configmaps', uid: body.metadata.uid },
      },
    ]);
    expect((await server.delete(`${path}/a`)).status).toBe(404);
    const services = path.replace('configmaps', 'services');
    await server.post(services, { metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } });
    expect((await server.delete(`${services}/a`)).body).toMatchObject({ kind: 'Service', metadata: { name: 'a' } });
  });

  it('keeps its preconditions', async () => {
    const path = await configMaps(server);
    const { body } = await server.post(path, { metadata: { name: 'a' } });
    const { uid, resourceVersion } = body.metadata;
    const wrongUid = await server.delete(`${path}/a`, { preconditions: { uid: 'x' } });
    expect([wrongUid.status, wrongUid.body.message]).toEqual([
      409,
      `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (x) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    ]);
    const wrongVersion = await server.delete(`${path}/a`, { preconditions: { resourceVersion: '1' } });
    expect([wrongVersion.status, wrongVersion.body.message]).toEqual([
      409,
      `Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    ]);
    expect((await server.delete(`${path}/a`, { preconditions: { uid, resourceVersion } })).status).toBe(200);
  });

  it('waits for finalizers, once, and the last one to go takes the object with it', async () => {
    const path = await configMaps(server);
    const created = await server.post(path, { metadata: { name: 'a', finalizers: ['x.y/1', 'x.y/2'] } });
    const marked = await server.delete(`${path}/a`);
    expect(marked.status).toBe(200);
    expect(marked.body.metadata).toMatchObject({ finalizers: ['x.y/1', 'x.y/2'], deletionGracePeriodSeconds: 0 });
    expect(marked.body.metadata.deletionTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(marked.body.metadata.resourceVersion).not.toBe(created.body.metadata.resourceVersion);
    const again = await server.delete(`${path}/a`);
    expect(again.body.metadata).toEqual(marked.body.metadata);
    const one = await server.patch(`${path}/a`, 'merge', { metadata: { finalizers: ['x.y/2'] } });
    expect(one.body.metadata.deletionTimestamp).toBe(marked.body.metadata.deletionTimestamp);
    const none = await server.patch(`${path}/a`, 'merge', { metadata: { finalizers: null } });
    expect(none.status).toBe(200);
    expect((await server.get(`${path}/a`)).status).toBe(404);
  });

  it('while it waits the object can be changed, but not be given more finalizers or created again', async () => {
    const path = await configMaps(server);
    await server.post(path, { metadata: { name: 'a', finalizers: ['x.y/1'] } });
    await server.delete(`${path}/a`);
    expect((await server.patch(`${path}/a`, 'merge', { data: { k: '1' } })).status).toBe(200);
    const more = await server.patch(`${path}/a`, 'merge', { metadata: { finalizers: ['x.y/1', 'x.y/2'] } });
    expect([more.status, more.body.message]).toEqual([
      422,
      'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.y/2"}',
    ]);
    const again = await server.post(path, { metadata: { name: 'a' } });
    expect([again.status, again.body.reason, again.body.message]).toEqual([
      409,
      'AlreadyExists',
      'object is being deleted: configmaps "a" already exists',
    ]);
  });

  it('a client cannot set the time of deletion', async () => {
    const path = await configMaps(server);
    const created = await server.post(path, { metadata: { name: 'a', deletionTimestamp: '2020-01-01T00:00:00Z' } });
    expect(created.body.metadata.deletionTimestamp).toBeUndefined();
    const metadata = { name: 'a', deletionTimestamp: '2020-01-01T00:00:00Z' };
    const updated = await server.put(`${path}/a`, { metadata });
    expect([updated.status, updated.body.message]).toEqual([
      422,
      'ConfigMap "a" is invalid: metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable',
    ]);
  });

  it('bumps the generation of kinds that count one', async () => {
    const path = `/apis/discovery.k8s.io/v1/namespaces/${await server.namespace()}/endpointslices`;
    await server.post(path, { metadata: { name: 'a', finalizers: ['x.y/1'] }, addressType: 'IPv4', endpoints: [] });
    expect((await server.delete(`${path}/a`)).body.metadata.generation).toBe(2);
    await server.patch(`${path}/a`, 'merge', { metadata: { finalizers: null } });
  });

  it.each([
    [
      { propagationPolicy: 'Foo' },
      422,
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
    ],
    [
      { propagationPolicy: 'Background', orphanDependents: true },
      422,
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Background": orphanDependents and deletionPropagation cannot be both set',
    ],
  ])('refuses the options %j', async (options, code, message) => {
    const path = await configMaps(server);
    await server.post(path, { metadata: { name: 'a' } });
    const { status, body } = await server.delete(`${path}/a`, options);
    expect([status, body.message]).toEqual([code, message]);
    expect((await server.get(`${path}/a`)).status).toBe(200);
  });

  it('of a collection removes what the selector chooses and lists it', async () => {
    const path = await configMaps(server);
    for (const name of ['a', 'b']) await server.post(path, { metadata: { name, labels: { go: 'yes' } } });
    await server.post(path, { metadata: { name: 'c' } });
    const { status, body } = await server.delete(path, undefined, { labelSelector: 'go=yes' });
    expect(status).toBe(200);
    expect(body.kind).toBe('ConfigMapList');
    expect(body.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect((await server.get(path)).body.items.map(({ metadata }) => metadata.name)).toEqual(['c']);
  });

  it('of all namespaces at once, or of all namespaces themselves, is not allowed', async () => {
    for (const path of ['/api/v1/configmaps', '/api/v1/namespaces']) {
      const { status, body } = await server.delete(path);
      expect([status, body.reason]).toEqual([405, 'MethodNotAllowed']);
    }
  });
});

describeWithServers('deletion of Pods', (server) => {
  const pods = async () => `/api/v1/namespaces/${await server.namespace()}/pods`;
  const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
    metadata: { name, ...metadata },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  });

  it('a Pod on a node gets its grace period, which can only be shortened', async () => {
    const path = await pods();
    await server.post(path, pod('a', { nodeName: 'n1' }));
    const marked = await server.delete(`${path}/a`);
    expect(marked.body).toMatchObject({ kind: 'Pod', metadata: { deletionGracePeriodSeconds: 30, generation: 2 } });
    const again = await server.delete(`${path}/a`);
    expect(again.body.metadata.resourceVersion).toBe(marked.body.metadata.resourceVersion);
    const longer = await server.delete(`${path}/a`, { gracePeriodSeconds: 70 });
    expect(longer.body.metadata.deletionGracePeriodSeconds).toBe(30);
    const shorter = await server.delete(`${path}/a`, undefined, { gracePeriodSeconds: 7 });
    expect(shorter.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 7, generation: 2 });
    const { deletionTimestamp } = shorter.body.metadata;
    expect(Date.parse(deletionTimestamp)).toBeLessThan(Date.parse(marked.body.metadata.deletionTimestamp));
    expect((await server.delete(`${path}/a`, { gracePeriodSeconds: 0 })).status).toBe(200);
    expect((await server.get(`${path}/a`)).status).toBe(404);
  });

  it('its own terminationGracePeriodSeconds is the default', async () => {
    const path = await pods();
    await server.post(path, pod('a', { nodeName: 'n1', terminationGracePeriodSeconds: 5 }));
    expect((await server.delete(`${path}/a`)).body.metadata.deletionGracePeriodSeconds).toBe(5);
    await server.delete(`${path}/a`, { gracePeriodSeconds: 0 });
  });

  it('a Pod that no node has, or that has ended, goes at once', async () => {
    const path = await pods();
    await server.post(path, pod('unscheduled'));
    await server.post(path, pod('ended', { nodeName: 'n1' }));
    await server.patch(`${path}/ended/status`, 'merge', { status: { phase: 'Succeeded' } });
    for (const name of ['unscheduled', 'ended']) {
      const { status, body } = await server.delete(`${path}/${name}`);
      expect([status, body.kind]).toEqual([200, 'Pod']);
      expect((await server.get(`${path}/${name}`)).status).toBe(404);
    }
  });

  it('watches see the mark before the end, even of a Pod that goes at once', async () => {
    const path = await pods();
    const { body } = await server.post(path, pod('a'));
    const watch = await server.watch(path, { resourceVersion: body.metadata.resourceVersion });
    await server.delete(`${path}/a`);
    const [marked, gone] = await watch.take(2);
    expect([marked?.type, marked?.object.metadata.deletionGracePeriodSeconds]).toEqual(['MODIFIED', 0]);
    expect([gone?.type, gone?.object.metadata.deletionTimestamp]).toEqual([
      'DELETED',
      marked?.object.metadata.deletionTimestamp,
    ]);
  });

  it('a finalizer outlasts a grace period of 0', async () => {
    const path = await pods();
    await server.post(path, pod('a', { nodeName: 'n1' }, { finalizers: ['x.y/z'] }));
    await server.delete(`${path}/a`);
    const forced = await server.delete(`${path}/a`, { gracePeriodSeconds: 0 });
    expect(forced.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: ['x.y/z'] });
    await server.patch(`${path}/a`, 'merge', { metadata: { finalizers: null } });
    expect((await server.get(`${path}/a`)).status).toBe(404);
  });

  it('a Pod whose finalizers go first stays for the rest of its grace period', async () => {
    const path = await pods();
    await server.post(path, pod('a', { nodeName: 'n1' }, { finalizers: ['x.y/z'] }));
    await server.delete(`${path}/a`);
    await server.patch(`${path}/a`, 'merge', { metadata: { finalizers: null } });
    expect((await server.get(`${path}/a`)).body.metadata.deletionGracePeriodSeconds).toBe(30);
    await server.delete(`${path}/a`, { gracePeriodSeconds: 0 });
  });

  it('a binding puts a Pod on a node, once', async () => {
    const path = await pods();
    await server.post(path, pod('a'));
    const binding = (name: string) => ({ metadata: { name: 'a' }, target: { kind: 'Node', name } });
    const bound = await server.post(`${path}/a/binding`, binding('n1'));
    expect([bound.status, bound.body.status]).toEqual([201, 'Success']);
    const { body } = await server.get(`${path}/a`);
    expect(body.spec.nodeName).toBe('n1');
    expect(body.status).toMatchObject({ conditions: [{ type: 'PodScheduled', status: 'True' }] });
    expect(body.metadata.generation).toBe(1);
    const again = await server.post(`${path}/a/binding`, binding('n2'));
    expect([again.status, again.body.message]).toEqual([
      409,
      'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1"',
    ]);
    await server.delete(`${path}/a`, { gracePeriodSeconds: 0 });
  });

  it('an eviction deletes', async () => {
    const path = await pods();
    await server.post(path, pod('a', { nodeName: 'n1' }));
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } };
    expect((await server.post(`${path}/a/eviction`, eviction)).status).toBe(201);
    expect((await server.get(`${path}/a`)).body.metadata.deletionGracePeriodSeconds).toBe(30);
    await server.delete(`${path}/a`, { gracePeriodSeconds: 0 });
  });
});
