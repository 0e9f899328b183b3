import { beforeEach, describe, expect, it } from 'vitest';
import { Store } from '../../src/kube/store.ts';
import type { KubeObject } from '../../src/objects/meta.ts';

interface Thing extends KubeObject {
  color?: string;
}

function thing(name: string, resourceVersion: string, more: { color?: string; uid?: string } = {}): Thing {
  const { color, uid = `uid-${name}` } = more;
  return { metadata: { namespace: 'ns', name, resourceVersion, uid }, ...(color && { color }) };
}

let calls: string[];
const recorder = {
  onAdd: (o: Thing, initial: boolean) =>
    void calls.push(`add ${o.metadata.name}@${o.metadata.resourceVersion}${initial ? ' initial' : ''}`),
  onUpdate: (b: Thing, a: Thing) =>
    void calls.push(`update ${a.metadata.name} ${b.metadata.resourceVersion}->${a.metadata.resourceVersion}`),
  onDelete: (o: Thing, unknown: boolean) =>
    void calls.push(`delete ${o.metadata.name}@${o.metadata.resourceVersion}${unknown ? ' unknown' : ''}`),
};
const byColor = { color: (o: Thing) => (o.color ? [o.color] : []) };

function replace(store: Store<Thing>, objects: Thing[], initial = false): void {
  const draft = store.draft();
  for (const object of objects) draft.set(object);
  for (const _ of store.replace(draft, initial));
}

beforeEach(() => {
  calls = [];
});

describe('single changes', () => {
  it('are told as add, update with old and new, and delete with the final state', () => {
    const store = new Store<Thing>();
    store.addHandler(recorder);
    expect(store.apply(thing('a', '1'))).toBe('added');
    expect(store.apply(thing('a', '2'))).toBe('updated');
    expect(store.remove(thing('a', '3'))).toBe(true);
    expect(calls).toEqual(['add a@1', 'update a 1->2', 'delete a@3']);
    expect(store.size).toBe(0);
  });

  it('of the version that is cached already are no news', () => {
    const store = new Store<Thing>();
    store.apply(thing('a', '1'));
    store.addHandler(recorder);
    calls = [];
    expect(store.apply(thing('a', '1'))).toBe('unchanged');
    expect(store.remove(thing('b', '1'))).toBe(false);
    expect(calls).toEqual([]);
  });

  it('are visible to readers before handlers hear of them', () => {
    const store = new Store<Thing>(byColor);
    const seen: unknown[] = [];
    store.addHandler({
      onAdd: (o) => seen.push(store.get('ns/a') === o, [...store.byIndex('color', 'red')].length),
      onUpdate: () => {},
      onDelete: () => seen.push(store.get('ns/a'), [...store.byIndex('color', 'red')].length),
    });
    store.apply(thing('a', '1', { color: 'red' }));
    store.remove(thing('a', '2'));
    expect(seen).toEqual([true, 1, undefined, 0]);
  });

  it('that recreate an object under its name are told as a delete and an add', () => {
    const store = new Store<Thing>();
    store.apply(thing('a', '1', { uid: 'one' }));
    store.addHandler(recorder);
    calls = [];
    store.apply(thing('a', '5', { uid: 'two' }));
    expect(calls).toEqual(['delete a@1 unknown', 'add a@5']);
  });
});

describe('indexes', () => {
  it('find objects by every value, and follow changes', () => {
    const store = new Store<Thing>({ letters: (o) => (o.color ?? '').split('') });
    store.apply(thing('a', '1', { color: 'xy' }));
    store.apply(thing('b', '2', { color: 'yz' }));
    const names = (value: string) => [...store.byIndex('letters', value)].map((o) => o.metadata.name);
    expect([names('x'), names('y'), names('z')]).toEqual([['a'], ['a', 'b'], ['b']]);
    store.apply(thing('a', '3', { color: 'z' }));
    expect([names('x'), names('y'), names('z').sort()]).toEqual([[], ['b'], ['a', 'b']]);
    store.remove(thing('b', '4'));
    expect([names('y'), names('z')]).toEqual([[], ['a']]);
  });

  it('that are not there are named', () => {
    expect(() => new Store<Thing>(byColor).byIndex('size', 'x')).toThrow('no index "size" (known: color)');
  });

  it('stay as they were when an index function throws', () => {
    const store = new Store<Thing>({
      color: (o) => {
        if (o.color === 'bad') throw new Error('bad color');
        return [o.color ?? ''];
      },
    });
    store.apply(thing('a', '1', { color: 'red' }));
    expect(() => store.apply(thing('a', '2', { color: 'bad' }))).toThrow('bad color');
    expect(store.get('ns/a')?.metadata.resourceVersion).toBe('1');
    expect([...store.byIndex('color', 'red')]).toHaveLength(1);
  });
});

describe('a whole new state', () => {
  it('is told as the difference: deletes with the last state known, updates with old and new, adds', () => {
    const store = new Store<Thing>();
    for (const [name, rv] of [
      ['gone', '1'],
      ['same', '2'],
      ['changed', '3'],
    ] as const)
      store.apply(thing(name, rv));
    store.addHandler(recorder);
    calls = [];
    replace(store, [thing('same', '2'), thing('changed', '7'), thing('new', '8')]);
    expect(calls).toEqual(['delete gone@1 unknown', 'update changed 3->7', 'add new@8']);
  });

  it('keeps the very object whose version did not change', () => {
    const store = new Store<Thing>();
    store.apply(thing('a', '1'));
    const before = store.get('ns/a');
    replace(store, [thing('a', '1')]);
    expect(store.get('ns/a')).toBe(before);
  });

  it('appears to readers at once and completely, before the first handler call', () => {
    const store = new Store<Thing>(byColor);
    store.apply(thing('a', '1', { color: 'red' }));
    const draft = store.draft();
    draft.set(thing('b', '2', { color: 'red' }));
    draft.set(thing('c', '3', { color: 'red' }));
    expect([...store.byIndex('color', 'red')].map((o) => o.metadata.name)).toEqual(['a']);
    const telling = store.replace(draft, true);
    telling.next();
    expect([...store.byIndex('color', 'red')].map((o) => o.metadata.name)).toEqual(['b', 'c']);
    expect(store.size).toBe(2);
  });

  it('is told to those attached at that moment; a later one gets it as a replay, each object once', () => {
    const store = new Store<Thing>();
    const draft = store.draft();
    for (const name of ['a', 'b', 'c']) draft.set(thing(name, '1'));
    const telling = store.replace(draft, true);
    telling.next();
    store.addHandler(recorder);
    for (const _ of telling);
    expect(calls).toEqual(['add a@1 initial', 'add b@1 initial', 'add c@1 initial']);
  });
});

describe('handlers', () => {
  it('that throw do not keep others from hearing, and are reported with the key', () => {
    const failures: string[] = [];
    const store = new Store<Thing>({}, (error, key) => failures.push(`${key}: ${(error as Error).message}`));
    const broken = () => {
      throw new Error('broken');
    };
    store.addHandler({ onAdd: broken, onUpdate: broken, onDelete: broken });
    store.addHandler(recorder);
    store.apply(thing('a', '1'));
    store.apply(thing('a', '2'));
    store.remove(thing('a', '3'));
    expect(calls).toEqual(['add a@1', 'update a 1->2', 'delete a@3']);
    expect(failures).toEqual(['ns/a: broken', 'ns/a: broken', 'ns/a: broken']);
  });

  it('hear nothing more once detached', () => {
    const store = new Store<Thing>();
    const detach = store.addHandler(recorder);
    store.apply(thing('a', '1'));
    detach();
    store.apply(thing('a', '2'));
    expect(calls).toEqual(['add a@1']);
  });
});
