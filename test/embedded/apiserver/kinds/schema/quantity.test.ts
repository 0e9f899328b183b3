import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalQuantity,
  formatQuantity,
  parseQuantity,
} from '../../../../../src/embedded/apiserver/kinds/schema/quantity.ts';

describe('the canonical form of an amount', () => {
  const table: [string, string | undefined][] = [
    ['1', '1'],
    ['0', '0'],
    ['0Gi', '0'],
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['2000', '2k'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['1024', '1024'],
    ['1Ki', '1Ki'],
    ['512Ki', '512Ki'],
    ['134217728', '134217728'],
    ['100000k', '100M'],
    ['2e3', '2e3'],
    ['2000e0', '2e3'],
    ['1E', '1E'],
    ['-1', '-1'],
    ['+1', '1'],
    ['.5', '500m'],
    ['1.', '1'],
    ['0.0000000001', '1n'],
    ['1Zi', undefined],
    ['abc', undefined],
    ['', undefined],
    ['1 Gi', undefined],
  ];
  it.each(table)('of %j is %j', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it('means the same amount and is its own canonical form', () => {
    const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi');
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(999), suffix, (whole, fraction, unit) => {
        const quantity = parseQuantity(`${whole}.${fraction}${unit}`);
        if (!quantity) throw new Error('not a quantity');
        const text = formatQuantity(quantity);
        expect(parseQuantity(text)?.nano).toBe(quantity.nano);
        expect(canonicalQuantity(text)).toBe(text);
      }),
    );
  });
});
