import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawObject } from '../../../src/embedded/apiserver/kind.ts';
import {
  type Bucket,
  CompactedError,
  Store,
  type StoreEvent,
  storeKey,
} from '../../../src/embedded/apiserver/store.ts';

const object = (namespace: string, name: string, value = 0): RawObject => ({ metadata: { namespace, name }, value });

function put(bucket: Bucket, namespace: string, name: string, value = 0): RawObject {
  return bucket.put(storeKey(namespace, name), object(namespace, name, value));
}

const keys = (entries: { key: string }[]) => entries.map(({ key }) => key);

describe('store', () => {
  it('counts one revision over all kinds', () => {
    const store = new Store(() => 0);
    const first = put(store.bucket('pods'), 'n', 'a');
    const second = put(store.bucket('services'), 'n', 'a');
    expect(Number(second.metadata.resourceVersion)).toBe(Number(first.metadata.resourceVersion) + 1);
    expect(store.revision).toBe(Number(second.metadata.resourceVersion));
  });

  it('lists a namespace in key order, without those whose names start alike', () => {
    const bucket = new Store(() => 0).bucket('pods');
    for (const [namespace, name] of [
      ['n', 'b'],
      ['n-1', 'a'],
      ['n', 'a'],
      ['m', 'z'],
      ['n1', 'c'],
    ] as const) {
      put(bucket, namespace, name);
    }
    expect(keys(bucket.list('n'))).toEqual(['n/a', 'n/b']);
    expect(keys(bucket.list())).toEqual(['m/z', 'n-1/a', 'n/a', 'n/b', 'n1/c']);
    expect(['l', 'm', 'n', 'n-', 'n1', 'o'].filter((namespace) => bucket.hasAny(namespace))).toEqual(['m', 'n', 'n1']);
  });

  it('tells listeners of each commit, with the state before', () => {
    const bucket = new Store(() => 0).bucket('pods');
    const events: StoreEvent[] = [];
    const stop = bucket.subscribe((event) => events.push(event));
    put(bucket, 'n', 'a', 1);
    put(bucket, 'n', 'a', 2);
    bucket.remove('n/a');
    stop();
    put(bucket, 'n', 'b');
    expect(events.map(({ type, object: now, before }) => [type, now.value, before?.value])).toEqual([
      ['ADDED', 1, undefined],
      ['MODIFIED', 2, 1],
      ['DELETED', 2, 2],
    ]);
    expect(events[2]?.object.metadata.resourceVersion).toBe(String(events[2]?.revision));
  });

  it('never changes a state that it has handed out', () => {
    const bucket = new Store(() => 0).bucket('pods');
    const first = put(bucket, 'n', 'a', 1);
    const version = first.metadata.resourceVersion;
    put(bucket, 'n', 'a', 2);
    bucket.remove('n/a');
    expect([first.value, first.metadata.resourceVersion]).toEqual([1, version]);
  });

  it('keeps at least minEvents and keepMs of history, and at most maxEvents', () => {
    let now = 0;
    const limits = { minEvents: 2, maxEvents: 4, keepMs: 100 };
    const bucket = new Store(() => now, limits).bucket('pods');
    const versions = Array.from({ length: 6 }, (_, i) => Number(put(bucket, 'n', 'a', i).metadata.resourceVersion));
    expect(bucket.since(versions[1] ?? 0)).toHaveLength(4);
    expect(() => bucket.since(versions[0] ?? 0)).toThrow(CompactedError);
    now = 1000;
    put(bucket, 'n', 'a', 6);
    expect(bucket.since(versions[4] ?? 0)).toHaveLength(2);
    expect(() => bucket.since(versions[3] ?? 0)).toThrow(CompactedError);
  });

  it('after a compaction holds nothing of the past', () => {
    const store = new Store(() => 0);
    const bucket = store.bucket('pods');
    put(bucket, 'n', 'a');
    const before = store.revision;
    put(bucket, 'n', 'b');
    bucket.compact();
    expect(() => bucket.listAt(before)).toThrow(CompactedError);
    expect(bucket.since(store.revision)).toEqual([]);
  });

  it('can show every state that it has been in', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      namespace: fc.constantFrom('m', 'n'),
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const store = new Store(() => 0);
        const bucket = store.bucket('pods');
        const states = new Map<number, { all: string; inN: string }>();
        const show = (entries: { key: string; object: RawObject }[]) =>
          entries.map(({ key, object: { value } }) => `${key}=${String(value)}`).join();
        const note = () => states.set(store.revision, { all: show(bucket.list()), inN: show(bucket.list('n')) });
        note();
        for (const [i, { name, namespace, remove }] of steps.entries()) {
          if (remove) bucket.remove(storeKey(namespace, name));
          else put(bucket, namespace, name, i);
          note();
        }
        for (const [revision, { all, inN }] of states) {
          expect(show(bucket.listAt(revision))).toBe(all);
          expect(show(bucket.listAt(revision, 'n'))).toBe(inN);
        }
      }),
    );
  });
});
