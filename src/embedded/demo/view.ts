import type { KubeClient } from '../../kube/client.ts';
import type { Topology } from '../hosts/topology.ts';

/** What a station needs that only looks: at the API, and at the rules of the nodes. */
export interface ClusterView {
  topology: Topology;
  client: KubeClient;
  /** Aborts, with the reason, when a part of the cluster ends on its own or the person at the terminal wants to leave. */
  signal: AbortSignal;
  /** Whether the rules are only computed, because there is no kernel to hold them. */
  computed: boolean;
  /** All IPv4 rules of a node, as `iptables-save` prints them. @throws CheckFailed when they cannot be read. */
  rules(node: string): Promise<string>;
}
