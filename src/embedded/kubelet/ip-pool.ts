import ipaddr from 'ipaddr.js';

/**
 * Hands out the addresses of one Pod network in turn, from the second one (the first is the gateway's). A returned address comes
 * last, so that what still talks to a Pod that is gone does not reach its successor.
 */
export class IpPool {
  readonly #base: number[];
  readonly #last: number;
  readonly #taken = new Set<number>();
  #next = 2;

  /** @throws Error naming the CIDR when it is malformed or too small to have a Pod in it. */
  constructor(cidr: string) {
    const [network, bits] = ipaddr.parseCIDR(cidr);
    const free = network.toByteArray().length * 8 - bits;
    if (free < 2) throw new RangeError(`Pod network ${cidr} has no address for a Pod`);
    this.#base = network.toByteArray();
    // The last address of an IPv4 network is its broadcast address. 65 534 Pods a node are enough for IPv6.
    this.#last = 2 ** Math.min(free, 16) - 2;
  }

  /** @throws RangeError when all are taken. */
  take(): string {
    for (let tries = 2; tries <= this.#last; tries++) {
      const offset = this.#next;
      this.#next = offset === this.#last ? 2 : offset + 1;
      if (this.#taken.has(offset)) continue;
      this.#taken.add(offset);
      return this.#address(offset);
    }
    throw new RangeError(`all ${this.#taken.size} addresses of Pod network ${this.#address(0)} are taken`);
  }

  /** Giving back what was not taken does nothing. */
  release(address: string): void {
    const bytes = ipaddr.parse(address).toByteArray();
    this.#taken.delete((bytes.at(-2) ?? 0) * 256 + (bytes.at(-1) ?? 0) - this.#baseOffset());
  }

  #baseOffset(): number {
    return (this.#base.at(-2) ?? 0) * 256 + (this.#base.at(-1) ?? 0);
  }

  #address(offset: number): string {
    const bytes = [...this.#base];
    const value = this.#baseOffset() + offset;
    bytes[bytes.length - 2] = (value >> 8) & 255;
    bytes[bytes.length - 1] = value & 255;
    return ipaddr.fromByteArray(bytes).toString();
  }
}
