import { describe, expect, it } from 'vitest';
import type { RawMeta, RawObject } from '../../../../../src/embedded/apiserver/kind.ts';
import {
  validateMetadata,
  validateMetadataUpdate,
} from '../../../../../src/embedded/apiserver/kinds/validation/metadata.ts';
import {
  formatSelector,
  isEmptySelector,
  selectorMatches,
} from '../../../../../src/embedded/apiserver/kinds/validation/selectors.ts';

const of = (metadata: RawMeta): RawObject => ({ metadata: { name: 'x', ...metadata } });
const told = (metadata: RawMeta, form?: 'label' | 'segment' | 'any') =>
  validateMetadata(of(metadata), form).map(({ field, message }) => `${field}: ${message}`);

describe('metadata', () => {
  it('may be plain', () => {
    expect(
      told({ labels: { 'a/b': 'c' }, annotations: { UPPER: 'any thing' }, finalizers: ['a.b/c', 'orphan'] }),
    ).toEqual([]);
    expect(told({ generateName: 'web-' })).toEqual([]);
  });

  it('the form of the name is the kind’s', () => {
    expect(told({ name: 'a.b' })).toEqual([]);
    expect(told({ name: 'a.b' }, 'label')).toEqual(['metadata.name: Invalid value: "a.b": must not contain dots']);
    expect(told({ name: 'A:b' }, 'segment')).toEqual([]);
    expect(told({ name: 'A/B' }, 'any')).toEqual([]);
  });

  it('has one controller, which is no Event', () => {
    const owner = (kind: string, name: string) => ({ apiVersion: 'v1', kind, name, uid: 'u', controller: true });
    expect(told({ ownerReferences: [owner('A', 'a'), owner('Event', 'b')] })).toEqual([
      expect.stringContaining('Kind=Event is disallowed from being an owner'),
      expect.stringContaining(
        'Only one reference can have Controller set to true. Found "true" in references for A/a and Event/b',
      ),
    ]);
  });

  it('does not both orphan and delete dependents', () => {
    expect(told({ finalizers: ['orphan', 'foregroundDeletion'] })).toEqual([
      expect.stringContaining('finalizer orphan and foregroundDeletion cannot be both set'),
    ]);
  });

  it('holds 256 KiB of annotations', () => {
    const value = 'x'.repeat(256 * 1024 - 1);
    expect(told({ annotations: { a: value } })).toEqual([]);
    expect(told({ annotations: { a: `${value}x` } })).toEqual([
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ]);
  });

  it('takes no new finalizers on its way out', () => {
    const before = of({ deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/a'] });
    expect(validateMetadataUpdate(of({ finalizers: ['a/a', 'b/b'] }), before)).toMatchObject([
      {
        reason: 'FieldValueForbidden',
        message:
          'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"b/b"}',
      },
    ]);
    expect(validateMetadataUpdate(of({}), before)).toEqual([]);
  });
});

describe('a label selector', () => {
  const mixed = {
    matchLabels: { b: 'c', a: 'b' },
    matchExpressions: [
      { key: 'a', operator: 'In', values: ['c', 'b'] },
      { key: 'z', operator: 'DoesNotExist' },
      { key: 'y', operator: 'Exists' },
      { key: 'x', operator: 'NotIn', values: ['1'] },
    ],
  };

  it('selects what fulfils all of it', () => {
    const labels = { a: 'b', b: 'c', y: '' };
    expect(selectorMatches(mixed, labels)).toBe(true);
    for (const other of [{ a: 'c' }, { z: '' }, { x: '1' }])
      expect(selectorMatches(mixed, { ...labels, ...other })).toBe(false);
    expect(selectorMatches(mixed, { a: 'b', b: 'c' })).toBe(false);
    expect(selectorMatches({ matchExpressions: [{ key: 'a', operator: 'Like' }] }, { a: 'b' })).toBe(false);
    expect(selectorMatches({}, labels)).toBe(true);
  });

  it('is printed in the order of its keys', () => {
    expect(formatSelector(mixed)).toBe('a=b,a in (b,c),b=c,x notin (1),y,!z');
    expect(formatSelector({})).toBe('');
  });

  it('is empty without terms', () => {
    expect([null, {}, { matchLabels: {} }, { matchExpressions: [] }, mixed].map(isEmptySelector)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});
