/** The shape of the small world that the hosts play: which nodes exist and every address in it. Pure. */

export interface NodeSpec {
  /** DNS label, at most 40 characters. */
  name: string;
  zone: string;
  controlPlane?: boolean;
}

export interface NodeAddresses {
  name: string;
  zone: string;
  controlPlane: boolean;
  ipv4: string;
  ipv6: string;
  /** `10.244.N.0/24` and `fd00:10:244:N::/64`. */
  podCIDR: string;
  podCIDR6: string;
  /** The address by which a node's own traffic reaches its Pods; the Pods' default gateway. */
  podGateway: string;
}

export interface Topology {
  /** The network between the nodes, and the address at which the API server answers on it. */
  wire: { name: 'wire'; ipv4: string; ipv6: string; cidr: string; cidr6: string };
  /** A machine outside of the cluster. */
  client: { name: 'client'; ipv4: string; ipv6: string };
  nodes: NodeAddresses[];
  /** Covers every node's podCIDR: `--cluster-cidr` of the proxier. */
  clusterCIDR: string;
  clusterCIDR6: string;
}

/** kubeadm's and kind's usual numbers, so that what a learner sees here looks like what they meet elsewhere. */
const WIRE = '172.18.0';
const WIRE6 = 'fd00:172:18:';
const FIRST_NODE = 11;
const MAX_NODES = 64;

/** @throws RangeError naming the node when a name is not a DNS label, is taken twice, or when there are too many nodes. */
export function planTopology(nodes: readonly NodeSpec[]): Topology {
  if (nodes.length < 1 || nodes.length > MAX_NODES) {
    throw new RangeError(`${nodes.length} nodes: from 1 to ${MAX_NODES} are possible`);
  }
  const taken = new Set<string>(['wire', 'client']);
  for (const { name } of nodes) {
    if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) {
      throw new RangeError(`node name "${name}" is not a DNS label of at most 40 characters`);
    }
    if (taken.has(name)) throw new RangeError(`node name "${name}" is taken`);
    taken.add(name);
  }
  return {
    wire: { name: 'wire', ipv4: `${WIRE}.1`, ipv6: `${WIRE6}:1`, cidr: `${WIRE}.0/24`, cidr6: `${WIRE6}:/64` },
    client: { name: 'client', ipv4: `${WIRE}.200`, ipv6: `${WIRE6}:200` },
    nodes: nodes.map((node, index) => ({
      name: node.name,
      zone: node.zone,
      controlPlane: node.controlPlane ?? false,
      ipv4: `${WIRE}.${FIRST_NODE + index}`,
      ipv6: `${WIRE6}:${FIRST_NODE + index}`,
      podCIDR: `10.244.${index}.0/24`,
      podCIDR6: `fd00:10:244:${index}::/64`,
      podGateway: `10.244.${index}.1`,
    })),
    clusterCIDR: '10.244.0.0/16',
    clusterCIDR6: 'fd00:10:244::/48',
  };
}
