import { expect, it } from 'vitest';
import { describeWithServers, patchTypes } from './harness.ts';

const rejected = 'the server rejected our request due to an error in our request';

describeWithServers('patches', (server) => {
  const configMap = async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
    await server.post(path, { metadata: { name: 'a', labels: { x: '1' } }, data: { k: '1', l: '2' } });
    return `${path}/a`;
  };
  const service = async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/services`;
    const ports = [
      { name: 'x', port: 80 },
      { name: 'y', port: 81 },
    ];
    await server.post(path, { metadata: { name: 's' }, spec: { selector: { a: 'b' }, ports } });
    return `${path}/s`;
  };
  const portsAfter = async (path: string, patch: object) => {
    const { status, body } = await server.patch(path, 'strategic', { spec: patch });
    if (status !== 200) throw new Error(body.message);
    const { ports } = body.spec;
    return (Array.isArray(ports) ? ports : []).map(({ port, name }: { port: number; name?: string }) => [port, name]);
  };

  it('a merge patch replaces, adds and removes members', async () => {
    const path = await configMap();
    const patch = { data: { k: 'new', l: null, m: '3' }, metadata: { labels: null, annotations: { n: 'o' } } };
    const { status, body } = await server.patch(path, 'merge', patch);
    expect(status).toBe(200);
    expect(body.data).toEqual({ k: 'new', m: '3' });
    expect(body.metadata.labels).toBeUndefined();
    expect(body.metadata.annotations).toEqual({ n: 'o' });
  });

  it('a merge patch replaces lists as a whole', async () => {
    const { body } = await server.patch(await service(), 'merge', { spec: { ports: [{ port: 90 }] } });
    expect(body.spec.ports).toEqual([{ protocol: 'TCP', port: 90, targetPort: 90 }]);
  });

  it('a JSON patch carries out its operations in order', async () => {
    const path = await configMap();
    const { status, body } = await server.patch(path, 'json', [
      { op: 'test', path: '/data/k', value: '1' },
      { op: 'add', path: '/data/n', value: '5' },
      { op: 'replace', path: '/data/n', value: '6' },
      { op: 'copy', from: '/data/n', path: '/data/o' },
      { op: 'move', from: '/data/o', path: '/data/p' },
      { op: 'remove', path: '/data/l' },
      { op: 'add', path: '/metadata/annotations', value: {} },
      { op: 'add', path: '/metadata/annotations/example.com~1x', value: 'y' },
    ]);
    expect(status).toBe(200);
    expect(body.data).toEqual({ k: '1', n: '6', p: '6' });
    expect(body.metadata.annotations).toEqual({ 'example.com/x': 'y' });
  });

  it('a JSON patch reaches into lists', async () => {
    const path = await service();
    const { body } = await server.patch(path, 'json', [
      { op: 'add', path: '/spec/ports/-', value: { name: 'z', port: 82 } },
      { op: 'remove', path: '/spec/ports/0' },
      { op: 'add', path: '/spec/ports/0', value: { name: 'w', port: 79 } },
    ]);
    expect(body.spec.ports).toMatchObject([{ name: 'w' }, { name: 'y' }, { name: 'z' }]);
  });

  it.each([
    ['a test that fails', [{ op: 'test', path: '/data/k', value: 'other' }]],
    ['a removal of what is not there', [{ op: 'remove', path: '/data/nope' }]],
    ['an addition below what is not there', [{ op: 'add', path: '/foo/bar/baz', value: 1 }]],
    ['an unknown operation', [{ op: 'zap', path: '/data/k' }]],
    ['an operation without a path', [{ op: 'remove' }]],
  ])('a JSON patch with %s is refused with 422 and changes nothing', async (_, patch) => {
    const path = await configMap();
    const { status, body } = await server.patch(path, 'json', [{ op: 'add', path: '/data/z', value: 'z' }, ...patch]);
    expect([status, body.reason, body.message]).toEqual([422, 'Invalid', rejected]);
    expect((await server.get(path)).body.data).toEqual({ k: '1', l: '2' });
  });

  it('a JSON patch of more than 10000 operations is too large', async () => {
    const patch = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/k', value: '1' }));
    const { status, body } = await server.patch(await configMap(), 'json', patch);
    expect([status, body.reason]).toEqual([413, 'RequestEntityTooLarge']);
  });

  it('a strategic merge patch merges lists by their key and keeps what it does not name', async () => {
    const path = await service();
    const ports = [
      { port: 80, targetPort: 8080 },
      { port: 82, name: 'z' },
    ];
    const { body } = await server.patch(path, 'strategic', { spec: { ports } });
    expect(body.spec.ports).toEqual([
      { name: 'x', protocol: 'TCP', port: 80, targetPort: 8080 },
      { name: 'z', protocol: 'TCP', port: 82, targetPort: 82 },
      { name: 'y', protocol: 'TCP', port: 81, targetPort: 81 },
    ]);
  });

  it('its directives delete items, replace lists and maps, and keep named keys only', async () => {
    const path = await service();
    expect(await portsAfter(path, { ports: [{ port: 81, $patch: 'delete' }] })).toEqual([[80, 'x']]);
    expect(await portsAfter(path, { ports: [{ $patch: 'replace' }, { port: 90, name: 'q' }] })).toEqual([[90, 'q']]);
    const replaced = await server.patch(path, 'strategic', { spec: { selector: { $patch: 'replace', q: 'r' } } });
    expect(replaced.body.spec.selector).toEqual({ q: 'r' });
    const retained = await server.patch(path, 'strategic', { spec: { selector: { $retainKeys: ['w'], w: '1' } } });
    expect(retained.body.spec.selector).toEqual({ w: '1' });
  });

  it('$setElementOrder orders what it names and lets the rest stand where it stood', async () => {
    const path = await service();
    const four = [1, 2, 3, 4].map((port) => ({ port, name: `p${port}` }));
    await server.patch(path, 'merge', { spec: { ports: four } });
    const order = async (named: number[], added: number[]) => {
      const patch = {
        spec: {
          '$setElementOrder/ports': named.map((port) => ({ port })),
          ports: added.map((port) => ({ port, name: `p${port}` })),
        },
      };
      const { body } = await server.patch(path, 'strategic', patch, { dryRun: 'All' });
      const { ports } = body.spec;
      return (Array.isArray(ports) ? ports : []).map(({ port }: { port: number }) => port);
    };
    expect(await order([3, 1], [3])).toEqual([2, 3, 1, 4]);
    expect(await order([9, 2, 8], [9, 8])).toEqual([9, 1, 2, 8, 3, 4]);
    expect(await order([4, 3, 2, 1], [])).toEqual([4, 3, 2, 1]);
    expect(await order([1, 9, 2], [9])).toEqual([1, 9, 2, 3, 4]);
    expect(await order([2, 9], [9])).toEqual([1, 2, 9, 3, 4]);
  });

  it('lists of finalizers merge as sets, and $deleteFromPrimitiveList takes from them', async () => {
    const path = await service();
    const finalizers = async (metadata: object) =>
      (await server.patch(path, 'strategic', { metadata })).body.metadata.finalizers;
    expect(await finalizers({ finalizers: ['x.y/z'] })).toEqual(['x.y/z']);
    expect(await finalizers({ finalizers: ['q.r/s'] })).toEqual(['q.r/s', 'x.y/z']);
    expect(await finalizers({ '$deleteFromPrimitiveList/finalizers': ['x.y/z'] })).toEqual(['q.r/s']);
    const ordered = { '$setElementOrder/finalizers': ['a.b/c', 'q.r/s'], finalizers: ['a.b/c'] };
    expect(await finalizers(ordered)).toEqual(['a.b/c', 'q.r/s']);
    expect(await finalizers({ finalizers: null })).toBeUndefined();
  });

  it.each([
    [
      'an item without its merge key',
      { ports: [{ name: 'n' }] },
      500,
      'map: map[name:n] does not contain declared merge key: port',
    ],
    [
      'an unknown directive',
      { ports: [{ port: 1, $patch: 'zap' }] },
      500,
      'unknown patch type: zap in map: map[$patch:zap port:1]',
    ],
    [
      'keys that $retainKeys does not name',
      { selector: { $retainKeys: ['w'], v: '1' } },
      400,
      'invalid patch format of retainKeys',
    ],
  ])('a strategic merge patch with %s is refused', async (_, spec, code, message) => {
    const { status, body } = await server.patch(await service(), 'strategic', { spec });
    expect([status, body.message]).toEqual([code, message]);
  });

  it('a patch whose result is no object of the kind is refused with 422', async () => {
    const { status, body } = await server.patch(await configMap(), 'merge', { data: [1] });
    expect([status, body.reason, body.details.causes?.[0]?.field]).toEqual([422, 'Invalid', 'patch']);
    expect(body.message).toMatch(/json: cannot unmarshal array into Go struct field ConfigMap\.data/);
  });

  it.each([
    ['name', { name: 'b' }, 400, 'the name of the object (b) does not match the name on the URL (a)'],
    [
      'namespace',
      { namespace: 'b' },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    ['uid', { uid: 'b' }, 422, 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "b": field is immutable'],
  ])('a patch cannot change the %s', async (_, metadata, code, message) => {
    const { status, body } = await server.patch(await configMap(), 'merge', { metadata });
    expect([status, body.message]).toEqual([code, message]);
  });

  it('a patch of what is not there answers 404', async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps/zz`;
    for (const [type, patch] of [
      ['merge', {}],
      ['strategic', {}],
      ['json', []],
    ] as const) {
      expect((await server.patch(path, type, patch)).status).toBe(404);
    }
  });

  it.each([
    [
      'merge',
      '[1]',
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
    ['merge', 'null', 'Invalid JSON Patch'],
    ['strategic', '[1]', 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['json', '{}', 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp'],
  ] as const)('a %s patch of %s is a bad request', async (type, text, message) => {
    const { status, body } = await server.patch(await configMap(), type, text);
    expect([status, body.reason, body.message]).toEqual([400, 'BadRequest', message]);
  });

  it('an unknown media type is not supported', async () => {
    for (const type of ['application/json', 'text/plain']) {
      const { status, body } = await server.call('PATCH', await configMap(), { body: {}, type });
      expect([status, body.reason]).toEqual([415, 'UnsupportedMediaType']);
    }
  });

  it('force is for server-side apply only', async () => {
    const path = await configMap();
    for (const type of ['merge', 'strategic', 'json'] as const) {
      const { status, body } = await server.patch(path, type, type === 'json' ? [] : {}, { force: true });
      expect([status, body.message]).toEqual([
        422,
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      ]);
    }
  });

  it('a media type may carry parameters', async () => {
    const type = `${patchTypes.merge}; charset=utf-8`;
    const { body } = await server.call('PATCH', await configMap(), { body: { data: { k: 'p' } }, type });
    expect(body.data.k).toBe('p');
  });

  it('the status subresource changes status only, the main resource all but status', async () => {
    const path = `/apis/apps/v1/namespaces/${await server.namespace()}/deployments`;
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const spec = { selector: { matchLabels: { a: 'b' } }, template };
    const created = await server.post(path, { metadata: { name: 'd' }, spec, status: { replicas: 9 } });
    expect(created.body.status).toEqual({});
    const patch = { spec: { replicas: 7 }, status: { replicas: 2, observedGeneration: 1 } };
    const status = await server.patch(`${path}/d/status`, 'merge', patch);
    expect(status.body.status).toEqual({ replicas: 2, observedGeneration: 1 });
    expect(status.body.spec.replicas).toBe(1);
    expect(status.body.metadata.generation).toBe(1);
    const main = await server.patch(`${path}/d`, 'merge', { ...patch, status: { replicas: 5 } });
    expect(main.body.spec.replicas).toBe(7);
    expect(main.body.status).toEqual({ replicas: 2, observedGeneration: 1 });
    expect(main.body.metadata.generation).toBe(2);
  });

  it('the scale subresource reads and writes the number of replicas', async () => {
    const path = `/apis/apps/v1/namespaces/${await server.namespace()}/deployments`;
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const selector = { matchLabels: { a: 'b', c: 'd' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] };
    const labels = { a: 'b', b: 'x', c: 'd' };
    const created = await server.post(path, {
      metadata: { name: 'd' },
      spec: { replicas: 2, selector, template: { ...template, metadata: { labels } } },
    });
    const { uid, creationTimestamp, resourceVersion, namespace } = created.body.metadata;
    const scale = await server.get(`${path}/d/scale`);
    expect(scale.body).toEqual({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'd', namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'a=b,b,c=d' },
    });
    expect((await server.patch(`${path}/d/scale`, 'merge', { spec: { replicas: 4 } })).body.spec).toEqual({
      replicas: 4,
    });
    expect((await server.put(`${path}/d/scale`, { metadata: { name: 'd' }, spec: {} })).body.spec).toEqual({});
    expect((await server.get(`${path}/d`)).body.spec.replicas).toBe(0);
    const negative = await server.patch(`${path}/d/scale`, 'merge', { spec: { replicas: -1 } });
    expect([negative.status, negative.body.message]).toEqual([
      422,
      'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ]);
    const stale = await server.put(`${path}/d/scale`, { metadata: { name: 'd', resourceVersion }, spec: {} });
    expect([stale.status, stale.body.reason]).toEqual([409, 'Conflict']);
  });
});
