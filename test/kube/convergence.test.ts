import { afterEach, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../src/embedded/apiserver/server.ts';
import { isApiError } from '../../src/kube/errors.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { ENDPOINT_SLICES, ENDPOINT_SLICES_READ_ONLY } from '../../src/kube/projections.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { type ResourceClient, resourceClient } from '../../src/kube/typed.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { objectKey } from '../../src/objects/meta.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { fastClock } from './support/fast-clock.ts';
import { until } from './support/recorder.ts';
import { accessTo } from './support/scripted-server.ts';
import { StrictFollower } from './support/strict-follower.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Numbers in [0, 1) that a seed determines (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const faults: Record<string, (server: ApiServer) => void> = {
  'watches are cut': (server) => server.faults.dropWatches(),
  'watches are cut within an event': (server) => server.faults.breakWatches(),
  'history is forgotten': (server) => server.faults.compact(),
  'history is forgotten and watches are cut': (server) => {
    server.faults.compact();
    server.faults.dropWatches();
  },
  'connections are cut at request': (server) => server.faults.cutNext(2, { verb: ['watch', 'list'] }),
  ...Object.fromEntries(
    ([410, 429, 500, 503, 504] as const).map((code) => [
      `${code} is answered`,
      (server: ApiServer) => {
        server.faults.failNext(2, { verb: ['watch', 'list'] }, code);
        server.faults.dropWatches();
      },
    ]),
  ),
};

async function changeSomething(slices: ResourceClient<EndpointSlice>, random: () => number): Promise<void> {
  const namespace = 'default';
  const name = `slice-${Math.floor(random() * 12)}`;
  const address = `10.0.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`;
  const existing = await slices.get(namespace, name).catch((error: unknown) => {
    if (isApiError(error, 'NOT_FOUND')) return undefined;
    throw error;
  });
  if (!existing) {
    await slices.create({
      metadata: { namespace, name, labels: { color: random() < 0.5 ? 'red' : 'blue' } },
      addressType: 'IPv4',
      endpoints: [],
      ports: [],
    });
  } else if (random() < 0.3) {
    await slices.delete(namespace, name);
  } else {
    const labels = { color: random() < 0.5 ? 'red' : 'blue' };
    await slices.update({
      ...existing,
      metadata: { ...existing.metadata, labels },
      endpoints: [{ addresses: [address] }],
    });
  }
}

describe('a reflector never loses a change', () => {
  it.each([1, 2])('while objects come, change and go, and all kinds of faults happen (seed %i)', async (seed) => {
    const random = randomFrom(seed);
    const server = await startApiServer({ tls: false });
    cleanups.push(() => server.stop());
    const access = accessTo(server.url, { authorization: () => Promise.resolve(`Bearer ${server.token}`) });
    const clock = fastClock(400);
    const client = createKubeClient(access, { userAgent: 'test', logger: silentLogger, timeoutMs: 1e9, clock });
    cleanups.push(() => client.close());
    const troubles: Record<string, number> = {};
    const count = (what: string) => {
      troubles[what] = (troubles[what] ?? 0) + 1;
    };
    const followers: { label: string; follower: StrictFollower<EndpointSlice>; reflector: Reflector<EndpointSlice> }[] =
      [];
    for (const watchList of [true, false]) {
      for (const labelSelector of [undefined, 'color=red']) {
        const reflector = new Reflector({
          client,
          // One asks for protobuf, which this server does not have.
          resource: labelSelector ? ENDPOINT_SLICES_READ_ONLY : ENDPOINT_SLICES,
          logger: silentLogger,
          clock,
          random,
          watchList,
          labelSelector,
          observer: { relist: (reason) => count(`relist: ${reason}`), failed: (code) => count(code) },
          indexers: { address: (slice) => slice.endpoints.flatMap((endpoint) => endpoint.addresses) },
        });
        const follower = new StrictFollower<EndpointSlice>();
        reflector.addHandler(follower);
        reflector.start();
        cleanups.push(() => reflector.stop());
        followers.push({
          label: `${watchList ? 'watch-list' : 'pages'}, ${labelSelector ?? 'all'}`,
          follower,
          reflector,
        });
      }
    }
    const slices = resourceClient(client, ENDPOINT_SLICES);
    const kinds = Object.values(faults);
    for (let i = 0; i < 400; i++) {
      await changeSomething(slices, random);
      if (random() >= 0.15) continue;
      // Some faults hit reflectors that are still busy with the one before, others hit them at rest.
      if (random() < 0.7)
        await until(() => followers.every(({ reflector }) => reflector.status().phase === 'watching'));
      kinds[i % kinds.length]?.(server);
    }
    server.faults.clear();
    // The faults did reach the reflectors.
    for (const what of ['relist: gone', 'GONE', 'UNREACHABLE', 'TOO_MANY_REQUESTS', 'SERVER_ERROR', 'TIMEOUT']) {
      expect(troubles[what], what).toBeGreaterThan(0);
    }
    const expected = new Map<string, EndpointSlice>();
    for await (const slice of slices.list()) expected.set(objectKey(slice.metadata), slice);
    const versions = (objects: Iterable<EndpointSlice>, red: boolean) =>
      [...objects]
        .filter((slice) => !red || slice.metadata.labels?.color === 'red')
        .map((slice) => `${objectKey(slice.metadata)}@${slice.metadata.resourceVersion}`)
        .sort();
    for (const { label, follower, reflector } of followers) {
      const wanted = versions(expected.values(), label.endsWith('red'));
      await until(() => versions(reflector.store.list(), false).join() === wanted.join());
      expect(versions(follower.objects.values(), false), label).toEqual(wanted);
      expect(follower.violations, label).toEqual([]);
      for (const slice of reflector.store.list()) {
        expect(reflector.store.get(objectKey(slice.metadata))).toBe(slice);
        for (const { addresses } of slice.endpoints) {
          for (const address of addresses) expect([...reflector.store.byIndex('address', address)]).toContain(slice);
        }
      }
    }
  });
});
