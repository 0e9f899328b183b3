import { describe, expect, it } from 'vitest';
import { compareObjects, fieldsOf } from '../../../../src/embedded/apiserver/managed/compare.ts';
import { toFieldsV1 } from '../../../../src/embedded/apiserver/managed/field-set.ts';
import { Shape } from '../../../../src/embedded/apiserver/managed/shape.ts';

const shape = new Shape({
  mergeKeys: { 'metadata.finalizers': '', 'spec.ports': 'port', 'spec.conditions': 'type' },
  applyKeys: { 'spec.ports': ['port', 'protocol'], 'spec.selector': [] },
});

function compared(before: object, after: object) {
  const { changed, removed } = compareObjects(before, after, shape);
  return { changed: toFieldsV1(changed), removed: toFieldsV1(removed) };
}

describe('comparing objects', () => {
  it('finds members that were added, changed and removed', () => {
    expect(compared({ data: { a: '1', b: '2', c: '3' } }, { data: { a: '1', b: '9', d: '4' } })).toEqual({
      changed: { 'f:data': { 'f:b': {}, 'f:d': {} } },
      removed: { 'f:data': { 'f:c': {} } },
    });
  });

  it('a new map is in the set together with its members', () => {
    expect(compared({}, { data: { a: '1' } }).changed).toEqual({ 'f:data': { '.': {}, 'f:a': {} } });
  });

  it('finds list items by their keys whatever their order, protocol being TCP where it is left out', () => {
    const before = { spec: { ports: [{ port: 80 }, { port: 81, protocol: 'UDP', name: 'x' }] } };
    const after = {
      spec: {
        ports: [
          { port: 81, protocol: 'UDP', name: 'y' },
          { port: 80, protocol: 'TCP' },
        ],
      },
    };
    expect(compared(before, after)).toEqual({
      changed: {
        'f:spec': {
          'f:ports': {
            'k:{"port":80,"protocol":"TCP"}': { 'f:protocol': {} },
            'k:{"port":81,"protocol":"UDP"}': { 'f:name': {} },
          },
        },
      },
      removed: {},
    });
  });

  it('an atomic map or list is one thing', () => {
    expect(compared({ spec: { selector: { a: '1' } } }, { spec: { selector: { a: '2', b: '3' } } }).changed).toEqual({
      'f:spec': { 'f:selector': {} },
    });
    expect(compared({ spec: { args: ['a'] } }, { spec: { args: ['a', 'b'] } }).changed).toEqual({
      'f:spec': { 'f:args': {} },
    });
  });

  it('a list with keys that is null is an empty one', () => {
    expect(compared({ spec: { ports: null } }, { spec: { ports: [{ port: 1 }] } }).changed).toEqual({
      'f:spec': { 'f:ports': { 'k:{"port":1,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } },
    });
  });

  it('a list whose items cannot be told apart is compared as a whole', () => {
    const twice = { spec: { conditions: [{ type: 'A' }, { type: 'A' }] } };
    expect(compared({ spec: { conditions: [] } }, twice).changed).toEqual({ 'f:spec': { 'f:conditions': {} } });
  });

  it('a configuration states its leaves and items, not the maps on the way', () => {
    const config = {
      metadata: { labels: { a: 'b' }, finalizers: ['x/y'] },
      spec: { ports: [{ port: 80 }], selector: { a: 'b' }, empty: {} },
    };
    expect(toFieldsV1(fieldsOf(config, shape))).toEqual({
      'f:metadata': { 'f:labels': { 'f:a': {} }, 'f:finalizers': { 'v:"x/y"': {} } },
      'f:spec': {
        'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
        'f:selector': {},
        'f:empty': {},
      },
    });
  });
});
