import { describe, expect, it } from 'vitest';
import { parseAddress, podAddresses, refusal } from '../../src/endpointslice/addresses.ts';
import { pod } from './support/build.ts';

describe('addresses', () => {
  it.each([
    ['10.1.2.3', 'IPv4', '10.1.2.3'],
    ['010.001.002.003', 'IPv4', '10.1.2.3'],
    ['192.168.0.09', 'IPv4', '192.168.0.9'],
    ['::ffff:10.1.2.3', 'IPv4', '10.1.2.3'],
    ['::ffff:010.01.2.3', 'IPv4', '10.1.2.3'],
    ['::ffff:a01:203', 'IPv4', '10.1.2.3'],
    ['FD00:0:0:0:0:0:0:00A1', 'IPv6', 'fd00::a1'],
    ['2001:db8:0:1:0:0:0:1', 'IPv6', '2001:db8:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', 'IPv6', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:1:1', 'IPv6', '2001::1:0:0:1:1'],
    ['64:ff9b::1.2.3.4', 'IPv6', '64:ff9b::102:304'],
    ['::', 'IPv6', '::'],
  ])('reads %s as %s and prints %s', (text, family, canonical) => {
    expect(parseAddress(text)).toEqual({ family, text: canonical });
  });

  it.each([
    '',
    '10.1.2',
    '10.1.2.3.4',
    '10.1.2.256',
    '10.1.2.x',
    '0x0a.1.2.3',
    '10.1.2.',
    'fe80::1%eth0',
    '1::2::3',
    'web',
    '::ffff:1.2.3',
  ])('refuses to read "%s"', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it.each([
    ['0.0.0.0', 'unspecified'],
    ['127.0.0.1', 'loopback'],
    ['169.254.10.1', 'link-local'],
    ['224.0.0.251', 'link-local multicast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['febf::1', 'link-local'],
    ['ff02::1', 'link-local multicast'],
    ['ff12::1', 'link-local multicast'],
    ['10.0.0.1', undefined],
    ['224.0.1.1', undefined],
    ['fec0::1', undefined],
    ['ff05::1', undefined],
    ['fd00::1', undefined],
  ])('knows that the API server finds %s %s', (text, why) => {
    const address = parseAddress(text);
    expect(address && refusal(address)).toBe(why);
  });

  it('sorts the addresses of a Pod by family, in order, and sets the invalid ones apart', () => {
    expect(
      podAddresses(pod('p', { ips: ['10.0.0.02', 'fd00::2', '10.0.0.1', '::ffff:10.9.9.9', '127.0.0.1', 'x'] })),
    ).toEqual({
      IPv4: ['10.0.0.2', '10.0.0.1', '10.9.9.9'],
      IPv6: ['fd00::2'],
      invalid: ['127.0.0.1 (loopback)', 'x (not an IP address)'],
    });
  });
});
