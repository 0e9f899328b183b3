import type { KubeClient } from '../../../src/kube/client.ts';
import type { Arrival } from './write-log.ts';

/** An API server under test. */
export interface Arena {
  url: string;
  /** For the test itself: may do everything. */
  client: KubeClient;
  /** Writes a kubeconfig in which the replica has a name of its own and reaches the server at `url`; resolves with its path. */
  kubeconfig(replica: string, url: string): Promise<string>;
  /** The requests of replicas so far, in the order in which they arrived. */
  log(): Promise<Arrival[]>;
  stop(): Promise<void>;
}

export const REPLICAS = ['replica-a', 'replica-b', 'replica-c'] as const;
export type ReplicaName = (typeof REPLICAS)[number];
