import { expect, it } from 'vitest';
import { type Answer, describeWithServers, type TestServer } from './harness.ts';

describeWithServers(
  'garbage collection',
  (server) => {
    const path = async () => `/api/v1/namespaces/${await server.namespace()}/configmaps`;
    const owner = ({ body }: Answer, more: object = {}) => {
      const { name, uid } = body.metadata;
      return { apiVersion: 'v1', kind: 'ConfigMap', name, uid, ...more };
    };

    it('deletes the dependents of what is gone, and theirs', async () => {
      const at = await path();
      const a = await server.post(at, { metadata: { name: 'a' } });
      const b = await server.post(at, { metadata: { name: 'b', ownerReferences: [owner(a)] } });
      await server.post(at, { metadata: { name: 'c', ownerReferences: [owner(b)] } });
      await server.delete(`${at}/a`);
      await gone(server, `${at}/b`);
      await gone(server, `${at}/c`);
    });

    it('keeps what has another living owner, and drops the dead one from the list', async () => {
      const at = await path();
      const a = await server.post(at, { metadata: { name: 'a' } });
      const b = await server.post(at, { metadata: { name: 'b' } });
      const { body } = await server.post(at, { metadata: { name: 'c', ownerReferences: [owner(a), owner(b)] } });
      const watch = await server.watch(at, { resourceVersion: body.metadata.resourceVersion });
      await server.delete(`${at}/a`);
      const events = await watch.take(2);
      expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
        ['DELETED', 'a'],
        ['MODIFIED', 'c'],
      ]);
      expect((await server.get(`${at}/c`)).body.metadata.ownerReferences).toEqual([owner(b)]);
    });

    it('deletes what names an owner that never was, but leaves owners of unknown kinds alone', async () => {
      const at = await path();
      const unknown = { apiVersion: 'example.com/v1', kind: 'Thing', name: 'x', uid: 'u1' };
      await server.post(at, { metadata: { name: 'kept', ownerReferences: [unknown] } });
      const never = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u2' };
      await server.post(at, { metadata: { name: 'lost', ownerReferences: [never] } });
      await gone(server, `${at}/lost`);
      expect((await server.get(`${at}/kept`)).status).toBe(200);
    });

    it('foreground: the owner waits for dependents that block it', async () => {
      const at = await path();
      const a = await server.post(at, { metadata: { name: 'a' } });
      const ownerReferences = [owner(a, { blockOwnerDeletion: true })];
      await server.post(at, { metadata: { name: 'b', ownerReferences, finalizers: ['x.y/z'] } });
      const marked = await server.delete(`${at}/a`, { propagationPolicy: 'Foreground' });
      expect(marked.body.metadata.finalizers).toEqual(['foregroundDeletion']);
      await until(server, `${at}/b`, ({ body }) => body.metadata.deletionTimestamp !== undefined);
      expect((await server.get(`${at}/a`)).status).toBe(200);
      await server.patch(`${at}/b`, 'merge', { metadata: { finalizers: null } });
      await gone(server, `${at}/b`);
      await gone(server, `${at}/a`);
    });

    it('foreground: dependents that do not block are deleted, but not waited for', async () => {
      const at = await path();
      const a = await server.post(at, { metadata: { name: 'a' } });
      await server.post(at, { metadata: { name: 'b', ownerReferences: [owner(a)], finalizers: ['x.y/z'] } });
      await server.delete(`${at}/a`, { propagationPolicy: 'Foreground' });
      await gone(server, `${at}/a`);
      await until(server, `${at}/b`, ({ body }) => body.metadata.deletionTimestamp !== undefined);
      await server.patch(`${at}/b`, 'merge', { metadata: { finalizers: null } });
    });

    it('orphan: the dependents stay without their owner', async () => {
      const at = await path();
      const a = await server.post(at, { metadata: { name: 'a' } });
      await server.post(at, { metadata: { name: 'b', ownerReferences: [owner(a)] } });
      const marked = await server.delete(`${at}/a`, { propagationPolicy: 'Orphan' });
      expect(marked.body.metadata.finalizers).toEqual(['orphan']);
      await gone(server, `${at}/a`);
      const { status, body } = await server.get(`${at}/b`);
      expect([status, body.metadata.ownerReferences]).toEqual([200, undefined]);
    });

    it('Pods get their grace period', async () => {
      const at = await path();
      const a = await server.post(at, { metadata: { name: 'a' } });
      const pods = at.replace('configmaps', 'pods');
      const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] };
      await server.post(pods, { metadata: { name: 'p', ownerReferences: [owner(a)] }, spec });
      await server.delete(`${at}/a`);
      await until(server, `${pods}/p`, ({ body }) => body.metadata.deletionGracePeriodSeconds === 30);
      await server.delete(`${pods}/p`, { gracePeriodSeconds: 0 });
    });
  },
  { controllers: ['garbage-collector-controller'] },
);

async function gone(server: TestServer, path: string): Promise<void> {
  await until(server, path, ({ status }) => status === 404);
}

/** Reads an object again until `holds`; the test's own time limit ends it. */
async function until(server: TestServer, path: string, holds: (answer: Answer) => boolean): Promise<void> {
  while (!holds(await server.get(path))) await new Promise((resolve) => setImmediate(resolve));
}
