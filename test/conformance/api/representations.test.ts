import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const metadataOnly = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const metadataList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

interface Row {
  cells: unknown[];
  object: Record<string, unknown> | null;
}

describeWithServers('representations', (server) => {
  const filled = async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
    for (const name of ['a', 'b']) await server.post(path, { metadata: { name }, data: { k: '1' } });
    return path;
  };
  const as = (accept: string, path: string, query: object = {}) =>
    server.call('GET', path, { headers: { accept }, query: { ...query } });
  const rowsOf = (value: unknown) => value as Row[];

  it('a list as a table', async () => {
    const path = await filled();
    const { body } = await as(table, path, { limit: 1 });
    expect(body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(body.metadata.remainingItemCount).toBe(1);
    expect(body.columnDefinitions).toMatchObject([
      { name: 'Name', type: 'string', format: 'name', priority: 0 },
      { name: 'Data', type: 'string', format: '', priority: 0 },
      { name: 'Age', type: 'string', format: '', priority: 0 },
    ]);
    const [row] = rowsOf(body.rows);
    expect(row?.cells.slice(0, 2)).toEqual(['a', 1]);
    expect(row?.object).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'a' },
    });
    expect(row?.object?.data).toBeUndefined();
  });

  it('one object as a table, with as much of it as is asked for', async () => {
    const path = await filled();
    const row = async (query: object) => rowsOf((await as(table, `${path}/a`, query)).body.rows)[0];
    expect((await row({}))?.object).toMatchObject({ kind: 'PartialObjectMetadata' });
    expect((await row({ includeObject: 'Object' }))?.object).toMatchObject({ kind: 'ConfigMap', data: { k: '1' } });
    expect((await row({ includeObject: 'None' }))?.object).toBeNull();
    const wrong = await as(table, `${path}/a`, { includeObject: 'Foo' });
    expect([wrong.status, wrong.body.message]).toEqual([
      400,
      `Unable to convert to Table as requested: includeObject: Invalid value: "Foo": must be 'Metadata', 'Object', 'None', or empty`,
    ]);
  });

  it('an empty table has columns and no rows', async () => {
    const { body } = await as(table, `/api/v1/namespaces/${await server.namespace()}/services`);
    expect(body.rows).toEqual([]);
    expect((body.columnDefinitions as { name: string; priority: number }[]).map(({ name }) => name)).toEqual([
      'Name',
      'Type',
      'Cluster-IP',
      'External-IP',
      'Port(s)',
      'Age',
      'Selector',
    ]);
  });

  it('a watch of tables names its columns once', async () => {
    const path = await filled();
    const watch = await server.watch(path, { resourceVersion: '0' }, { accept: table });
    const [first, second] = await watch.take(2);
    expect([first?.type, first?.object.kind]).toEqual(['ADDED', 'Table']);
    expect(first?.object.columnDefinitions).toHaveLength(3);
    expect(second?.object.columnDefinitions).toBeNull();
    await server.delete(`${path}/a`);
    const deleted = await watch.next();
    expect([deleted.type, rowsOf(deleted.object.rows)[0]?.cells[0]]).toEqual(['DELETED', 'a']);
  });

  it('a failure is a Status even for those who want tables', async () => {
    const { status, body } = await as(table, `${await filled()}/zz`);
    expect([status, body.kind]).toEqual([404, 'Status']);
  });

  it('metadata only, of one object, of a list and in a watch', async () => {
    const path = await filled();
    const one = (await as(metadataOnly, `${path}/a`)).body;
    expect(one).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } });
    expect(one.data).toBeUndefined();
    const list = (await as(metadataList, path)).body;
    expect(list).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(list.items).toMatchObject([{ kind: 'PartialObjectMetadata' }, { kind: 'PartialObjectMetadata' }]);
    const watch = await server.watch(path, { resourceVersion: '0' }, { accept: metadataOnly });
    expect((await watch.next()).object).toMatchObject({ kind: 'PartialObjectMetadata' });
    const wrong = await as(metadataOnly, path);
    expect([wrong.status, wrong.body.reason]).toEqual([406, 'NotAcceptable']);
  });

  it('YAML', async () => {
    const { status, headers, body } = await as('application/yaml', `${await filled()}/a`);
    expect([status, headers['content-type']]).toEqual([200, 'application/yaml']);
    expect(body.text).toContain('kind: ConfigMap\n');
  });

  it('anything that is not offered is not acceptable', async () => {
    const { status, body } = await as('text/html', await filled());
    expect([status, body.reason]).toEqual([406, 'NotAcceptable']);
  });
});

describeWithServers('discovery', (server) => {
  it('names the versions and groups', async () => {
    expect((await server.get('/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    const { body } = await server.get('/apis');
    expect(body.kind).toBe('APIGroupList');
    const groups = body.groups as { name: string; preferredVersion: object }[];
    expect(groups.find(({ name }) => name === 'discovery.k8s.io')).toEqual({
      name: 'discovery.k8s.io',
      versions: [{ groupVersion: 'discovery.k8s.io/v1', version: 'v1' }],
      preferredVersion: { groupVersion: 'discovery.k8s.io/v1', version: 'v1' },
    });
    expect((await server.get('/apis/apps')).body).toMatchObject({ kind: 'APIGroup', name: 'apps' });
  });

  it('describes the resources that both servers have alike', async () => {
    type Resource = { name: string; verbs: string[]; storageVersionHash?: string };
    const resource = async (groupVersion: string, name: string) => {
      const { body } = await server.get(groupVersion);
      const { storageVersionHash: _hash, ...rest } = (body.resources as Resource[]).find(
        (found) => found.name === name,
      ) ?? { name: 'none', verbs: [] };
      return rest;
    };
    const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
    expect(await resource('/api/v1', 'pods')).toEqual({
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs,
      shortNames: ['po'],
      categories: ['all'],
    });
    expect(await resource('/apis/apps/v1', 'deployments/scale')).toEqual({
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    });
    expect((await resource('/api/v1', 'namespaces')).verbs).not.toContain('deletecollection');
    expect((await resource('/api/v1', 'namespaces/finalize')).verbs).toEqual(['update']);
    expect(await resource('/apis/discovery.k8s.io/v1', 'endpointslices')).toEqual({
      name: 'endpointslices',
      singularName: 'endpointslice',
      namespaced: true,
      kind: 'EndpointSlice',
      verbs,
    });
  });

  it('in one document for those who ask for it', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const { headers, body } = await server.call('GET', '/apis', { headers: { accept } });
    expect(headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
    const apps = body.items.find(({ metadata }) => metadata.name === 'apps');
    const versions = apps?.versions as { version: string; freshness: string; resources: Record<string, unknown>[] }[];
    expect(versions.map(({ version, freshness }) => [version, freshness])).toEqual([['v1', 'Current']]);
    expect(versions[0]?.resources.find(({ resource }) => resource === 'replicasets')).toMatchObject({
      scope: 'Namespaced',
      singularResource: 'replicaset',
      shortNames: ['rs'],
      responseKind: { kind: 'ReplicaSet' },
    });
  });

  it('health and version are open to everybody', async () => {
    for (const path of ['/healthz', '/livez', '/readyz']) {
      const { status, body } = await server.call('GET', path, { headers: { authorization: '' } });
      expect([path, status, body.text]).toEqual([path, 200, 'ok']);
    }
    const version = await server.call('GET', '/version', { headers: { authorization: '' } });
    expect(version.body).toMatchObject({ major: '1' });
    expect(version.body.gitVersion).toMatch(/^v1\.\d+\.\d+/);
  });

  it('OpenAPI documents say that the server validates fields', async () => {
    const { body } = await server.get('/openapi/v3');
    const paths = body.paths as Record<string, { serverRelativeURL: string }>;
    const url = paths['apis/discovery.k8s.io/v1']?.serverRelativeURL ?? '';
    const document = (await server.get(url)).body;
    type Operation = { patch: { parameters: { name: string }[]; 'x-kubernetes-group-version-kind': object } };
    const operations = document.paths as Record<string, Operation>;
    const item = operations['/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/{name}'];
    expect(item?.patch.parameters.map(({ name }) => name)).toContain('fieldValidation');
    expect(item?.patch['x-kubernetes-group-version-kind']).toEqual({
      group: 'discovery.k8s.io',
      version: 'v1',
      kind: 'EndpointSlice',
    });
  });

  it('access reviews answer', async () => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const spec = { resourceAttributes: { verb: 'get', resource: 'pods' } };
    const { status, body } = await server.post(path, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec,
    });
    expect([status, body.kind, body.status]).toMatchObject([201, 'SelfSubjectAccessReview', { allowed: true }]);
  });
});
