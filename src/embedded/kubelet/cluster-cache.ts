import type { KubeClient } from '../../kube/client.ts';
import { Reflector } from '../../kube/reflector.ts';
import type { Resource } from '../../kube/resource.ts';
import type { KubeObject } from '../../objects/meta.ts';
import type { Logger } from '../../observe/logger.ts';
import {
  DEPLOYMENTS,
  type DeploymentObject,
  NODES,
  type NodeObject,
  PODS,
  type PodObject,
  REPLICA_SETS,
  type ReplicaSetObject,
} from './objects.ts';

/** The reflectors that the controllers share, as kube-controller-manager's do. */
export class ClusterCache {
  readonly deployments: Reflector<DeploymentObject>;
  readonly replicaSets: Reflector<ReplicaSetObject>;
  readonly pods: Reflector<PodObject>;
  readonly nodes: Reflector<NodeObject>;

  constructor(client: KubeClient, logger: Logger) {
    const reflect = <T extends KubeObject>(resource: Resource<T>) => new Reflector({ client, resource, logger });
    this.deployments = reflect(DEPLOYMENTS);
    this.replicaSets = reflect(REPLICA_SETS);
    this.pods = reflect(PODS);
    this.nodes = reflect(NODES);
  }

  start(): void {
    for (const reflector of this.#all()) reflector.start();
  }

  /** Resolves once each cache has its first full state. */
  async synced(): Promise<void> {
    await Promise.all(this.#all().map((reflector) => reflector.synced));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all().map((reflector) => reflector.stop()));
  }

  #all(): { start(): void; synced: Promise<void>; stop(): Promise<void> }[] {
    return [this.deployments, this.replicaSets, this.pods, this.nodes];
  }
}
