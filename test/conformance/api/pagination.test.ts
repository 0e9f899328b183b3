import { expect, it } from 'vitest';
import { type Body, describeWithServers } from './harness.ts';

const names = (body: Body) => body.items.map(({ metadata }) => metadata.name);

describeWithServers('lists and pages', (server) => {
  const configMaps = async () => `/api/v1/namespaces/${await server.namespace()}/configmaps`;
  const seven = async () => {
    const path = await configMaps();
    for (let i = 0; i < 7; i++) await server.post(path, { metadata: { name: `c${i}`, labels: { n: String(i) } } });
    return path;
  };

  it('a list names its kind, and its items do not', async () => {
    const path = await configMaps();
    await server.post(path, { metadata: { name: 'a' }, data: { k: '1' } });
    const { body } = await server.get(path);
    expect(body).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
    expect(body.metadata.resourceVersion).toMatch(/^\d+$/);
    expect(body.items[0]?.kind).toBeUndefined();
    expect(body.items[0]?.apiVersion).toBeUndefined();
    expect(body.items[0]?.data).toEqual({ k: '1' });
  });

  it('an empty list has an empty array', async () => {
    expect((await server.get(await configMaps())).body.items).toEqual([]);
  });

  it('pages follow each other in key order and count what remains', async () => {
    const path = await seven();
    const first = (await server.get(path, { limit: 3 })).body;
    expect([names(first), first.metadata.remainingItemCount]).toEqual([['c0', 'c1', 'c2'], 4]);
    const second = (await server.get(path, { limit: 3, continue: first.metadata.continue })).body;
    expect([names(second), second.metadata.remainingItemCount]).toEqual([['c3', 'c4', 'c5'], 1]);
    const third = (await server.get(path, { limit: 3, continue: second.metadata.continue })).body;
    expect(names(third)).toEqual(['c6']);
    expect(third.metadata.continue).toBeUndefined();
    expect(third.metadata.remainingItemCount).toBeUndefined();
  });

  it('all pages show the state at the first one', async () => {
    const path = await seven();
    const first = (await server.get(path, { limit: 3 })).body;
    await server.delete(`${path}/c4`);
    await server.post(path, { metadata: { name: 'c33' } });
    await server.patch(`${path}/c5`, 'merge', { data: { changed: 'yes' } });
    const rest = (await server.get(path, { continue: first.metadata.continue })).body;
    expect(names(rest)).toEqual(['c3', 'c4', 'c5', 'c6']);
    expect(rest.items[2]?.data).toBeUndefined();
    expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(names((await server.get(path)).body)).toEqual(['c0', 'c1', 'c2', 'c3', 'c33', 'c5', 'c6']);
  });

  it('a selector leaves the count of remaining items open', async () => {
    const path = await seven();
    const query = { limit: 2, labelSelector: 'n in (1,3,5)' };
    const first = (await server.get(path, query)).body;
    expect(names(first)).toEqual(['c1', 'c3']);
    expect(first.metadata.remainingItemCount).toBeUndefined();
    const second = (await server.get(path, { ...query, continue: first.metadata.continue })).body;
    expect(names(second)).toEqual(['c5']);
    expect(second.metadata.continue).toBeUndefined();
  });

  it('a list across namespaces pages through namespace after namespace', async () => {
    const [one, two] = [await configMaps(), await configMaps()];
    for (const path of [one, two]) {
      for (const name of ['a', 'b']) await server.post(path, { metadata: { name, labels: { paged: 'yes' } } });
    }
    const found: string[] = [];
    let token: string | undefined;
    do {
      const query = { limit: 1, labelSelector: 'paged=yes', continue: token };
      const { body } = await server.get('/api/v1/configmaps', query);
      found.push(...body.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
      token = body.metadata.continue;
    } while (token);
    expect(found).toHaveLength(4);
    expect(found).toEqual([...found].sort());
  });

  it('resourceVersion=0 is served as a whole whatever the limit', async () => {
    const path = await seven();
    const { body } = await server.get(path, { limit: 2, resourceVersion: '0' });
    expect(names(body)).toHaveLength(7);
    expect(body.metadata.continue).toBeUndefined();
  });

  it('an exact resourceVersion shows the past, another one at least that', async () => {
    const path = await seven();
    const { resourceVersion } = (await server.get(path)).body.metadata;
    await server.delete(`${path}/c0`);
    const exact = await server.get(path, { resourceVersion, resourceVersionMatch: 'Exact' });
    expect(names(exact.body)).toHaveLength(7);
    expect(exact.body.metadata.resourceVersion).toBe(resourceVersion);
    for (const resourceVersionMatch of ['NotOlderThan', undefined]) {
      const newer = await server.get(path, { resourceVersion, resourceVersionMatch });
      expect(newer.status).toBe(200);
      expect(Number(newer.body.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(resourceVersion));
    }
  });

  it('a version of the future times out with 504', async () => {
    const { status, headers, body } = await server.get(await configMaps(), { resourceVersion: '99999999' });
    expect([status, headers['retry-after']]).toEqual([504, '1']);
    expect(body.message).toMatch(/^Timeout: Too large resource version: 99999999, current: \d+$/);
    expect(body.details.causes).toEqual([{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]);
  });

  const token = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each([
    [{ continue: 'abc' }, 400, 'invalid continue token: continue key is not valid: '],
    [{ continue: token({ v: 'x', rv: 5, start: '/a' }) }, 400, 'invalid continue token: continue key is not valid: '],
    [
      { continue: token({ v: 'meta.k8s.io/v1', rv: 0, start: '/a' }) },
      400,
      'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    ],
    [
      { continue: token({ v: 'meta.k8s.io/v1', rv: 5, start: '/a' }), resourceVersion: '5' },
      400,
      'specifying resource version is not allowed when using continue',
    ],
    [{ resourceVersion: 'abc' }, 400, 'invalid resource version: resourceVersion: Invalid value: "abc"'],
    [{ limit: 'x' }, 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [{ timeoutSeconds: 'x' }, 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      { resourceVersionMatch: 'Exact' },
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      { resourceVersionMatch: 'Exact', resourceVersion: '0' },
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      { resourceVersionMatch: 'Foo', resourceVersion: '1' },
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""',
    ],
  ])('refuses %j with %d', async (query, code, message) => {
    const { status, body } = await server.get(await configMaps(), query);
    expect(status).toBe(code);
    expect(body).toMatchObject({ kind: 'Status', status: 'Failure', code });
    expect(body.message.startsWith(message), body.message).toBe(true);
  });
});

describeWithServers(
  'pages after compaction',
  (server) => {
    it('an expired token answers 410 and offers to go on inconsistently', async () => {
      const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
      for (const name of ['a', 'b', 'c']) await server.post(path, { metadata: { name } });
      const { metadata } = (await server.get(path, { limit: 1 })).body;
      await server.delete(`${path}/b`);
      await server.compact();
      const gone = await server.get(path, { limit: 1, continue: metadata.continue });
      expect(gone.status).toBe(410);
      expect(gone.body).toMatchObject({ kind: 'Status', reason: 'Expired', code: 410 });
      expect(gone.body.message).toMatch(/^The provided continue parameter is too old to display a consistent list/);
      const rest = await server.get(path, { continue: gone.body.metadata.continue });
      expect(names(rest.body)).toEqual(['c']);
    }, 60_000);

    it('an exact version that is no longer held answers 410', async () => {
      const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
      const { body } = await server.post(path, { metadata: { name: 'a' } });
      await server.delete(`${path}/a`);
      await server.compact();
      const { resourceVersion } = body.metadata;
      const answer = await server.get(path, { resourceVersion, resourceVersionMatch: 'Exact' });
      expect([answer.status, answer.body.reason]).toEqual([410, 'Expired']);
    }, 60_000);
  },
  { compacts: true },
);
