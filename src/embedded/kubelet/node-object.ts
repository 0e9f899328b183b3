import { arch, release, type } from 'node:os';
import { ZONE_LABEL } from '../../objects/node.ts';
import { VERSION } from '../../version.ts';
import type { NodeAddresses } from '../hosts/topology.ts';
import type { NodeObject } from './objects.ts';

export const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

export interface NodeResources {
  /** As the API prints it: `2`, `1900m`. */
  cpu: string;
  memory: string;
  pods: string;
}

export const DEFAULT_RESOURCES: NodeResources = { cpu: '2', memory: '4Gi', pods: '110' };

/** The Node that a kubelet registers. Control-plane nodes are tainted as kubeadm taints them. */
export function nodeObject(node: NodeAddresses): NodeObject {
  return {
    metadata: {
      name: node.name,
      labels: {
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': arch() === 'x64' ? 'amd64' : arch(),
        [ZONE_LABEL]: node.zone,
        ...(node.controlPlane ? { [CONTROL_PLANE_LABEL]: '' } : {}),
      },
    },
    spec: {
      podCIDR: node.podCIDR,
      podCIDRs: [node.podCIDR, node.podCIDR6],
      ...(node.controlPlane ? { taints: [{ key: CONTROL_PLANE_LABEL, effect: 'NoSchedule' }] } : {}),
    },
  };
}

/** @param now RFC 3339 */
export function nodeStatus(
  node: NodeAddresses,
  resources: NodeResources,
  now: string,
): NonNullable<NodeObject['status']> {
  const amounts = { ...resources };
  return {
    addresses: [
      { type: 'InternalIP', address: node.ipv4 },
      { type: 'InternalIP', address: node.ipv6 },
      { type: 'Hostname', address: node.name },
    ],
    capacity: amounts,
    allocatable: amounts,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'kubelet is posting ready status',
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    nodeInfo: {
      kubeletVersion: `v1.36.0-slicewise.${VERSION}`,
      kubeProxyVersion: '',
      containerRuntimeVersion: `slicewise://${VERSION}`,
      operatingSystem: 'linux',
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      kernelVersion: release(),
      osImage: type(),
      machineID: node.name,
      systemUUID: node.name,
      bootID: node.name,
    },
  };
}
