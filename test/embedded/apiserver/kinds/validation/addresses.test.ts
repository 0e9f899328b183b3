import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressSyntax,
  addressToNumber,
  canonicalAddress,
  cidrSyntax,
  familyOf,
  numberToAddress,
  parseCidr,
  validateReachable,
} from '../../../../../src/embedded/apiserver/kinds/validation/addresses.ts';

describe('addresses', () => {
  it.each([
    ['1.2.3.4', 'IPv4'],
    ['::1', 'IPv6'],
    ['FD00::1', 'IPv6'],
    ['01.2.3.4', undefined],
    ['1.2.3', undefined],
    ['fe80::1%eth0', undefined],
    ['', undefined],
  ])('the family of %j is %s', (address, family) => {
    expect(familyOf(address)).toBe(family);
  });

  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['FD00:0::1', 'fd00::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['foo', undefined],
  ])('%j is canonically %j', (address, canonical) => {
    expect(canonicalAddress(address)).toBe(canonical);
  });

  it('numbers and addresses turn into each other', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), (value) => {
        expect(addressToNumber(numberToAddress(value, 'IPv4'))).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        const address = numberToAddress(value, 'IPv6');
        expect(addressToNumber(address)).toBe(value);
        expect(canonicalAddress(address)).toBe(address);
      }),
    );
  });

  it('leading zeros and mapped addresses are told apart from nonsense', () => {
    expect(addressSyntax('010.1.1.1')).toEqual(['must not have leading 0s']);
    expect(addressSyntax('::ffff:1.2.3.4')).toEqual(['must not be an IPv4-mapped IPv6 address']);
    expect(addressSyntax('0400.1.1.1')).toEqual(['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']);
    expect(addressSyntax('::1')).toEqual([]);
  });

  it.each([
    ['0.0.0.0', 'unspecified'],
    ['127.255.0.1', 'loopback'],
    ['169.254.255.255', 'link-local range'],
    ['224.0.0.255', 'link-local multicast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fe80::1', 'link-local range'],
    ['febf::1', 'link-local range'],
    ['ff02::1', 'link-local multicast'],
    ['FF12::1', 'link-local multicast'],
  ])('%s cannot be reached: %s', (address, why) => {
    expect(validateReachable(address, 'f')).toMatchObject([{ field: 'f', message: expect.stringContaining(why) }]);
  });

  it.each([
    '0.0.0.1',
    '12.7.0.1',
    '169.253.0.1',
    '224.0.1.1',
    '255.255.255.255',
    'fec0::1',
    'ff05::1',
    'not an address',
  ])('nothing is said against reaching %s', (address) => {
    expect(validateReachable(address, 'f')).toEqual([]);
  });
});

describe('CIDRs', () => {
  it.each([
    ['10.0.0.0/8', []],
    ['::/0', []],
    ['10.0.0.1/8', ['must not have bits set beyond the prefix length']],
    ['010.0.0.0/8', ['must not have leading 0s in IP or prefix length']],
    ['10.0.0.0/08', ['must not have leading 0s in IP or prefix length']],
    ['10.0.0.0/33', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    ['10.0.0.0', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    ['::ffff:1.2.3.0/120', ['must not have an IPv4-mapped IPv6 address']],
  ])('%s: %j', (cidr, expected) => {
    expect(cidrSyntax(cidr)).toEqual(expected);
  });

  it('are read into family, number and prefix', () => {
    expect(parseCidr('10.0.0.0/24')).toEqual({ family: 'IPv4', base: 10n * 2n ** 24n, prefix: 24 });
    expect(parseCidr('::1/128')).toEqual({ family: 'IPv6', base: 1n, prefix: 128 });
    expect(parseCidr('::1/129')).toBeUndefined();
    expect(parseCidr('1.2.3.4/5/6')).toBeUndefined();
  });
});
