import type { PodObject } from './objects.ts';

/** What a kubelet asks for to run Pods: the parts of a container runtime and of a network plugin that matter here. */
export interface PodRuntime {
  /** Gives the Pod its place in the network. @throws Error when there is none. */
  createSandbox(pod: PodObject): Promise<Sandbox>;
}

export interface Sandbox {
  /** The Pod's addresses, at most one of each family. */
  readonly ips: readonly string[];
  /** Starts what the Pod runs; resolves once it serves. May be called again after that has ended. */
  start(): Promise<Containers>;
  /** Kills what still runs and gives the addresses back. */
  remove(): Promise<void>;
}

/** All containers of a Pod; here one process stands for them. */
export interface Containers {
  /** Exit code; 128 + the signal's number when a signal ended it, as shells count. */
  readonly exited: Promise<number>;
  /** Asks to end, and kills after `graceMs`. Resolves when ended. */
  stop(graceMs: number): Promise<void>;
}
