import PQueue from 'p-queue';
import type { KubeClient } from '../../src/kube/client.ts';
import { type ClusterShape, makeNode, makePod, makeService, namespaceName, podName } from '../support/cluster.ts';

const at = (namespace: string, plural: string) => `/api/v1/namespaces/${namespace}/${plural}`;

/** Puts the whole cluster into the API server. A create drops status, so Pods and Nodes take two writes. */
export async function fillCluster(client: KubeClient, shape: ClusterShape): Promise<void> {
  const writes = new PQueue({ concurrency: 32 });
  const put = (path: string, body: { metadata: { name: string } }, status: boolean) =>
    writes.add(async () => {
      await client.request({ method: 'POST', path, body });
      if (status) {
        await client.request({ method: 'PUT', path: `${path}/${body.metadata.name}/status`, body });
      }
    });
  for (let n = 0; n < shape.namespaces; n++) {
    const body = { metadata: { name: namespaceName(shape, n) } };
    await client.request({ method: 'POST', path: '/api/v1/namespaces', body });
  }
  const pending: Promise<unknown>[] = [];
  for (let n = 0; n < shape.nodes; n++) pending.push(put('/api/v1/nodes', makeNode(shape, n), true));
  for (let s = 0; s < shape.services; s++) {
    const namespace = namespaceName(shape, s);
    pending.push(put(at(namespace, 'services'), makeService(shape, s), false));
    for (let p = 0; p < shape.podsPerService; p++) pending.push(put(at(namespace, 'pods'), makePod(shape, s, p), true));
    // Rejections surface here, and the queue stays short.
    if (pending.length > 2000) await Promise.all(pending.splice(0));
  }
  await Promise.all(pending);
}

export async function deleteAllSlices(client: KubeClient, shape: ClusterShape): Promise<void> {
  for (let n = 0; n < shape.namespaces; n++) {
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespaceName(shape, n)}/endpointslices`;
    await client.request({ method: 'DELETE', path, timeoutMs: 120_000 });
  }
}

/** Sets the readiness of one Pod; resolves with the instant (`performance.now()`) at which the server had it. */
export async function setReady(
  client: KubeClient,
  shape: ClusterShape,
  service: number,
  pod: number,
  ready: boolean,
): Promise<number> {
  const path = `${at(namespaceName(shape, service), 'pods')}/${podName(service, pod)}/status`;
  const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: new Date().toISOString() };
  const body = { status: { conditions: [condition] } };
  await client.request({ method: 'PATCH', path, body, patchType: 'merge' });
  return performance.now();
}
