import { describe, expect, it } from 'vitest';
import { effectiveLocalhostNodePorts, expandNodePortAddresses, nodePortMatch } from '../../src/proxy/node-ports.ts';

const addresses = ['127.0.0.1', '::1', '192.168.0.2', '192.168.1.2', '192.168.0.2', '2001:db8::1'];

describe('where node ports answer', () => {
  it.each<[string, string[], 'IPv4' | 'IPv6', string[] | 'all']>([
    ['everywhere without a list', [], 'IPv4', 'all'],
    ['everywhere with a /0', ['10.0.0.0/8', '0.0.0.0/0'], 'IPv4', 'all'],
    ['everywhere when the list is of the other family only', ['192.168.0.0/24'], 'IPv6', 'all'],
    ['not everywhere with a /0 of the other family', ['192.168.0.0/24', '::/0'], 'IPv4', ['192.168.0.2']],
    ['on each address once', ['192.168.0.0/16', '192.168.0.0/24'], 'IPv4', ['192.168.0.2', '192.168.1.2']],
    ['on loopback when it is listed', ['127.0.0.0/8'], 'IPv4', ['127.0.0.1']],
    ['nowhere when no address is in the list', ['10.0.0.0/8'], 'IPv4', []],
    ['on IPv6 addresses', ['2001:db8::/64', '::1/128'], 'IPv6', ['::1', '2001:db8::1']],
  ])('%s', (_, cidrs, family, ips) => {
    expect(nodePortMatch(cidrs, addresses, family)).toEqual(ips === 'all' ? { all: true } : { all: false, ips });
  });

  it('names an entry that is no CIDR', () => {
    expect(() => nodePortMatch(['primary'], [], 'IPv4')).toThrow('nodePortAddresses: "primary" is not a CIDR');
  });
});

describe('node ports on localhost', () => {
  it.each<[string, boolean, string[], 'IPv4' | 'IPv6', boolean]>([
    ['on by default', true, [], 'IPv4', true],
    ['never for IPv6', true, [], 'IPv6', false],
    ['off when configured off', false, [], 'IPv4', false],
    ['off when the list leaves loopback out', true, ['192.168.0.0/24'], 'IPv4', false],
    ['on with a /0', true, ['0.0.0.0/0'], 'IPv4', true],
    ['on with a part of 127.0.0.0/8', true, ['127.1.0.0/16'], 'IPv4', true],
    ['on when the list is of the other family only', true, ['2001:db8::/64'], 'IPv4', true],
  ])('%s', (_, configured, cidrs, family, effective) => {
    expect(effectiveLocalhostNodePorts(configured, cidrs, family)).toBe(effective);
  });
});

it('the word primary stands for the node’s own addresses, loopback left out', () => {
  expect(expandNodePortAddresses(['primary', '10.0.0.0/8'], ['192.168.0.2', '2001:db8::1', '127.0.0.1'])).toEqual([
    '192.168.0.2/32',
    '2001:db8::1/128',
    '10.0.0.0/8',
  ]);
});
