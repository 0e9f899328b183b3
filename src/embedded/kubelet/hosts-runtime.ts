import { fileURLToPath } from 'node:url';
import { type Clock, realClock } from '../../clock.ts';
import type { HostProcess, Hosts } from '../hosts/hosts.ts';
import type { NodeAddresses } from '../hosts/topology.ts';
import { IpPool } from './ip-pool.ts';
import type { PodObject } from './objects.ts';
import type { Containers, PodRuntime, Sandbox } from './pod-runtime.ts';

const POD_SERVER = fileURLToPath(new URL('../hosts/pod-server.ts', import.meta.url));
const SIGNAL_NUMBERS: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Pods as hosts of their own, each with a server process that listens on the declared container ports. */
export class HostsPodRuntime implements PodRuntime {
  readonly #hosts: Hosts;
  readonly #node: NodeAddresses;
  readonly #clock: Clock;
  readonly #ipv4: IpPool;
  readonly #ipv6: IpPool;

  constructor(hosts: Hosts, node: NodeAddresses, clock: Clock = realClock) {
    this.#hosts = hosts;
    this.#node = node;
    this.#clock = clock;
    this.#ipv4 = new IpPool(node.podCIDR);
    this.#ipv6 = new IpPool(node.podCIDR6);
  }

  async createSandbox(pod: PodObject): Promise<Sandbox> {
    const { name, namespace = 'default' } = pod.metadata;
    if (pod.spec.hostNetwork) {
      return {
        ips: [this.#node.ipv4, this.#node.ipv6],
        start: () => this.#startServer(pod, this.#node.name),
        // Its processes end with `Containers.stop`; the node stays.
        remove: async () => undefined,
      };
    }
    const host = `${namespace}/${name}`;
    const ipv4 = this.#ipv4.take();
    const ipv6 = this.#hosts.ipv6 ? this.#ipv6.take() : undefined;
    const release = () => {
      this.#ipv4.release(ipv4);
      if (ipv6) this.#ipv6.release(ipv6);
    };
    try {
      await this.#hosts.addPod(this.#node.name, { pod: host, ipv4, ...(ipv6 ? { ipv6 } : {}) });
    } catch (error) {
      release();
      throw error;
    }
    return {
      ips: ipv6 ? [ipv4, ipv6] : [ipv4],
      start: () => this.#startServer(pod, host),
      remove: async () => {
        await this.#hosts.removePod(host);
        release();
      },
    };
  }

  async #startServer(pod: PodObject, host: string): Promise<Containers> {
    const ports = pod.spec.containers.flatMap(({ ports = [] }) =>
      ports.map(({ containerPort, protocol = 'TCP' }) => `${containerPort}/${protocol}`),
    );
    const env = { POD_NAME: pod.metadata.name, NODE_NAME: this.#node.name, PORTS: ports.join(',') };
    const server = await this.#hosts.spawn(host, [process.execPath, POD_SERVER], { env });
    await server.waitForLine(/^listening/);
    return containersOf(server, this.#clock);
  }
}

function containersOf(server: HostProcess, clock: Clock): Containers {
  return {
    exited: server.exited.then(({ code, signal }) => code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0)),
    async stop(graceMs) {
      server.kill('SIGTERM');
      const timer = clock.setTimer(() => server.kill('SIGKILL'), graceMs);
      await server.exited;
      timer.cancel();
    },
  };
}
