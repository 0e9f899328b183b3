import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  difference,
  emptySet,
  equalSets,
  type FieldSet,
  intersection,
  parseFieldsV1,
  paths,
  pathText,
  toFieldsV1,
  union,
} from '../../../../src/embedded/apiserver/managed/field-set.ts';

const element = fc.constantFrom('f:a', 'f:b', 'k:{"port":80}', 'v:"x"');
const path = fc.array(element, { minLength: 1, maxLength: 3 });
const fieldSet = fc.array(path, { maxLength: 6 }).map((list) => list.map(setOf).reduce(union, emptySet()));

function setOf([first, ...rest]: string[]): FieldSet {
  if (first === undefined) return emptySet(true);
  return { member: false, children: new Map([[first, setOf(rest)]]) };
}

const texts = (set: FieldSet) => [...paths(set)].map((elements) => elements.join('/')).sort();

describe('field sets', () => {
  it('survive being written and read', () => {
    fc.assert(
      fc.property(fieldSet, (set) => {
        const read = parseFieldsV1(toFieldsV1(set));
        expect(read && texts(read)).toEqual(texts(set));
      }),
    );
  });

  it('union, intersection and difference are those of the paths', () => {
    fc.assert(
      fc.property(fieldSet, fieldSet, (a, b) => {
        const [inA, inB] = [new Set(texts(a)), new Set(texts(b))];
        expect(texts(union(a, b))).toEqual([...new Set([...inA, ...inB])].sort());
        expect(texts(intersection(a, b))).toEqual([...inA].filter((text) => inB.has(text)).sort());
        expect(texts(difference(a, b))).toEqual([...inA].filter((text) => !inB.has(text)).sort());
        expect(equalSets(a, b)).toBe(texts(a).join() === texts(b).join());
      }),
    );
  });

  it('are refused when they are none', () => {
    for (const value of [null, 'x', { a: {} }, { 'f:a': 1 }, { 'f:a': { 'x:b': {} } }]) {
      expect(parseFieldsV1(value)).toBeUndefined();
    }
  });

  it('paths read like those in conflict messages', () => {
    const named = ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'];
    expect(pathText(named)).toBe('.spec.ports[port=80,protocol="TCP"].name');
    expect(pathText(['f:metadata', 'f:finalizers', 'v:"a/b"'])).toBe('.metadata.finalizers[="a/b"]');
  });
});
