import type { Clock } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { resourceClient } from '../../kube/typed.ts';
import type { Logger } from '../../observe/logger.ts';
import type { ClusterCache } from './cluster-cache.ts';
import { ControlLoop, keyOf, onEveryChange } from './control-loop.ts';
import { ignoreNotFound } from './deployment-controller.ts';
import { isTrue, NODES, type NodeObject, type Taint } from './objects.ts';
import { sameStatus } from './pod-status.ts';

const NOT_READY: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

/** The taints that a node should have: every new node is created with `not-ready`, and loses it once it is ready. */
export function taintsFor(node: NodeObject): Taint[] {
  const others = (node.spec.taints ?? []).filter(
    ({ key, effect }) => key !== NOT_READY.key || effect !== NOT_READY.effect,
  );
  return isTrue(node.status?.conditions, 'Ready') ? others : [...others, NOT_READY];
}

/** The part of the node lifecycle controller that scheduling depends on: taints follow the Ready condition. */
export function nodeController(options: {
  client: KubeClient;
  cache: ClusterCache;
  logger: Logger;
  clock?: Clock;
}): ControlLoop {
  const { client, cache, logger, clock } = options;
  const nodes = resourceClient(client, NODES);
  const work = async (key: string) => {
    const node = cache.nodes.store.get(key);
    if (!node) return;
    const taints = taintsFor(node);
    if (sameStatus(taints, node.spec.taints ?? [])) return;
    // Taints are one list that others write too: the version keeps their changes.
    const { resourceVersion } = node.metadata;
    await nodes.patch(undefined, key, { metadata: { resourceVersion }, spec: { taints } }, 'merge');
  };
  const loop = new ControlLoop({
    name: 'node',
    logger,
    ...(clock ? { clock } : {}),
    concurrency: 1,
    work: (key) => work(key).catch(ignoreNotFound),
  });
  cache.nodes.addHandler(onEveryChange((node) => loop.add(keyOf(node))));
  return loop;
}
