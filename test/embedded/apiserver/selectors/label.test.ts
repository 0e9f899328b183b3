import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLabelSelector } from '../../../../src/embedded/apiserver/selectors/label.ts';

describe('label selectors', () => {
  it('equality and sets mean the same', () => {
    const value = fc.constantFrom('', 'a', 'b');
    fc.assert(
      fc.property(value, fc.option(value), (wanted, given) => {
        const labels = given === null ? {} : { k: given };
        expect(parseLabelSelector(`k=${wanted}`)(labels)).toBe(parseLabelSelector(`k in (${wanted})`)(labels));
        expect(parseLabelSelector(`k!=${wanted}`)(labels)).toBe(parseLabelSelector(`k notin (${wanted})`)(labels));
        expect(parseLabelSelector(`k!=${wanted}`)(labels)).toBe(!parseLabelSelector(`k=${wanted}`)(labels));
        expect(parseLabelSelector('!k')(labels)).toBe(!parseLabelSelector('k')(labels));
      }),
    );
  });

  it('an empty selector chooses everything', () => {
    expect(parseLabelSelector('')({ a: 'b' })).toBe(true);
    expect(parseLabelSelector('  ')({})).toBe(true);
  });

  it('compares numbers as numbers, and chooses nothing that is none', () => {
    expect(parseLabelSelector('n>9')({ n: '10' })).toBe(true);
    expect(parseLabelSelector('n>9')({ n: 'x' })).toBe(false);
    expect(parseLabelSelector('n<9')({})).toBe(false);
  });
});
