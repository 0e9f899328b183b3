import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ByteStream, KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import { createEventRecorder, NEW_EVENTS } from '../../src/kube/events.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { ENDPOINT_SLICES, ENDPOINT_SLICES_READ_ONLY, NODES, PODS, SERVICES } from '../../src/kube/projections.ts';
import { Reflector, type ReflectorOptions } from '../../src/kube/reflector.ts';
import { type Resource, resourcePath } from '../../src/kube/resource.ts';
import { resourceClient } from '../../src/kube/typed.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import type { KubeObject } from '../../src/objects/meta.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { type RealApiServer, startRealApiServer } from '../support/real-apiserver.ts';
import { recorder, until } from './support/recorder.ts';
import { RICH_NODES, RICH_PODS, RICH_SERVICES, RICH_SLICES } from './support/rich-objects.ts';
import { accessTo } from './support/scripted-server.ts';

const assets = process.env.KUBEBUILDER_ASSETS;
if (!assets)
  console.log('test/kube/real-apiserver: KUBEBUILDER_ASSETS is not set, nothing is run against a real kube-apiserver');

let server: RealApiServer;
let client: KubeClient;

async function connect(to: RealApiServer): Promise<KubeClient> {
  const tls = { ca: to.caData };
  const access = accessTo(to.url, {
    tls: () => Promise.resolve(tls),
    authorization: () => Promise.resolve(`Bearer ${to.token}`),
  });
  return createKubeClient(access, { userAgent: 'test', logger: silentLogger });
}

async function reflect<T extends KubeObject>(
  options: Pick<ReflectorOptions<T>, 'resource'> & Partial<ReflectorOptions<T>>,
): Promise<Reflector<T> & { relists: string[]; calls: string[] }> {
  const relists: string[] = [];
  const handler = recorder<T>();
  const reflector = new Reflector({
    client,
    logger: silentLogger,
    observer: { relist: (r) => relists.push(r) },
    ...options,
  });
  reflector.addHandler(handler);
  reflector.start();
  await reflector.synced;
  return Object.assign(reflector, { relists, calls: handler.calls });
}

/** Creates an object and, where it has one, writes its status. */
async function store(resource: Resource<KubeObject>, object: object): Promise<void> {
  const { metadata, status } = object as { metadata: { name: string; namespace?: string }; status?: object };
  await client.request({
    method: 'POST',
    path: resourcePath(resource, { namespace: metadata.namespace }),
    body: object,
  });
  if (!status) return;
  const path = resourcePath(resource, { ...metadata, subresource: 'status' });
  await client.request({ method: 'PATCH', path, patchType: 'merge', body: { status } });
}

const byName = (objects: Iterable<KubeObject>) =>
  Object.fromEntries([...objects].map((object) => [object.metadata.name, object]));

describe.runIf(assets)('against a real kube-apiserver', () => {
  beforeAll(async () => {
    server = await startRealApiServer(assets ?? '', { flags: ['--disable-admission-plugins=ServiceAccount'] });
    client = await connect(server);
    for (const [resource, objects] of [
      [NODES, RICH_NODES],
      [PODS, RICH_PODS],
      [SERVICES, RICH_SERVICES],
      [ENDPOINT_SLICES, RICH_SLICES],
    ] as const) {
      for (const object of objects) await store(resource, object);
    }
  }, 90_000);

  afterAll(async () => {
    await client?.close();
    await server?.stop();
  });

  const readings = [
    ['Node', NODES, RICH_NODES.length],
    ['Pod', PODS, RICH_PODS.length],
    // The server's own `kubernetes` Service.
    ['Service', SERVICES, RICH_SERVICES.length + 1],
    ['EndpointSlice', ENDPOINT_SLICES_READ_ONLY, RICH_SLICES.length],
    ['EndpointSlice to be written back', ENDPOINT_SLICES, RICH_SLICES.length],
  ] as const;

  it.each(readings)(
    '%s: objects are the same by watch-list and pages, by protobuf and JSON',
    async (_, resource, count) => {
      const { decode: _decode, ...json } = resource as Resource<KubeObject>;
      const results: Record<string, KubeObject>[] = [];
      for (const watchList of [true, false]) {
        for (const kind of [json, resource as Resource<KubeObject>]) {
          const reflector = await reflect({ resource: kind, watchList });
          // Nothing made it fall back to another way.
          expect(reflector.relists).toEqual(['start']);
          results.push(byName(reflector.store.list()));
          await reflector.stop();
        }
      }
      const [first, ...others] = results;
      expect(Object.keys(first ?? {})).toHaveLength(count);
      for (const other of others) expect(other).toEqual(first);
    },
  );

  it('changes arrive over protobuf as they do over JSON', async () => {
    const { decode: _decode, ...json } = SERVICES;
    const reflectors = [await reflect({ resource: SERVICES }), await reflect({ resource: json })];
    const before = reflectors.map((reflector) => reflector.calls.length);
    const services = resourceClient(client, SERVICES);
    const created = await services.create({
      metadata: { namespace: 'default', name: 'changing' },
      spec: { ports: [{ port: 80 }] },
    });
    await services.patch('default', 'changing', { metadata: { labels: { a: 'b' } } }, 'merge');
    await services.delete('default', 'changing', { preconditions: { uid: created.metadata.uid ?? '' } });
    await until(() => reflectors.every((reflector, i) => reflector.calls.length === (before[i] ?? 0) + 3));
    const [protobuf, plain] = reflectors.map((reflector, i) => reflector.calls.slice(before[i]));
    expect(protobuf).toEqual(plain);
    for (const reflector of reflectors) await reflector.stop();
  });

  it('a slice written back keeps what this code does not know of', async () => {
    const slices = resourceClient(client, ENDPOINT_SLICES);
    const read = await slices.get('default', 'rich-slice');
    const [first, ...others] = read.endpoints;
    if (!first) throw new Error('no endpoint');
    const changed: EndpointSlice = { ...read, endpoints: [{ ...first, zone: 'zone-c' }, ...others] };
    const written = await slices.update(changed);
    expect({ ...written, metadata: undefined }).toEqual({ ...changed, metadata: undefined });
    expect(written.metadata.annotations).toEqual(read.metadata.annotations);
    expect(written.metadata.generation).toBe((read.metadata.generation ?? 0) + 1);
    await expect(slices.update(changed)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('is asked for pages that it cuts', async () => {
    const names: string[] = [];
    for await (const service of resourceClient(client, SERVICES).list({ limit: 1 })) names.push(service.metadata.name);
    expect(names.sort()).toEqual(['external', 'headless', 'kubernetes', 'rich-service']);
  });

  it.each([
    ['core/v1', undefined],
    ['events.k8s.io/v1', NEW_EVENTS],
  ])('accepts events and their repetitions by %s', async (_, format) => {
    const events = createEventRecorder({
      client,
      logger: silentLogger,
      reporter: { component: 'slicewise-test', host: 'here' },
      ...(format && { format }),
    });
    const reason = format ? 'New' : 'Core';
    const regarding = { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'headless' };
    for (let i = 0; i < 3; i++)
      events.record({ regarding, type: 'Normal', reason, message: 'hello', action: 'Testing' });
    await events.stop();
    const list = (await client.request({
      method: 'GET',
      path: '/api/v1/namespaces/default/events',
      query: { fieldSelector: `reason=${reason}` },
    })) as { items: { count?: number; series?: { count: number } }[] };
    expect(list.items).toHaveLength(1);
    expect(list.items[0]?.series?.count ?? list.items[0]?.count).toBe(3);
  });
});

describe.runIf(assets)('against a real kube-apiserver that has forgotten its history', () => {
  it('lists anew after the 410 in its watch, and tells what it missed', async () => {
    const forgetful = await startRealApiServer(assets ?? '');
    const direct = await connect(forgetful);
    const { cut, mend, ...cuttable } = cuttableStreams(direct);
    const services = resourceClient(direct, SERVICES);
    const create = (name: string) =>
      services.create({ metadata: { namespace: 'default', name }, spec: { ports: [{ port: 80 }] } });
    try {
      const before = await create('before');
      const reflector = await reflect({ client: cuttable, resource: SERVICES });
      cut();
      await services.delete('default', 'before', { preconditions: { uid: before.metadata.uid ?? '' } });
      await create('after');
      await forgetful.forgetHistory();
      reflector.calls.length = 0;
      mend();
      await until(() => reflector.calls.length === 2);
      expect(reflector.relists).toEqual(['start', 'gone']);
      expect(reflector.calls.sort()).toEqual([
        expect.stringMatching(/^add after@\d+$/),
        `delete before@${before.metadata.resourceVersion} unknown`,
      ]);
      await reflector.stop();
    } finally {
      await direct.close();
      await forgetful.stop();
    }
  }, 120_000);
});

/** A client whose streams can be broken, and are refused until they are mended. */
function cuttableStreams(inner: KubeClient): KubeClient & { cut(): void; mend(): void } {
  const streams = new Set<ByteStream>();
  let away = false;
  return {
    request: (options) => inner.request(options),
    async stream(options) {
      if (away) throw new ApiError({ code: 'UNREACHABLE', message: 'cut' });
      const stream = await inner.stream(options);
      streams.add(stream);
      return stream;
    },
    close: () => inner.close(),
    cut() {
      away = true;
      for (const stream of streams) stream.destroy(new Error('cut'));
    },
    mend() {
      away = false;
    },
  };
}

describe.runIf(assets)('against a real kube-apiserver without watch-list', () => {
  it('lists by pages and watches', async () => {
    const old = await startRealApiServer(assets ?? '', { flags: ['--feature-gates=WatchList=false'] });
    const oldClient = await connect(old);
    try {
      const reflector = await reflect({ client: oldClient, resource: SERVICES });
      await until(() => reflector.status().phase === 'watching');
      expect(reflector.relists).toEqual(['start', 'watch-list-unsupported']);
      expect([...reflector.store.list()].map((service) => service.metadata.name)).toEqual(['kubernetes']);
      await reflector.stop();
    } finally {
      await oldClient.close();
      await old.stop();
    }
  }, 90_000);
});
