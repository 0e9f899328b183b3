import ipaddr from 'ipaddr.js';
import type { IPFamily } from '../objects/meta.ts';

/** An address in canonical text: dotted decimal, or RFC 5952 for IPv6. */
export interface Address {
  readonly ip: string;
  readonly family: IPFamily;
}

/** A network in canonical text, host bits cleared: `203.0.113.0/25`. */
export interface Network {
  readonly cidr: string;
  readonly family: IPFamily;
  readonly prefixLength: number;
}

const DECIMAL = /^[0-9]+$/;

/**
 * Parses an address as kube-proxy does: leading zeros in IPv4 parts are decimal, never octal (`172.30.0.041` is
 * `172.30.0.41`), and an IPv4-mapped IPv6 address is IPv4. No zones, no blanks. Yields `undefined` for anything else.
 */
export function parseAddress(text: string): Address | undefined {
  const octets = parseOctets(text);
  if (octets) return { ip: octets.join('.'), family: 'IPv4' };
  const v6 = parseIPv6(text);
  if (!v6) return undefined;
  if (v6.isIPv4MappedAddress()) return { ip: v6.toIPv4Address().toString(), family: 'IPv4' };
  return { ip: v6.toRFC5952String(), family: 'IPv6' };
}

/** Parses `address/length` with the same leniency as `parseAddress`. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const length = text.slice(slash + 1);
  if (slash < 0 || !DECIMAL.test(length)) return undefined;
  const prefix = Number(length);
  const octets = parseOctets(text.slice(0, slash));
  if (octets) return prefix > 32 ? undefined : network(new ipaddr.IPv4(octets), prefix);
  const v6 = parseIPv6(text.slice(0, slash));
  if (!v6 || prefix > 128) return undefined;
  if (v6.isIPv4MappedAddress() && prefix >= 96) return network(v6.toIPv4Address(), prefix - 96);
  return network(v6, prefix);
}

/** `ip` must be canonical; an address of the other family is not contained. */
export function networkContains(net: Network, ip: string): boolean {
  const address = ipaddr.parse(ip);
  const base = ipaddr.parse(net.cidr.slice(0, net.cidr.indexOf('/')));
  return address.kind() === base.kind() && address.match(base, net.prefixLength);
}

/** 127.0.0.0/8 or ::1; `ip` must be canonical. */
export function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}

/** `ip:port`, or `[ip]:port` for IPv6. */
export function joinHostPort(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function parseOctets(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const octets: number[] = [];
  for (const part of parts) {
    const value = Number(part);
    if (!DECIMAL.test(part) || value > 255) return undefined;
    octets.push(value);
  }
  return octets;
}

function parseIPv6(text: string): ipaddr.IPv6 | undefined {
  if (!text.includes(':') || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined;
  const dot = text.indexOf('.');
  let hex = text;
  if (dot >= 0) {
    // ipaddr.js would read leading zeros of an embedded IPv4 address as octal.
    const colon = text.lastIndexOf(':');
    const octets = parseOctets(text.slice(colon + 1));
    if (!octets) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = octets;
    hex = `${text.slice(0, colon + 1)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  return ipaddr.IPv6.isValid(hex) ? ipaddr.IPv6.parse(hex) : undefined;
}

function network(address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number): Network {
  const bytes = address.toByteArray().map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - i * 8))));
  const base = ipaddr.fromByteArray(bytes);
  const text = base instanceof ipaddr.IPv6 ? base.toRFC5952String() : base.toString();
  return { cidr: `${text}/${prefix}`, family: base instanceof ipaddr.IPv6 ? 'IPv6' : 'IPv4', prefixLength: prefix };
}
