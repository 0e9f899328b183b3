import { describe, expect, it } from 'vitest';
import { SliceTracker } from '../../src/endpointslice/tracker.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { slice } from './support/build.ts';

const KEY = 'shop/web';
const at = (generation: number, name = 's1') => slice(name, { generation });

describe('the tracker of own writes', () => {
  it('takes a slice it does not know for a foreign change, and one it wrote for its own', () => {
    const tracker = new SliceTracker();
    expect(tracker.isForeignChange(KEY, at(1))).toBe(true);
    tracker.wrote(KEY, at(2));
    expect(tracker.has(KEY, at(2))).toBe(true);
    expect(tracker.isForeignChange(KEY, at(1))).toBe(false);
    expect(tracker.isForeignChange(KEY, at(2))).toBe(false);
    expect(tracker.isForeignChange(KEY, at(3))).toBe(true);
  });

  it('takes any change of a slice it deleted for a foreign one', () => {
    const tracker = new SliceTracker();
    tracker.expectDeletion(KEY, at(2));
    expect(tracker.isForeignChange(KEY, at(1))).toBe(true);
  });

  it('tells its own deletions from those of others', () => {
    const tracker = new SliceTracker();
    tracker.wrote(KEY, at(1));
    expect(tracker.sawDeletion(KEY, at(1))).toBe(true);
    expect(tracker.has(KEY, at(1))).toBe(false);
    tracker.expectDeletion(KEY, at(1));
    expect(tracker.sawDeletion(KEY, at(1))).toBe(false);
    expect(tracker.sawDeletion(KEY, at(1))).toBe(true);
  });

  it('takes an expected deletion back that failed, unless it was seen meanwhile', () => {
    const tracker = new SliceTracker();
    tracker.wrote(KEY, at(3));
    tracker.expectDeletion(KEY, at(3))();
    expect(tracker.isForeignChange(KEY, at(3))).toBe(false);
    tracker.expectDeletion(KEY, at(1, 'unknown'))();
    expect(tracker.has(KEY, at(1, 'unknown'))).toBe(false);
    const takeBack = tracker.expectDeletion(KEY, at(3));
    tracker.sawDeletion(KEY, at(3));
    takeBack();
    expect(tracker.has(KEY, at(3))).toBe(false);
  });

  it.each<[string, (tracker: SliceTracker) => void, number[], boolean]>([
    ['nothing was written', () => {}, [1], false],
    ['the cache shows what was written', (t) => t.wrote(KEY, at(2)), [2], false],
    ['the cache is newer than what was written', (t) => t.wrote(KEY, at(2)), [3], false],
    ['the cache is older than what was written', (t) => t.wrote(KEY, at(2)), [1], true],
    ['a slice that was written is missing', (t) => t.wrote(KEY, at(2)), [], true],
    ['a slice that was deleted is still there', (t) => t.expectDeletion(KEY, at(2)), [2], true],
    ['a slice that was deleted is gone', (t) => t.expectDeletion(KEY, at(2)), [], false],
  ])('knows whether the cache lags: %s', (_, prepare, generations, stale) => {
    const tracker = new SliceTracker();
    prepare(tracker);
    expect(
      tracker.staleness(
        KEY,
        generations.map((g) => at(g)),
      ) !== undefined,
    ).toBe(stale);
  });

  it('names the slices that are not shown as it left them', () => {
    const tracker = new SliceTracker();
    for (const name of ['s1', 's2', 's3']) tracker.wrote(KEY, at(2, name));
    tracker.expectDeletion(KEY, at(2, 's4'));
    expect(tracker.staleness(KEY, [at(2, 's1'), at(1, 's3'), at(2, 's4')])).toEqual({
      unseen: [
        { uid: 'uid-s2', name: 's2' },
        { uid: 'uid-s3', name: 's3' },
        { uid: 'uid-s4', name: 's4' },
      ],
    });
  });

  const going = { ...at(2), metadata: { ...at(2).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  const recreated = { ...at(1), metadata: { ...at(1).metadata, uid: 'another' } };

  it.each<[string, (tracker: SliceTracker) => void, EndpointSlice | undefined, boolean]>([
    ['a slice it wrote is as it left it', (t) => t.wrote(KEY, at(2)), at(2), true],
    ['a slice it wrote was changed since', (t) => t.wrote(KEY, at(2)), at(3), true],
    ['a slice it wrote is back in an earlier state', (t) => t.wrote(KEY, at(2)), at(1), false],
    ['a slice it wrote is gone', (t) => t.wrote(KEY, at(2)), undefined, false],
    ['a slice it wrote was recreated', (t) => t.wrote(KEY, at(2)), recreated, false],
    ['a slice it deleted is gone', (t) => t.expectDeletion(KEY, at(2)), undefined, true],
    ['a slice it deleted was recreated', (t) => t.expectDeletion(KEY, at(2)), recreated, true],
    ['a slice it deleted is held by a finalizer', (t) => t.expectDeletion(KEY, at(2)), going, true],
    ['a slice it deleted is there after all', (t) => t.expectDeletion(KEY, at(2)), at(2), false],
  ])('goes on waiting for the cache only where that makes sense: %s', (_, prepare, actual, waits) => {
    const tracker = new SliceTracker();
    prepare(tracker);
    tracker.checked(KEY, 'uid-s1', actual);
    expect(tracker.has(KEY, at(2))).toBe(waits);
  });

  it('keeps Services apart and forgets one as a whole', () => {
    const tracker = new SliceTracker();
    tracker.wrote(KEY, at(5));
    expect(tracker.staleness('shop/other', [])).toBeUndefined();
    tracker.forgetService(KEY);
    expect(tracker.staleness(KEY, [])).toBeUndefined();
    expect(tracker.isForeignChange(KEY, at(5))).toBe(true);
  });
});
