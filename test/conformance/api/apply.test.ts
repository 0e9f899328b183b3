import { expect, it } from 'vitest';
import { type Body, describeWithServers } from './harness.ts';

type Owned = [manager: unknown, operation: unknown, subresource: unknown, fields: unknown];

function owners({ metadata }: Body): Owned[] {
  return (metadata.managedFields ?? []).map((entry) => [
    entry.manager,
    entry.operation,
    entry.subresource,
    entry.fieldsV1,
  ]);
}

describeWithServers('server-side apply and managed fields', (server) => {
  const applier = async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps/a`;
    const apply = (fieldManager: string, data: object | undefined, query: object = {}) => {
      const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, ...(data ? { data } : {}) };
      return server.patch(path, 'apply', config, { fieldManager, ...query });
    };
    return { path, apply };
  };
  const services = async () => `/api/v1/namespaces/${await server.namespace()}/services/s`;
  const applyService = (path: string, fieldManager: string, rest: object, query: object = {}) =>
    server.patch(
      path,
      'apply',
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, ...rest },
      { fieldManager, ...query },
    );

  it('creates what is not there, and owns what it states', async () => {
    const { apply } = await applier();
    const { status, body } = await apply('m1', { k: '1', l: '2' });
    expect(status).toBe(201);
    expect(body.data).toEqual({ k: '1', l: '2' });
    expect(owners(body)).toEqual([['m1', 'Apply', undefined, { 'f:data': { 'f:k': {}, 'f:l': {} } }]]);
    expect(body.metadata.managedFields[0]).toMatchObject({ apiVersion: 'v1', fieldsType: 'FieldsV1' });
  });

  it('applying the same again is no write', async () => {
    const { apply } = await applier();
    const first = await apply('m1', { k: '1' });
    const again = await apply('m1', { k: '1' });
    expect(again.status).toBe(200);
    expect(again.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  });

  it('takes out what the manager stated before and states no more', async () => {
    const { apply } = await applier();
    await apply('m1', { k: '1', l: '2' });
    const { body } = await apply('m1', { k: '1' });
    expect(body.data).toEqual({ k: '1' });
    expect((await apply('m1', undefined)).body.data).toBeUndefined();
  });

  it('keeps what another manager owns too', async () => {
    const { apply } = await applier();
    await apply('m1', { k: '1', l: '2' });
    await apply('m2', { k: '1', z: '3' });
    const { body } = await apply('m1', { l: '2' });
    expect(body.data).toEqual({ k: '1', l: '2', z: '3' });
    expect(owners(body)).toEqual([
      ['m1', 'Apply', undefined, { 'f:data': { 'f:l': {} } }],
      ['m2', 'Apply', undefined, { 'f:data': { 'f:k': {}, 'f:z': {} } }],
    ]);
  });

  it('refuses to change what somebody else owns, and names it', async () => {
    const { path, apply } = await applier();
    await apply('m1', { k: '1' });
    const { status, body } = await apply('m2', { k: '9' });
    expect(status).toBe(409);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Apply failed with 1 conflict: conflict with "m1": .data.k',
      reason: 'Conflict',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.k' }] },
      code: 409,
    });
    expect((await server.get(path)).body.data).toEqual({ k: '1' });
  });

  it('names all conflicts, by manager', async () => {
    const { apply } = await applier();
    await apply('m1', { a: '1', k: '1' });
    await apply('m2', { b: '1' });
    const { body } = await apply('m3', { a: '2', k: '2', b: '2' });
    expect(body.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "m1":\n- .data.a\n- .data.k\nconflicts with "m2":\n- .data.b',
    );
    expect(body.details.causes?.map(({ field }) => field).sort()).toEqual(['.data.a', '.data.b', '.data.k']);
  });

  it('takes fields over when forced', async () => {
    const { apply } = await applier();
    await apply('m1', { k: '1', l: '1' });
    const { status, body } = await apply('m2', { k: '9' }, { force: true });
    expect(status).toBe(200);
    expect(body.data).toEqual({ k: '9', l: '1' });
    expect(owners(body)).toEqual([
      ['m1', 'Apply', undefined, { 'f:data': { 'f:l': {} } }],
      ['m2', 'Apply', undefined, { 'f:data': { 'f:k': {} } }],
    ]);
  });

  it('other writes own what they change', async () => {
    const { path, apply } = await applier();
    await apply('m1', { k: '1', l: '1' });
    const { body } = await server.patch(path, 'merge', { data: { k: '2' } }, { fieldManager: 'patcher' });
    expect(owners(body)).toEqual([
      ['m1', 'Apply', undefined, { 'f:data': { 'f:l': {} } }],
      ['patcher', 'Update', undefined, { 'f:data': { 'f:k': {} } }],
    ]);
    const conflict = await apply('m1', { k: '1', l: '1' });
    expect(conflict.body.message).toBe('Apply failed with 1 conflict: conflict with "patcher" using v1: .data.k');
  });

  it('a create is tracked by its field manager, else by its user agent', async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
    const named = await server.post(path, { metadata: { name: 'a' }, data: { k: '1' } }, { fieldManager: 'me' });
    expect(owners(named.body)).toEqual([['me', 'Update', undefined, { 'f:data': { '.': {}, 'f:k': {} } }]]);
    const unnamed = await server.post(path, { metadata: { name: 'b', labels: { l: '1' } } });
    expect(owners(unnamed.body)).toEqual([
      ['conformance', 'Update', undefined, { 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } } }],
    ]);
  });

  it('an object that was never tracked belongs to before-first-apply', async () => {
    const { path, apply } = await applier();
    await server.post(path.replace(/\/a$/, ''), { metadata: { name: 'a' }, data: { k: '1' } });
    const reset = await server.patch(path, 'merge', { metadata: { managedFields: [{}] } });
    expect(reset.body.metadata.managedFields).toBeUndefined();
    await server.patch(path, 'merge', { data: { l: '1' } });
    const { body } = await apply('m1', { k: '2' });
    expect(body.message).toBe('Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k');
  });

  it('list items merge by their keys, of which protocol defaults to TCP', async () => {
    const path = await services();
    const created = await applyService(path, 'm1', {
      spec: {
        ports: [
          { port: 80, name: 'x' },
          { port: 81, name: 'y', protocol: 'UDP' },
        ],
      },
    });
    expect(owners(created.body)).toEqual([
      [
        'm1',
        'Apply',
        undefined,
        {
          'f:spec': {
            'f:ports': {
              'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} },
              'k:{"port":81,"protocol":"UDP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {} },
            },
          },
        },
      ],
    ]);
    const conflict = await applyService(path, 'm2', { spec: { ports: [{ port: 80, name: 'xx' }] } });
    expect(conflict.body.message).toBe(
      'Apply failed with 1 conflict: conflict with "m1": .spec.ports[port=80,protocol="TCP"].name',
    );
    const added = await applyService(path, 'm2', { spec: { ports: [{ port: 82, name: 'z' }] } });
    expect(added.body.spec.ports).toMatchObject([{ port: 80 }, { port: 81 }, { port: 82 }]);
    const dropped = await applyService(path, 'm2', { spec: {} });
    expect(dropped.body.spec.ports).toMatchObject([{ port: 80 }, { port: 81 }]);
  });

  it('items of the live object stay between those that both have', async () => {
    const path = await services();
    const port = (number: number) => ({ port: number, name: `p${number}` });
    await applyService(path, 'm1', { spec: { ports: [1, 2, 3, 4].map(port) } });
    const order = async (...numbers: number[]) => {
      const query = { dryRun: 'All', force: true };
      const { body } = await applyService(path, 'm2', { spec: { ports: numbers.map(port) } }, query);
      const { ports } = body.spec;
      return (Array.isArray(ports) ? ports : []).map((item: { port: number }) => item.port);
    };
    expect(await order(3, 1)).toEqual([2, 3, 4, 1]);
    expect(await order(9, 2, 8)).toEqual([1, 9, 2, 3, 4, 8]);
    expect(await order(4, 7, 1)).toEqual([2, 3, 4, 7, 1]);
    expect(await order(8, 3, 9, 1, 2)).toEqual([8, 3, 4, 9, 1, 2]);
  });

  it('a selector is owned as a whole, finalizers one by one', async () => {
    const path = await services();
    await applyService(path, 'm1', { spec: { selector: { a: 'b' }, ports: [{ port: 80 }] } });
    const forced = await applyService(path, 'm2', { spec: { selector: { c: 'd' } } }, { force: true });
    expect(forced.body.spec.selector).toEqual({ c: 'd' });
    const metadata = { name: 's', finalizers: ['a.b/c'] };
    const { body } = await applyService(path, 'm3', { metadata });
    expect(owners(body).find(([manager]) => manager === 'm3')?.[3]).toEqual({
      'f:metadata': { 'f:finalizers': { 'v:"a.b/c"': {} } },
    });
    const gone = await applyService(path, 'm3', { metadata: { name: 's' } });
    expect(gone.body.metadata.finalizers).toBeUndefined();
  });

  it('an item that nobody else owns goes with what others have added to it', async () => {
    const path = await services();
    const both = [
      { port: 80, name: 'x' },
      { port: 81, name: 'y' },
    ];
    await applyService(path, 'm1', { spec: { ports: both } });
    const patch = { spec: { ports: [{ port: 81, targetPort: 8081 }] } };
    await server.patch(path, 'strategic', patch, { fieldManager: 'patcher' });
    const { body } = await applyService(path, 'm1', { spec: { ports: both.slice(0, 1) } });
    expect(body.spec.ports).toEqual([{ name: 'x', port: 80, protocol: 'TCP', targetPort: 80 }]);
  });

  it('an empty list states nothing, an empty map states itself', async () => {
    const path = await services();
    const metadata = { name: 's', finalizers: [], annotations: {} };
    const { body } = await applyService(path, 'm1', { metadata, spec: { ports: [{ port: 80 }] } });
    expect(owners(body)[0]?.[3]).toMatchObject({ 'f:metadata': { 'f:annotations': {} } });
    expect(JSON.stringify(owners(body))).not.toContain('finalizers');
  });

  it('references are owned as a whole', async () => {
    const { path } = await applier();
    const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Thing', name: 'x', uid: 'u1' }];
    const metadata = { name: 'a', ownerReferences };
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    const { body } = await server.patch(path, 'apply', config, { fieldManager: 'm1' });
    expect(owners(body)[0]?.[3]).toEqual({ 'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"u1"}': {} } } });
  });

  it('a scale takes ownership of the replicas', async () => {
    const path = `/apis/apps/v1/namespaces/${await server.namespace()}/deployments/d`;
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const config = (spec: object) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec });
    const spec = { selector: { matchLabels: { a: 'b' } }, template };
    await server.patch(path, 'apply', config({ ...spec, replicas: 2 }), { fieldManager: 'kubectl' });
    await server.patch(`${path}/scale`, 'merge', { spec: { replicas: 5 } }, { fieldManager: 'scaler' });
    const { body } = await server.get(path);
    expect(owners(body).at(-1)).toEqual(['scaler', 'Update', 'scale', { 'f:spec': { 'f:replicas': {} } }]);
    const conflict = await server.patch(path, 'apply', config({ ...spec, replicas: 2 }), { fieldManager: 'kubectl' });
    expect(conflict.body.message).toBe(
      'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas',
    );
    const left = await server.patch(path, 'apply', config(spec), { fieldManager: 'kubectl' });
    expect([left.status, left.body.spec.replicas]).toEqual([200, 5]);
  });

  it('a status write is tracked by its subresource and owns nothing else', async () => {
    const path = `/apis/apps/v1/namespaces/${await server.namespace()}/deployments`;
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await server.post(path, { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } });
    const patch = { spec: { replicas: 9 }, status: { replicas: 3 } };
    const { body } = await server.patch(`${path}/d/status`, 'merge', patch, { fieldManager: 'st' });
    expect(owners(body).at(-1)).toEqual(['st', 'Update', 'status', { 'f:status': { 'f:replicas': {} } }]);
  });

  it('reads YAML', async () => {
    const { path } = await applier();
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: "1"\n';
    const { status, body } = await server.patch(path, 'apply', yaml, { fieldManager: 'm1' });
    expect([status, body.data]).toEqual([201, { k: '1' }]);
  });

  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
  it.each([
    [
      'without a field manager',
      config,
      {},
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ],
    [
      'of another kind',
      { ...config, kind: 'Secret' },
      { fieldManager: 'm' },
      400,
      'invalid object type: /v1, Kind=Secret',
    ],
    ['without a kind', { metadata: { name: 'a' } }, { fieldManager: 'm' }, 400, 'invalid object type: /, Kind='],
    [
      'of another name',
      { ...config, metadata: { name: 'b' } },
      { fieldManager: 'm' },
      400,
      'the name of the object (b) does not match the name on the URL (a)',
    ],
    [
      'with managedFields',
      { ...config, metadata: { name: 'a', managedFields: [{ manager: 'x' }] } },
      { fieldManager: 'm' },
      400,
      'metadata.managedFields must be nil',
    ],
    [
      'with a field that the kind does not have',
      { ...config, foo: 1 },
      { fieldManager: 'm' },
      500,
      'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .foo: field not declared in schema',
    ],
    [
      'with a uid where nothing is',
      { ...config, metadata: { name: 'a', uid: 'u' } },
      { fieldManager: 'm' },
      409,
      'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid u, and no existing object was found',
    ],
  ])('is refused %s', async (_, body, query, code, message) => {
    const { path } = await applier();
    const answer = await server.patch(path, 'apply', body, query);
    expect([answer.status, answer.body.message]).toEqual([code, message]);
  });

  it('is refused when a list names an item twice', async () => {
    const ports = [
      { port: 82, name: 'z' },
      { port: 82, name: 'zz' },
    ];
    const { status, body } = await applyService(await services(), 'm1', { spec: { ports } });
    expect([status, body.message]).toEqual([
      500,
      'failed to create typed patch object (/s; /v1, Kind=Service): .spec.ports: duplicate entries for key [port=82,protocol="TCP"]',
    ]);
  });
});
