import type { Clock } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Logger } from '../../observe/logger.ts';
import type { NodeAddresses, Topology } from '../hosts/topology.ts';
import { UndoStack } from '../undo-stack.ts';
import { ClusterCache } from './cluster-cache.ts';
import { deploymentController } from './deployment-controller.ts';
import { Kubelet, type KubeletOptions } from './kubelet.ts';
import { nodeController } from './node-controller.ts';
import type { PodRuntime } from './pod-runtime.ts';
import { replicaSetController } from './replicaset-controller.ts';
import { scheduler } from './scheduler.ts';

export interface WorkloadOptions {
  client: KubeClient;
  topology: Topology;
  /** What runs the Pods of a node. */
  runtime(node: NodeAddresses): PodRuntime;
  logger: Logger;
  clock?: Clock;
  onStatusWritten?: KubeletOptions['onStatusWritten'];
}

export interface Workload {
  /** Ends every Pod and stops watching; the objects at the API server stay. */
  stop(): Promise<void>;
}

/**
 * Everything that makes Pods out of Deployments and keeps them running: deployment, replica set and node controllers, a scheduler and
 * one kubelet a node, all over the API like anybody else. Resolves once the nodes are registered and the controllers at work.
 */
export async function startWorkload(options: WorkloadOptions): Promise<Workload> {
  const { client, logger } = options;
  const shared = { client, logger, ...(options.clock ? { clock: options.clock } : {}) };
  const kubelets = options.topology.nodes.map(
    (node) =>
      new Kubelet({
        ...shared,
        node,
        runtime: options.runtime(node),
        ...(options.onStatusWritten ? { onStatusWritten: options.onStatusWritten } : {}),
      }),
  );
  const cache = new ClusterCache(client, logger);
  const loops = [nodeController, deploymentController, replicaSetController, scheduler].map((create) =>
    create({ ...shared, cache }),
  );
  const stack = new UndoStack();
  for (const kubelet of kubelets) stack.push(() => kubelet.stop());
  // Controllers first, so that nothing replaces the Pods that the kubelets end.
  for (const loop of loops) stack.push(() => loop.stop());
  stack.push(() => cache.stop());
  try {
    cache.start();
    await Promise.all([cache.synced(), ...kubelets.map((kubelet) => kubelet.start())]);
  } catch (error) {
    return stack.undoAndThrow(error);
  }
  for (const loop of loops) loop.start();
  return { stop: () => stack.undo() };
}
