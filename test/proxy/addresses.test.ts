import { describe, expect, it } from 'vitest';
import { isLoopback, joinHostPort, networkContains, parseAddress, parseNetwork } from '../../src/proxy/addresses.ts';

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1', 'IPv4'],
    ['172.030.000.041', '172.30.0.41', 'IPv4'],
    ['00001.2.3.4', '1.2.3.4', 'IPv4'],
    ['FD00:0:0:0::1', 'fd00::1', 'IPv6'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 'IPv6'],
    ['::', '::', 'IPv6'],
    ['::ffff:10.0.0.1', '10.0.0.1', 'IPv4'],
    ['::ffff:010.0.0.010', '10.0.0.10', 'IPv4'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304', 'IPv6'],
  ])('%s is %s', (text, ip, family) => expect(parseAddress(text)).toEqual({ ip, family }));

  it.each([
    '',
    ' ',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1 ',
    '0x10.0.0.1',
    '1e1.0.0.1',
    '+1.0.0.1',
    '10.0.0.1\n-A X',
    'fe80::1%eth0',
    '1::2::3',
    ':::',
    '12345::',
    'localhost',
    '10.0.0.1/32',
    '١.٢.٣.٤',
    '::1.2.3',
    '::1.2.3.4.5',
    '1:2:3:4:5:6:7:8:9',
  ])('%j is no address', (text) => expect(parseAddress(text)).toBeUndefined());

  it('join with a port as in a URL', () => {
    expect(joinHostPort('10.0.0.1', 80)).toBe('10.0.0.1:80');
    expect(joinHostPort('fd00::1', 80)).toBe('[fd00::1]:80');
  });

  it('know loopback', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '128.0.0.1', '::2', '12.7.0.1'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('networks', () => {
  it.each([
    ['203.0.113.129/25', '203.0.113.128/25', 'IPv4'],
    ['203.0.113.000/025', '203.0.113.0/25', 'IPv4'],
    ['1.2.3.4/0', '0.0.0.0/0', 'IPv4'],
    ['1.2.3.4/32', '1.2.3.4/32', 'IPv4'],
    ['2001:DB8::ffff/33', '2001:db8::/33', 'IPv6'],
    ['::/0', '::/0', 'IPv6'],
    ['::ffff:1.2.3.4/120', '1.2.3.0/24', 'IPv4'],
  ])('%s is %s', (text, cidr, family) => expect(parseNetwork(text)).toMatchObject({ cidr, family }));

  it.each(['', '1.2.3.4', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3.4/ 8', '::/129', '1.2.3.4/8/8', 'a/8', '/8'])(
    '%j is no network',
    (text) => expect(parseNetwork(text)).toBeUndefined(),
  );

  it('contain the addresses under their prefix, of their own family', () => {
    const contains = (cidr: string, ip: string) => {
      const net = parseNetwork(cidr);
      return net && networkContains(net, ip);
    };
    expect(contains('10.0.0.0/8', '10.255.0.1')).toBe(true);
    expect(contains('10.0.0.0/8', '11.0.0.1')).toBe(false);
    expect(contains('0.0.0.0/0', 'fd00::1')).toBe(false);
    expect(contains('fd00::/8', 'fd12::1')).toBe(true);
  });
});
