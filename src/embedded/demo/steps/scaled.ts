import { rulesFor } from '../rules-wait.ts';
import { isReady, nginxPods } from '../service.ts';
import { until } from '../until.ts';
import type { ClusterView } from '../view.ts';

/** Waits for this many ready Pods and for rules that name exactly them, on every node; their addresses. */
export async function scaled(view: ClusterView, replicas: number): Promise<string[]> {
  const ips = await until({ what: `${replicas} ready Pods`, signal: view.signal }, async () => {
    const pods = await nginxPods(view.client);
    return pods.length === replicas && pods.every(isReady) ? pods.map(({ status }) => status?.podIP ?? '') : undefined;
  });
  await rulesFor(view, ips);
  return ips;
}
