import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineHeap } from '../../src/workqueue/heap.ts';

function drain(heap: DeadlineHeap, now = Number.POSITIVE_INFINITY): string[] {
  const keys: string[] = [];
  for (let key = heap.shiftDue(now); key !== undefined; key = heap.shiftDue(now)) keys.push(key);
  return keys;
}

describe('the heap of delayed keys', () => {
  it('gives back only what is due, earliest first', () => {
    const heap = new DeadlineHeap();
    heap.set('c', 30);
    heap.set('a', 10);
    heap.set('b', 20);
    expect(heap.nextAt).toBe(10);
    expect(drain(heap, 20)).toEqual(['a', 'b']);
    expect(heap.nextAt).toBe(30);
    expect(heap.size).toBe(1);
  });

  it('moves a key it already holds, both ways', () => {
    const heap = new DeadlineHeap();
    for (const [key, at] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ] as const)
      heap.set(key, at);
    heap.set('c', 0);
    heap.set('a', 9);
    expect(heap.at('a')).toBe(9);
    expect(drain(heap)).toEqual(['c', 'b', 'a']);
  });

  it('removes from the middle', () => {
    const heap = new DeadlineHeap();
    for (let i = 0; i < 10; i++) heap.set(`k${i}`, (i * 7) % 10);
    expect(heap.delete('k4')).toBe(true);
    expect(heap.delete('k4')).toBe(false);
    expect(drain(heap)).toEqual(['k0', 'k3', 'k6', 'k9', 'k2', 'k5', 'k8', 'k1', 'k7']);
  });

  it('behaves like a sorted map under any sequence of operations', () => {
    const operation = fc.oneof(
      fc.record({ op: fc.constant('set' as const), key: fc.integer({ min: 0, max: 20 }), at: fc.nat(1000) }),
      fc.record({ op: fc.constant('delete' as const), key: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ op: fc.constant('shift' as const), now: fc.nat(1000) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const heap = new DeadlineHeap();
        const model = new Map<string, number>();
        for (const operation of operations) {
          if (operation.op === 'set') {
            heap.set(`${operation.key}`, operation.at);
            model.set(`${operation.key}`, operation.at);
          } else if (operation.op === 'delete') {
            expect(heap.delete(`${operation.key}`)).toBe(model.delete(`${operation.key}`));
          } else {
            const earliest = Math.min(...model.values());
            const key = heap.shiftDue(operation.now);
            if (earliest > operation.now) expect(key).toBeUndefined();
            else {
              expect(key !== undefined && model.get(key)).toBe(earliest);
              model.delete(key ?? '');
            }
          }
          expect(heap.size).toBe(model.size);
          expect(heap.nextAt).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
        }
      }),
    );
  });
});
