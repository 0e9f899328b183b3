import { type Clock, realClock } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { resourceClient } from '../../kube/typed.ts';
import { splitObjectKey } from '../../objects/meta.ts';
import type { Logger } from '../../observe/logger.ts';
import type { ClusterCache } from './cluster-cache.ts';
import { ControlLoop, collect, keyOf, onEveryChange, ownerKey, statusPatch } from './control-loop.ts';
import { ignoreNotFound } from './deployment-controller.ts';
import { PODS, type PodObject, REPLICA_SETS, type ReplicaSetObject } from './objects.ts';
import { sameStatus } from './pod-status.ts';
import { planReplicaSet } from './replicaset-plan.ts';

/** Pods change in bursts (created, scheduled, running); one run sees a whole burst. Milliseconds. */
const BATCH_MS = 10;

/** Keeps as many Pods of every ReplicaSet as it asks for. */
export function replicaSetController(options: {
  client: KubeClient;
  cache: ClusterCache;
  logger: Logger;
  clock?: Clock;
}): ControlLoop {
  const { client, cache, clock = realClock } = options;
  const replicaSets = resourceClient(client, REPLICA_SETS);
  const pods = resourceClient(client, PODS);

  /** Reads live, not from the cache: Pods that the last run created must be counted by this one. */
  const work = async (key: string) => {
    const cached = cache.replicaSets.store.get(key);
    if (!cached || cached.metadata.deletionTimestamp) return;
    const { namespace, name } = splitObjectKey(key);
    const set = await replicaSets.get(namespace, name);
    const labels = Object.entries(set.spec.selector.matchLabels ?? {});
    const labelSelector = labels.map(([label, value]) => `${label}=${value}`).join(',');
    const found = await collect(pods.list({ namespace, labelSelector }));
    const controlled = found.filter((pod) =>
      pod.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === set.metadata.uid),
    );
    const plan = planReplicaSet(set, controlled, clock.now());
    await Promise.all([
      ...Array.from({ length: plan.create }, () => pods.create(podOf(set))),
      ...plan.delete.map((pod) => pods.delete(namespace, pod.metadata.name).catch(ignoreNotFound)),
    ]);
    if (!sameStatus(set.status, plan.status)) {
      const patch = statusPatch(set.status, plan.status);
      await replicaSets.patch(namespace, name, patch, 'merge', { subresource: 'status' });
    }
    const waiting = (plan.status.readyReplicas ?? 0) > (plan.status.availableReplicas ?? 0);
    if (waiting) loop.add(key, 1000);
  };

  const loop = new ControlLoop({
    name: 'replicaset',
    logger: options.logger,
    clock,
    concurrency: 4,
    work: (key) => work(key).catch(ignoreNotFound),
  });
  cache.replicaSets.addHandler(onEveryChange((set) => loop.add(keyOf(set))));
  cache.pods.addHandler(
    onEveryChange((pod) => {
      const key = ownerKey(pod, 'ReplicaSet');
      if (key !== undefined) loop.add(key, BATCH_MS);
    }),
  );
  return loop;
}

function podOf(set: ReplicaSetObject): PodObject {
  const { name, namespace, uid } = set.metadata;
  const { metadata, spec } = set.spec.template;
  return {
    metadata: {
      // The server completes generateName; the type asks for a name that must not be sent.
      ...({ generateName: `${name}-` } as PodObject['metadata']),
      ...(namespace === undefined ? {} : { namespace }),
      ...(metadata?.labels ? { labels: metadata.labels } : {}),
      ...(metadata?.annotations ? { annotations: metadata.annotations } : {}),
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: uid ?? '', controller: true, blockOwnerDeletion: true },
      ],
    },
    spec,
  };
}
