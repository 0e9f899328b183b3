import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';

describeWithServers('status objects', (server) => {
  const path = async () => `/api/v1/namespaces/${await server.namespace()}/configmaps`;

  it('what is not there', async () => {
    const { status, body } = await server.get(`${await path()}/zz`);
    expect([status, body]).toEqual([
      404,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'configmaps "zz" not found',
        reason: 'NotFound',
        details: { name: 'zz', kind: 'configmaps' },
        code: 404,
      },
    ]);
  });

  it('names the group of kinds outside the core', async () => {
    const { body } = await server.get('/apis/apps/v1/namespaces/default/deployments/zz');
    expect(body.message).toBe('deployments.apps "zz" not found');
    expect(body.details).toEqual({ name: 'zz', group: 'apps', kind: 'deployments' });
  });

  it('what is there already', async () => {
    const at = await path();
    await server.post(at, { metadata: { name: 'a' } });
    const { status, body } = await server.post(at, { metadata: { name: 'a' } });
    expect([status, body.reason, body.message, body.details]).toEqual([
      409,
      'AlreadyExists',
      'configmaps "a" already exists',
      { name: 'a', kind: 'configmaps' },
    ]);
  });

  it('every cause of an invalid object, and all of them in the message', async () => {
    const metadata = { name: 'a', labels: { ok: '-x' }, finalizers: ['foo'] };
    const { status, body } = await server.post(await path(), { metadata });
    expect([status, body.reason]).toEqual([422, 'Invalid']);
    expect(body.details).toMatchObject({ name: 'a', kind: 'ConfigMap' });
    const causes = body.details.causes ?? [];
    expect(causes.map(({ reason, field }) => [reason, field])).toEqual([
      ['FieldValueInvalid', 'metadata.labels'],
      ['FieldValueInvalid', 'metadata.finalizers[0]'],
    ]);
    const list = causes.map(({ field, message }) => `${field}: ${message}`).join(', ');
    expect(body.message).toBe(`ConfigMap "a" is invalid: [${list}]`);
  });

  it('a missing name', async () => {
    const { status, body } = await server.post(await path(), { metadata: {} });
    expect([status, body.message, body.details]).toEqual([
      422,
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      {
        kind: 'ConfigMap',
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: name or generateName is required',
            field: 'metadata.name',
          },
        ],
      },
    ]);
  });

  it.each([
    [
      'POST',
      '',
      { metadata: { name: 'a', resourceVersion: '5' } },
      500,
      'resourceVersion should not be set on objects to be created',
    ],
    [
      'POST',
      '',
      { metadata: { name: 'a', namespace: 'other' } },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'POST',
      '',
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
      400,
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    ],
    [
      'POST',
      '',
      { metadata: { name: 'a' }, data: [1] },
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string',
    ],
    [
      'POST',
      '',
      { metadata: { name: 1 } },
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string',
    ],
    [
      'PUT',
      '/there',
      { metadata: { name: 'b' } },
      400,
      'the name of the object (b) does not match the name on the URL (there)',
    ],
    [
      'PUT',
      '/there',
      { metadata: {} },
      400,
      'the name of the object (there based on URL) was undeterminable: name must be provided',
    ],
    [
      'PUT',
      '/there',
      { metadata: { name: 'there', resourceVersion: 'abc' } },
      500,
      'strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    [
      'POST',
      '?dryRun=Foo',
      { metadata: { name: 'a' } },
      422,
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Foo"]: supported values: "All"',
    ],
    [
      'POST',
      '?fieldValidation=Foo',
      { metadata: { name: 'a' } },
      422,
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"',
    ],
    [
      'POST',
      `?fieldManager=${'a'.repeat(129)}`,
      { metadata: { name: 'a' } },
      422,
      'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
    ],
  ] as const)('%s %s of %j is refused', async (method, suffix, body, code, message) => {
    const at = await path();
    await server.post(at, { metadata: { name: 'there' } });
    const answer = await server.call(method, `${at}${suffix}`, { body });
    expect([answer.status, answer.body.message]).toEqual([code, message]);
    expect(answer.body).toMatchObject({ kind: 'Status', status: 'Failure', code });
  });

  it.each([
    ['text that is not JSON', '{"a":', 'application/json', 400, 'BadRequest'],
    ['an array', '[1]', 'application/json', 400, 'BadRequest'],
    ['nothing', '', 'application/json', 400, 'BadRequest'],
    ['an unknown media type', 'hello', 'text/plain', 415, 'UnsupportedMediaType'],
    ['a body that is no protobuf', 'hello', 'application/vnd.kubernetes.protobuf', 400, 'BadRequest'],
    ['more than 3 MiB', `{"a":"${'x'.repeat(3 * 1024 * 1024)}"}`, 'application/json', 413, 'RequestEntityTooLarge'],
  ])('a body of %s is refused', async (_, body, type, code, reason) => {
    const answer = await server.call('POST', await path(), { body, type });
    expect([answer.status, answer.body.reason]).toEqual([code, reason]);
  });

  it('YAML is read as well, in version 1.1 where y means true', async () => {
    const at = await path();
    const post = (name: string) => {
      const body = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  k: "1"\n`;
      return server.call('POST', at, { body, type: 'application/yaml' });
    };
    const answer = await post('a');
    expect([answer.status, answer.body.data]).toEqual([201, { k: '1' }]);
    expect((await post('y')).body.message).toMatch(/cannot unmarshal bool into Go struct field .*metadata\.name/);
  });

  it('unknown fields are dropped with a warning, or refused when asked to be strict', async () => {
    const at = await path();
    const body = { metadata: { name: 'a', bar: 2 }, foo: 1 };
    const warned = await server.post(at, body);
    expect(warned.status).toBe(201);
    expect(warned.body.foo).toBeUndefined();
    const warnings = [warned.headers.warning].flat().join(', ');
    expect(warnings).toBe('299 - "unknown field \\"metadata.bar\\"", 299 - "unknown field \\"foo\\""');
    const ignored = await server.post(at, { ...body, metadata: { name: 'b' } }, { fieldValidation: 'Ignore' });
    expect([ignored.status, ignored.headers.warning]).toEqual([201, undefined]);
    const strict = await server.post(at, body, { fieldValidation: 'Strict' });
    expect([strict.status, strict.body.message]).toEqual([
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.bar", unknown field "foo"',
    ]);
  });

  it('methods that a path does not have', async () => {
    const at = await path();
    await server.post(at, { metadata: { name: 'a' } });
    const body = { metadata: { name: 'a' } };
    for (const [method, target] of [
      ['POST', `${at}/a`],
      ['PUT', at],
      ['POST', '/api/v1/configmaps'],
    ] as const) {
      const answer = await server.call(method, target, { body });
      expect([target, answer.status, answer.body.message]).toEqual([
        target,
        405,
        'the server does not allow this method on the requested resource',
      ]);
    }
  });

  it.each([
    '/api/v1/namespaces/default/nonsense',
    '/api/v1/configmaps/a',
    '/api/v1/namespaces/default/configmaps/a/status',
    '/api/v1/namespaces/default/nodes',
  ])('a resource that is not served: %s', async (target) => {
    const { status, body } = await server.get(target);
    expect([status, body.reason, body.message]).toEqual([
      404,
      'NotFound',
      'the server could not find the requested resource',
    ]);
  });

  it('a path that is not served at all is plain text', async () => {
    for (const target of ['/nope', '/apis/example.com/v1/things']) {
      const { status, body } = await server.get(target);
      expect([target, status, body.text]).toEqual([target, 404, '404 page not found\n']);
    }
  });

  it('an unknown bearer token', async () => {
    const { status, body } = await server.call('GET', '/api', { headers: { authorization: 'Bearer nobody' } });
    expect([status, body]).toEqual([
      401,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'Unauthorized',
        reason: 'Unauthorized',
        code: 401,
      },
    ]);
  });
});
