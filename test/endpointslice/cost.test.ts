import { describe, expect, it } from 'vitest';
import type { Pod } from '../../src/objects/pod.ts';
import type { Service } from '../../src/objects/service.ts';
import { node, pod, service } from './support/build.ts';
import { Bench } from './support/fake-api.ts';

const PODS_EACH = 3;
const TEMPLATE = 'part-of';

/** Tells of every read of a property, at whatever depth. */
function watched<T extends object>(object: T, onRead: () => void): T {
  return new Proxy(object, {
    get(target, key) {
      onRead();
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'object' && value !== null ? watched(value, onRead) : value;
    },
    ownKeys(target) {
      onRead();
      return Reflect.ownKeys(target);
    },
  });
}

/** A namespace of `services` Services with three Pods each, all with one label in common, that has settled. */
class Namespace {
  readonly bench = new Bench();
  /** Reads of Services and Pods. */
  reads = 0;

  static async settled(services: number): Promise<Namespace> {
    const namespace = new Namespace();
    const { bench } = namespace;
    bench.nodes.put(node('node-a'));
    for (let s = 0; s < services; s++) {
      bench.services.put(namespace.watch(serviceNumber(s)));
      for (let p = 0; p < PODS_EACH; p++) bench.pods.put(namespace.watch(podNumber(s, p)));
    }
    await bench.start();
    while ((await bench.newCalls()).length > 0);
    await bench.clock.advance(5000);
    expect(await bench.newCalls()).toEqual([]);
    namespace.reads = 0;
    return namespace;
  }

  /** `put` copies what is on top, so that identity is not read through the proxy by the store itself. */
  watch<T extends Service | Pod>({ metadata, ...rest }: T): T {
    const onRead = () => {
      this.reads++;
    };
    const labels = metadata.labels ?? {};
    const parts = Object.entries(rest).map(([field, value]) => [field, watched(value as object, onRead)]);
    return { ...Object.fromEntries(parts), metadata: { ...metadata, labels: watched(labels, onRead) } } as T;
  }

  async readsFor(change: () => void): Promise<number> {
    const before = this.reads;
    change();
    expect(await this.bench.newCalls()).toHaveLength(1);
    return this.reads - before;
  }
}

function serviceNumber(s: number): Service {
  return service({ name: `s${s}`, uid: `uid-s${s}`, selector: { [TEMPLATE]: 'shop', app: `app-${s}` } });
}

function podNumber(s: number, p: number, ready = true): Pod {
  return pod(`s${s}-${p}`, {
    ip: `10.${s >> 8}.${s & 255}.${p + 1}`,
    labels: { [TEMPLATE]: 'shop', app: `app-${s}` },
    ready,
  });
}

async function readsOf(services: number): Promise<Record<string, number>> {
  const namespace = await Namespace.settled(services);
  const { pods } = namespace.bench;
  return {
    flip: await namespace.readsFor(() => pods.put(namespace.watch(podNumber(1, 0, false)))),
    added: await namespace.readsFor(() => pods.put(namespace.watch(podNumber(1, PODS_EACH)))),
    relabelled: await namespace.readsFor(() =>
      pods.put(namespace.watch(pod(`s1-${PODS_EACH}`, { ip: '10.9.9.9', labels: { [TEMPLATE]: 'shop' } }))),
    ),
    removed: await namespace.readsFor(() => pods.take(podNumber(1, 1))),
  };
}

describe('what an event costs', () => {
  it('does not grow with the Services and Pods of the namespace: as much of them is read in one of 4 as in one of 200', async () => {
    const small = await readsOf(4);
    for (const count of Object.values(small)) expect(count).toBeGreaterThan(0);
    expect(await readsOf(200)).toEqual(small);
  });

  it('is no call of the API when it leads to no change, be it of a Pod, a Service, or the time of a resync', async () => {
    const { bench } = await Namespace.settled(40);
    const calls = bench.api.calls.length;
    const syncs = async () => Number(await bench.metric('endpoint_slice_controller_syncs{result="success"}'));
    const before = await syncs();
    // Both are news to the cache; neither shows in slices.
    bench.pods.put({ ...podNumber(1, 0), spec: { ...podNumber(1, 0).spec, hostNetwork: true } });
    bench.services.put({ ...serviceNumber(2), spec: { ...serviceNumber(2).spec, sessionAffinity: 'ClientIP' } });
    await bench.newCalls();
    expect(await syncs()).toBe(before + 1);
    await bench.clock.advance(24 * 3_600_000 + 5000);
    expect(await syncs()).toBeGreaterThan(before + 40);
    expect(bench.api.calls.length).toBe(calls);
  });
});
