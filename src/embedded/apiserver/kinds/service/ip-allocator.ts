import type { Random } from '../../../../clock.ts';
import { addressBits, type Cidr, numberToAddress } from '../validation/addresses.ts';

/**
 * The usable part of a CIDR: neither its own address nor, for IPv4, the broadcast address (KEP-1880). Both ends inclusive.
 */
function usableRange({ family, base, prefix }: Cidr): { first: bigint; last: bigint } {
  const size = 1n << BigInt(addressBits(family) - prefix);
  const network = base - (base % size);
  return { first: network + 1n, last: network + size - (family === 'IPv4' ? 2n : 1n) };
}

export function isUsable(address: bigint, cidr: Cidr): boolean {
  const { first, last } = usableRange(cidr);
  return address >= first && address <= last;
}

/** A random address that is not taken; undefined when there is none. */
export function pickFree(cidr: Cidr, isTaken: (address: string) => boolean, random: Random): string | undefined {
  const { first, last } = usableRange(cidr);
  const count = last - first + 1n;
  if (count <= 0n) return undefined;
  // 2^48 starting points are plenty, and keep the product exact.
  const start = (BigInt(Math.floor(random() * 2 ** 48)) * count) >> 48n;
  for (let i = 0n; i < count; i++) {
    const address = numberToAddress(first + ((start + i) % count), cidr.family);
    if (!isTaken(address)) return address;
  }
  return undefined;
}
