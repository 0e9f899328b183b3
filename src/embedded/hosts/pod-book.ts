import { HostsError, type PodAddresses } from './hosts.ts';
import type { NodeAddresses, Topology } from './topology.ts';

export interface PodEntry extends PodAddresses {
  node: NodeAddresses;
  /** From 1; never used twice. */
  index: number;
}

/** Which Pods stand on which nodes: the part of the hosts that both implementations share. */
export class PodBook {
  readonly #topology: Topology;
  readonly #entries = new Map<string, PodEntry>();
  #next = 1;

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** @throws HostsError naming what is wrong: an unknown node, a malformed or known name, an address in use. */
  add(nodeName: string, addresses: PodAddresses): PodEntry {
    const { pod, ipv4, ipv6 } = addresses;
    const node = this.#topology.nodes.find((n) => n.name === nodeName);
    if (!node) throw new HostsError(`unknown node "${nodeName}"`);
    if (!/^[^/+]+\/[^/+]+$/.test(pod)) throw new HostsError(`Pod name "${pod}" is not NAMESPACE/NAME`);
    if (this.#entries.has(pod)) throw new HostsError(`host "${pod}" exists already`);
    for (const other of this.#entries.values()) {
      const taken = other.ipv4 === ipv4 ? ipv4 : ipv6 !== undefined && other.ipv6 === ipv6 ? ipv6 : undefined;
      if (taken) throw new HostsError(`address ${taken} of "${pod}" is in use by "${other.pod}"`);
    }
    const entry = { ...addresses, node, index: this.#next++ };
    this.#entries.set(pod, entry);
    return entry;
  }

  remove(pod: string): PodEntry | undefined {
    const entry = this.#entries.get(pod);
    this.#entries.delete(pod);
    return entry;
  }

  has(pod: string): boolean {
    return this.#entries.has(pod);
  }

  clear(): void {
    this.#entries.clear();
  }
}
