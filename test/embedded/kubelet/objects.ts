/** Short ways to make the objects that the tests of this folder need. */
import type {
  Condition,
  DeploymentObject,
  NodeObject,
  PodObject,
  ReplicaSetObject,
} from '../../../src/embedded/kubelet/objects.ts';

export const NOW = '2026-01-01T00:00:00Z';
export const EARLIER = '2025-12-31T23:00:00Z';

export function condition(type: string, status: Condition['status'], lastTransitionTime = EARLIER): Condition {
  return { type, status, lastTransitionTime };
}

export function deployment(
  replicas: number,
  options: { image?: string; spec?: Partial<DeploymentObject['spec']>; status?: DeploymentObject['status'] } = {},
): DeploymentObject {
  return {
    metadata: { name: 'nginx', namespace: 'default', uid: 'uid-nginx', generation: 3 },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'nginx' } },
      template: {
        metadata: { labels: { app: 'nginx' } },
        spec: { containers: [{ name: 'nginx', image: options.image ?? 'nginx:1' }] },
      },
      ...options.spec,
    },
    ...(options.status ? { status: options.status } : {}),
  };
}

/** A ReplicaSet of `deployment()` with this image. */
export function replicaSet(
  image: string,
  replicas: number,
  options: { available?: number; current?: number; revision?: number } = {},
): ReplicaSetObject {
  const { available = replicas, current = replicas, revision = 1 } = options;
  const labels = { app: 'nginx', 'pod-template-hash': `hash-${image}` };
  return {
    metadata: {
      name: `nginx-${image}`,
      namespace: 'default',
      annotations: { 'deployment.kubernetes.io/revision': `${revision}` },
    },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'nginx', image }] } },
    },
    status: { replicas: current, readyReplicas: available, availableReplicas: available },
  };
}

export function pod(
  name: string,
  options: {
    node?: string;
    ready?: boolean;
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
    created?: string;
    deleting?: boolean;
    owner?: string;
    since?: string;
    spec?: Partial<PodObject['spec']>;
    annotations?: Record<string, string>;
  } = {},
): PodObject {
  const { ready = true, phase = 'Running', created = EARLIER, since = EARLIER } = options;
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      creationTimestamp: created,
      ...(options.annotations ? { annotations: options.annotations } : {}),
      ...(options.deleting ? { deletionTimestamp: NOW } : {}),
      ...(options.owner
        ? {
            ownerReferences: [
              { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'set', uid: options.owner, controller: true },
            ],
          }
        : {}),
    },
    spec: {
      containers: [{ name: 'nginx', image: 'nginx:1' }],
      ...(options.node ? { nodeName: options.node } : {}),
      ...options.spec,
    },
    status: { phase, conditions: [condition('Ready', ready ? 'True' : 'False', since)] },
  };
}

export function node(
  name: string,
  options: Partial<NodeObject['spec']> & { ready?: boolean; labels?: Record<string, string> } = {},
): NodeObject {
  const { ready = true, labels = {}, ...spec } = options;
  return {
    metadata: { name, labels },
    spec,
    status: { conditions: [condition('Ready', ready ? 'True' : 'False')] },
  };
}
