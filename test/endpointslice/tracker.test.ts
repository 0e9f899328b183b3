import { describe, expect, it } from 'vitest';
import { SliceTracker } from '../../src/endpointslice/tracker.ts';
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

  it('names the slices that are missing', () => {
    const tracker = new SliceTracker();
    tracker.wrote(KEY, at(1, 's1'));
    tracker.wrote(KEY, at(1, 's2'));
    expect(tracker.staleness(KEY, [at(1, 's1')])).toEqual({ missing: [{ uid: 'uid-s2', name: 's2' }] });
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
