import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Cause } from '../../kind.ts';
import { eachInvalid, invalid } from './causes.ts';

export type Family = 'IPv4' | 'IPv6';

export interface Cidr {
  family: Family;
  /** The address part as a number, host bits included. */
  base: bigint;
  prefix: number;
}

/** The family of an address in strict textual form (no leading zeros, no zone); undefined when it is no address. */
export function familyOf(address: string): Family | undefined {
  if (address.includes('%')) return undefined;
  return ({ 4: 'IPv4', 6: 'IPv6' } as const)[isIP(address)];
}

/** RFC 5952 form; undefined when `address` is no address. */
export function canonicalAddress(address: string): string | undefined {
  const family = familyOf(address);
  if (family === undefined) return undefined;
  return family === 'IPv4' ? address : ipaddr.IPv6.parse(address).toRFC5952String();
}

export function addressToNumber(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

export function numberToAddress(value: bigint, family: Family): string {
  const length = family === 'IPv4' ? 4 : 16;
  const bytes = Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 255n));
  const address = ipaddr.fromByteArray(bytes);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

/** Undefined when `text` is no CIDR. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length = '', ...rest] = text.split('/');
  const family = familyOf(address);
  const prefix = Number(length);
  if (family === undefined || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  if (prefix > (family === 'IPv4' ? 32 : 128)) return undefined;
  return { family, base: addressToNumber(address), prefix };
}

export function addressBits(family: Family): number {
  return family === 'IPv4' ? 32 : 128;
}

const notAnAddress = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

/** What is wrong with the text of an address; only form, not meaning. */
export function addressSyntax(value: string): string[] {
  if (familyOf(value) !== undefined) {
    return isMapped(value) ? ['must not be an IPv4-mapped IPv6 address'] : [];
  }
  return [hasLeadingZeros(value) ? 'must not have leading 0s' : notAnAddress];
}

/** What is wrong with the text of a CIDR; only form, not meaning. */
export function cidrSyntax(value: string): string[] {
  const cidr = parseCidr(value);
  if (!cidr) {
    const plain = value.replace(/(^|[./])0+(?=\d)/g, '$1');
    if (plain !== value && parseCidr(plain)) return ['must not have leading 0s in IP or prefix length'];
    return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
  }
  const details: string[] = [];
  if (isMapped(value.split('/')[0] ?? '')) details.push('must not have an IPv4-mapped IPv6 address');
  const hostBits = BigInt(addressBits(cidr.family) - cidr.prefix);
  if ((cidr.base >> hostBits) << hostBits !== cidr.base) {
    details.push('must not have bits set beyond the prefix length');
  }
  return details;
}

/** Refuses addresses that traffic can never be sent to from another host. */
export function validateReachable(value: string, field: string): Cause[] {
  switch (unreachableRange(value)) {
    case 'unspecified':
      return [invalid(field, value, `may not be unspecified (${value})`)];
    case 'loopback':
      return [invalid(field, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
    case 'link-local':
      return [invalid(field, value, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')];
    case 'link-local multicast':
      return [invalid(field, value, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')];
    case undefined:
      return [];
  }
}

type UnreachableRange = 'unspecified' | 'loopback' | 'link-local' | 'link-local multicast';

function unreachableRange(value: string): UnreachableRange | undefined {
  const family = familyOf(value);
  if (family === 'IPv4') {
    // In strict textual form a prefix says it all, and most addresses of a large slice come by here.
    if (value === '0.0.0.0') return 'unspecified';
    if (value.startsWith('127.')) return 'loopback';
    if (value.startsWith('169.254.')) return 'link-local';
    return value.startsWith('224.0.0.') ? 'link-local multicast' : undefined;
  }
  if (family === undefined) return undefined;
  const range = ipaddr.IPv6.parse(value).range();
  if (range === 'unspecified' || range === 'loopback') return range;
  if (range === 'linkLocal') return 'link-local';
  return /^ff[0-9a-f]2:/i.test(value) ? 'link-local multicast' : undefined;
}

export function validateAddress(value: string, field: string): Cause[] {
  return eachInvalid(field, value, addressSyntax(value));
}

function isMapped(value: string): boolean {
  return value.includes(':') && familyOf(value) === 'IPv6' && ipaddr.IPv6.parse(value).isIPv4MappedAddress();
}

/** Whether it would be an IPv4 address without leading zeros. */
function hasLeadingZeros(value: string): boolean {
  const plain = value.replace(/(^|\.)0+(?=\d)/g, '$1');
  return plain !== value && familyOf(plain) === 'IPv4';
}

/** IPv6 has many spellings of one address; the server takes them, but says which one it would rather have. */
export function addressWarning(field: string, address: string): string[] {
  const canonical = canonicalAddress(address);
  if (canonical === undefined || canonical === address) return [];
  return [`${field}: IPv6 address ${JSON.stringify(address)} should be in RFC 5952 canonical format ("${canonical}")`];
}

export function cidrWarning(field: string, cidr: string): string[] {
  const [address = '', prefix] = cidr.split('/');
  const canonical = canonicalAddress(address);
  if (!parseCidr(cidr) || canonical === undefined || canonical === address) return [];
  const shown = JSON.stringify(cidr);
  return [`${field}: IPv6 CIDR value ${shown} should be in RFC 5952 canonical format ("${canonical}/${prefix}")`];
}
