import { type Clock, realClock } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isApiError } from '../../kube/errors.ts';
import { resourceClient } from '../../kube/typed.ts';
import { splitObjectKey } from '../../objects/meta.ts';
import type { Logger } from '../../observe/logger.ts';
import type { ClusterCache } from './cluster-cache.ts';
import { ControlLoop, collect, keyOf, onEveryChange, ownerKey, statusPatch } from './control-loop.ts';
import { planDeployment, REVISION_ANNOTATION } from './deployment-plan.ts';
import { DEPLOYMENTS, REPLICA_SETS, timestamp } from './objects.ts';
import { sameStatus } from './pod-status.ts';

/** Keeps the ReplicaSets of every Deployment as its template, size and strategy want them. */
export function deploymentController(options: {
  client: KubeClient;
  cache: ClusterCache;
  logger: Logger;
  clock?: Clock;
}): ControlLoop {
  const { client, cache, clock = realClock } = options;
  const deployments = resourceClient(client, DEPLOYMENTS);
  const replicaSets = resourceClient(client, REPLICA_SETS);

  /** Reads live, not from the cache: what the last run wrote must be seen by this one. */
  const work = async (key: string) => {
    const cached = cache.deployments.store.get(key);
    if (!cached || cached.metadata.deletionTimestamp) return;
    const { namespace, name } = splitObjectKey(key);
    const deployment = await deployments.get(namespace, name);
    const inNamespace = await collect(replicaSets.list({ namespace }));
    const controlled = inNamespace.filter((set) =>
      set.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === deployment.metadata.uid),
    );
    const plan = planDeployment(deployment, controlled, timestamp(clock.now()));
    if (plan.create) await replicaSets.create(plan.create);
    for (const { set, replicas, revision } of plan.change) {
      const patch = {
        ...(revision === undefined ? {} : { metadata: { annotations: { [REVISION_ANNOTATION]: revision } } }),
        ...(replicas === undefined ? {} : { spec: { replicas } }),
      };
      await replicaSets.patch(namespace, set.metadata.name, patch, 'merge');
    }
    for (const set of plan.delete) await replicaSets.delete(namespace, set.metadata.name);
    if (plan.revision !== undefined) {
      const patch = { metadata: { annotations: { [REVISION_ANNOTATION]: plan.revision } } };
      await deployments.patch(namespace, name, patch, 'merge');
    }
    if (!sameStatus(deployment.status, plan.status)) {
      const patch = statusPatch(deployment.status, plan.status);
      await deployments.patch(namespace, name, patch, 'merge', { subresource: 'status' });
    }
  };

  const loop = new ControlLoop({
    name: 'deployment',
    logger: options.logger,
    clock,
    concurrency: 2,
    work: (key) => work(key).catch(ignoreNotFound),
  });
  cache.deployments.addHandler(onEveryChange((deployment) => loop.add(keyOf(deployment))));
  cache.replicaSets.addHandler(
    onEveryChange((set) => {
      const key = ownerKey(set, 'Deployment');
      if (key !== undefined) loop.add(key);
    }),
  );
  return loop;
}

/** What was deleted while we worked on it needs no more work. */
export function ignoreNotFound(error: unknown): void {
  if (!isApiError(error, 'NOT_FOUND')) throw error;
}
