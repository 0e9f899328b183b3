import { type Clock, realClock } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isApiError } from '../../kube/errors.ts';
import { resourcePath } from '../../kube/resource.ts';
import { resourceClient } from '../../kube/typed.ts';
import { splitObjectKey } from '../../objects/meta.ts';
import type { Logger } from '../../observe/logger.ts';
import type { ClusterCache } from './cluster-cache.ts';
import { ControlLoop, keyOf, onEveryChange } from './control-loop.ts';
import { ignoreNotFound } from './deployment-controller.ts';
import { conditionOf, PODS, type PodObject, timestamp, transition } from './objects.ts';
import { place } from './scheduler-plan.ts';

/** Binds every Pod that has no node to one that may have it. */
export function scheduler(options: {
  client: KubeClient;
  cache: ClusterCache;
  logger: Logger;
  clock?: Clock;
}): ControlLoop {
  const { client, cache, clock = realClock } = options;
  const pods = resourceClient(client, PODS);
  /** Pods bound by us whose binding the cache has not seen yet, with their node filled in. */
  const assumed = new Map<string, PodObject>();

  function* placed(): Iterable<PodObject> {
    for (const [key, pod] of assumed) if (!cache.pods.store.get(key)?.spec.nodeName) yield pod;
    for (const pod of cache.pods.store.list()) if (pod.spec.nodeName) yield pod;
  }

  const work = async (key: string) => {
    const pod = cache.pods.store.get(key);
    if (!pod || pod.spec.nodeName || pod.metadata.deletionTimestamp || assumed.has(key)) return;
    const { namespace, name } = splitObjectKey(key);
    const placement = place(pod, [...cache.nodes.store.list()], placed());
    if ('reason' in placement) return reportUnschedulable(pod, placement.reason);
    assumed.set(key, { ...pod, spec: { ...pod.spec, nodeName: placement.node } });
    try {
      await client.request({
        method: 'POST',
        path: resourcePath(PODS, { namespace, name, subresource: 'binding' }),
        body: {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name, namespace, uid: pod.metadata.uid },
          target: { apiVersion: 'v1', kind: 'Node', name: placement.node },
        },
      });
    } catch (error) {
      assumed.delete(key);
      // Somebody else bound it, or it was replaced by another of its name: the cache will tell.
      if (!isApiError(error, 'CONFLICT')) throw error;
    }
  };

  const reportUnschedulable = async (pod: PodObject, message: string) => {
    const old = conditionOf(pod.status?.conditions, 'PodScheduled');
    if (old?.status === 'False' && old.message === message) return;
    const next = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
    const condition = transition(pod.status?.conditions, next, timestamp(clock.now()));
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
    const patch = { status: { conditions: [...others, condition] } };
    await pods.patch(pod.metadata.namespace, pod.metadata.name, patch, 'merge', { subresource: 'status' });
  };

  const loop = new ControlLoop({
    name: 'scheduler',
    logger: options.logger,
    clock,
    // One at a time: each placement must see the one before.
    concurrency: 1,
    work: (key) => work(key).catch(ignoreNotFound),
  });
  cache.pods.addHandler({
    ...onEveryChange((pod: PodObject) => {
      if (pod.spec.nodeName) assumed.delete(keyOf(pod));
      else loop.add(keyOf(pod));
    }),
    onDelete: (pod) => void assumed.delete(keyOf(pod)),
  });
  cache.nodes.addHandler(
    onEveryChange(() => {
      for (const pod of cache.pods.store.list()) if (!pod.spec.nodeName) loop.add(keyOf(pod));
    }),
  );
  return loop;
}
