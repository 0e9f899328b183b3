import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from '../../../../src/embedded/apiserver/patch/json.ts';

describe('JSON patch', () => {
  it('leaves its argument alone', () => {
    const document = { list: [{ a: 1 }] };
    expect(applyJsonPatch(document, [{ op: 'replace', path: '/list/0/a', value: 2 }])).toEqual({ list: [{ a: 2 }] });
    expect(document).toEqual({ list: [{ a: 1 }] });
  });

  it.each([
    [{ op: 'add', path: '/list/2', value: 'x' }, ['a', 'b', 'x']],
    [{ op: 'add', path: '/list/-', value: 'x' }, ['a', 'b', 'x']],
    [{ op: 'add', path: '/list/0', value: 'x' }, ['x', 'a', 'b']],
    [{ op: 'remove', path: '/list/0' }, ['b']],
    [{ op: 'move', from: '/list/1', path: '/list/0' }, ['b', 'a']],
    [{ op: 'copy', from: '/list/0', path: '/list/-' }, ['a', 'b', 'a']],
  ])('%j', (operation, list) => {
    expect(applyJsonPatch({ list: ['a', 'b'] }, [operation])).toEqual({ list });
  });

  it('unescapes ~1 and ~0 in this order', () => {
    const document = { 'a/b': 1, '~1': 2 };
    expect(
      applyJsonPatch(document, [
        { op: 'test', path: '/a~1b', value: 1 },
        { op: 'remove', path: '/~01' },
      ]),
    ).toEqual({
      'a/b': 1,
    });
  });

  it.each([
    [{ op: 'add', path: '/list/3', value: 'x' }],
    [{ op: 'remove', path: '/list/2' }],
    [{ op: 'remove', path: '/list/-' }],
    [{ op: 'replace', path: '/list/01', value: 'x' }],
    [{ op: 'test', path: '/list/0', value: 'b' }],
    [{ op: 'add', path: 'list', value: 'x' }],
    [{ op: 'move', path: '/list/0' }],
  ])('refuses %j', (operation) => {
    expect(() => applyJsonPatch({ list: ['a', 'b'] }, [operation])).toThrow('the server rejected our request');
  });

  it('does not reach inherited members', () => {
    expect(() => applyJsonPatch({}, [{ op: 'copy', from: '/constructor/name', path: '/x' }])).toThrow();
  });
});
