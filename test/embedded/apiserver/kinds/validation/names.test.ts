import { describe, expect, it } from 'vitest';
import {
  configMapKey,
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  labelValue,
  pathSegment,
  portName,
  portNumber,
  qualifiedName,
} from '../../../../../src/embedded/apiserver/kinds/validation/names.ts';

const checks: [string, (value: string) => string[], string[], string[]][] = [
  [
    'a DNS label',
    dns1123Label,
    ['a', '1a', 'a-b', 'a'.repeat(63)],
    ['', '-a', 'a-', 'A', 'a_b', 'a.b', 'a'.repeat(64), 'é'],
  ],
  [
    'a DNS subdomain',
    dns1123Subdomain,
    ['a', 'a.b-c.1', 'a'.repeat(253)],
    ['', '.a', 'a.', 'a..b', 'A', 'a'.repeat(254)],
  ],
  [
    'a qualified name',
    qualifiedName,
    ['a', 'A_b.c', 'x.y/Z', 'a'.repeat(63)],
    ['', '/', 'a/', '/a', 'a/b/c', 'X/a', '_a', 'a b'],
  ],
  ['a label value', labelValue, ['', 'a', 'A.b_c-1'], ['-', 'a b', 'a'.repeat(64)]],
  ['a port name', portName, ['http', 'a1', '1a'], ['', '80', 'a--b', '-a', 'a-', 'A', 'abcdefghijklmnop']],
  [
    'a config key',
    configMapKey,
    ['a', 'A_b-c.d', '.a', '...a'.slice(1).replace('..', '.')],
    ['', '.', '..', '..a', 'a b'],
  ],
  ['an environment variable', envVarName, ['A', 'a.b', 'a b', '~'], ['', 'a=b', 'ä']],
  ['a path segment', pathSegment, ['', 'a:b', 'A b'], ['.', '..', 'a/b', 'a%b']],
];

describe.each(checks)('%s', (_what, check, good, bad) => {
  it.each(good)('may be %j', (value) => {
    expect(check(value)).toEqual([]);
  });
  it.each(bad)('may not be %j', (value) => {
    expect(check(value)).not.toEqual([]);
  });
});

describe('what is said', () => {
  it('a label with dots is told so', () => {
    expect(dns1123Label('a.b')).toEqual(['must not contain dots']);
  });

  it('length and form are told apart', () => {
    expect(dns1123Label(`${'a'.repeat(63)}-`)).toHaveLength(2);
    expect(portName('-12--')).toEqual([
      'must contain at least one letter (a-z)',
      'must not contain consecutive hyphens',
      'must not begin or end with a hyphen',
    ]);
  });

  it('port numbers are 1 to 65535', () => {
    expect([0, 1, 65535, 65536].map((port) => portNumber(port).length)).toEqual([1, 0, 0, 1]);
  });
});
