import type { NodeAddresses } from '../hosts/topology.ts';
import { IpPool } from './ip-pool.ts';
import type { PodObject } from './objects.ts';
import type { Containers, PodRuntime, Sandbox } from './pod-runtime.ts';

/** Pods that have addresses and a state, but run nothing: enough for whoever looks at the API only. */
export class MemoryPodRuntime implements PodRuntime {
  readonly #node: NodeAddresses;
  readonly #pools: IpPool[];

  constructor(node: NodeAddresses) {
    this.#node = node;
    this.#pools = [new IpPool(node.podCIDR), new IpPool(node.podCIDR6)];
  }

  async createSandbox(pod: PodObject): Promise<Sandbox> {
    const ips = pod.spec.hostNetwork ? [this.#node.ipv4, this.#node.ipv6] : this.#pools.map((pool) => pool.take());
    const running = new Set<MemoryContainers>();
    return {
      ips,
      start: async () => {
        const containers = new MemoryContainers();
        running.add(containers);
        return containers;
      },
      remove: async () => {
        await Promise.all([...running].map((containers) => containers.stop()));
        if (!pod.spec.hostNetwork) for (const [index, ip] of ips.entries()) this.#pools[index]?.release(ip);
      },
    };
  }
}

class MemoryContainers implements Containers {
  readonly #exit = Promise.withResolvers<number>();
  readonly exited = this.#exit.promise;

  async stop(): Promise<void> {
    this.#exit.resolve(0);
  }
}
