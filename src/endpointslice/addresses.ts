import ipaddr from 'ipaddr.js';
import type { IPFamily } from '../objects/meta.ts';
import type { Pod } from '../objects/pod.ts';

export interface Address {
  family: IPFamily;
  /** Canonical: dotted decimal without leading zeros, or RFC 5952. */
  text: string;
}

/** What nearly every address is; each sync reads those of all its Pods. */
const CANONICAL_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * Reads an address as leniently as Kubernetes does for data that old components wrote: leading zeros in IPv4 are
 * decimal, and an IPv4-mapped IPv6 address is an IPv4 address. Undefined when it is neither.
 */
export function parseAddress(text: string): Address | undefined {
  if (CANONICAL_IPV4.test(text)) return { family: 'IPv4', text };
  if (!text.includes(':')) {
    const octets = parseOctets(text);
    return octets && { family: 'IPv4', text: octets.join('.') };
  }
  // A zone (fe80::1%eth0) means nothing outside its own host.
  if (text.includes('%')) return undefined;
  const colon = text.lastIndexOf(':');
  const tail = text.slice(colon + 1);
  let groups = text;
  if (tail.includes('.')) {
    const octets = parseOctets(tail);
    if (octets === undefined) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = octets;
    groups = `${text.slice(0, colon + 1)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  if (!ipaddr.IPv6.isValid(groups)) return undefined;
  const address = ipaddr.IPv6.parse(groups);
  if (address.isIPv4MappedAddress()) return { family: 'IPv4', text: address.toIPv4Address().toString() };
  return { family: 'IPv6', text: address.toRFC5952String() };
}

function parseOctets(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const octets = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  return octets.every((octet) => octet <= 255) ? octets : undefined;
}

/**
 * Why the API server refuses this canonical address in an EndpointSlice (EndpointSlice validation: non-special
 * addresses only), or undefined when it is fine.
 */
export function refusal({ family, text }: Address): string | undefined {
  if (family === 'IPv4') {
    if (text === '0.0.0.0') return 'unspecified';
    if (text.startsWith('127.')) return 'loopback';
    if (text.startsWith('169.254.')) return 'link-local';
    if (text.startsWith('224.0.0.')) return 'link-local multicast';
    return undefined;
  }
  if (text === '::') return 'unspecified';
  if (text === '::1') return 'loopback';
  if (/^fe[89ab][0-9a-f]:/.test(text)) return 'link-local';
  if (/^ff[0-9a-f]2:/.test(text)) return 'link-local multicast';
  return undefined;
}

/** A Pod's addresses, canonical, in the order of `status.podIPs`. */
export interface PodAddresses {
  readonly IPv4: readonly string[];
  readonly IPv6: readonly string[];
  /** Addresses that cannot stand in a slice, as `TEXT (why)`. */
  readonly invalid: readonly string[];
}

/** Only `status.podIPs` counts; `status.podIP` is its first entry repeated. */
export function podAddresses(pod: Pod): PodAddresses {
  const found = { IPv4: [] as string[], IPv6: [] as string[], invalid: [] as string[] };
  for (const { ip } of pod.status.podIPs ?? []) {
    const address = parseAddress(ip);
    const why = address ? refusal(address) : 'not an IP address';
    if (address && why === undefined) found[address.family].push(address.text);
    else found.invalid.push(`${ip} (${why})`);
  }
  return found;
}

/** As upstream does it: what cannot be parsed counts as IPv4 and prints `<nil>`, special addresses are kept. */
export function uncheckedPodAddresses(pod: Pod): PodAddresses {
  const found = { IPv4: [] as string[], IPv6: [] as string[], invalid: [] as string[] };
  for (const { ip } of pod.status.podIPs ?? []) {
    const address = parseAddress(ip) ?? { family: 'IPv4' as const, text: '<nil>' };
    found[address.family].push(address.text);
  }
  return found;
}
