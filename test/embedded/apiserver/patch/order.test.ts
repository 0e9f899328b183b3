import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeOrder } from '../../../../src/embedded/apiserver/patch/order.ts';

const itself = (item: unknown) => item;

describe('the order of a merged list', () => {
  it('keeps every item, the named ones in their order and the others in the order of the live list', () => {
    const list = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 8 });
    fc.assert(
      fc.property(list, list, (live, order) => {
        const merged = [...new Set([...live, ...order])];
        const result = normalizeOrder(merged, order, live, itself);
        expect([...result].sort()).toEqual([...merged].sort());
        expect(result.filter((item) => order.includes(Number(item)))).toEqual(order);
        expect(result.filter((item) => !order.includes(Number(item)))).toEqual(
          live.filter((item) => !order.includes(item)),
        );
      }),
    );
  });

  it('puts an item that is not named before the first named one that stood after it', () => {
    expect(normalizeOrder([1, 2, 3, 4], [3, 1], [1, 2, 3, 4], itself)).toEqual([2, 3, 1, 4]);
    expect(normalizeOrder([1, 2, 3, 4, 9, 8], [9, 2, 8], [1, 2, 3, 4], itself)).toEqual([9, 1, 2, 8, 3, 4]);
  });
});
