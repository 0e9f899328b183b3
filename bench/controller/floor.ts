import PQueue from 'p-queue';
import { realClock } from '../../src/clock.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../src/kube/kubeconfig.ts';
import { readListPage } from '../../src/kube/list-page.ts';
import { ENDPOINT_SLICES } from '../../src/kube/projections.ts';
import { decodePod } from '../../src/kube/proto/pods.ts';
import { WatchStream } from '../../src/kube/watch-stream.ts';
import { writesOf } from '../../src/kube/writes.ts';
import { isPodReady } from '../../src/objects/pod.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import type { ClusterShape } from '../support/cluster.ts';
import { makeSlice } from '../support/cluster.ts';

/**
 * What no controller on this runtime can undercut on this API server and these cores, as a process of its own: list the objects and throw
 * them away, then write slices that were known beforehand; afterwards, one write for each event of a Pod, with no cache, queue or plan.
 * Arguments: kubeconfig, cluster shape as JSON, writes at a time.
 */
const [kubeconfig = '', shapeText = '', concurrency = '5'] = process.argv.slice(2);
const shape = JSON.parse(shapeText) as ClusterShape;
const client = createKubeClient(await loadClusterAccess({ kubeconfig }), { userAgent: 'floor', logger: silentLogger });
const writes = writesOf(client, ENDPOINT_SLICES);
const { signal } = new AbortController();
const versions = await Promise.all(['/api/v1/pods', '/api/v1/services', '/api/v1/nodes'].map(listAll));
const slices = Array.from({ length: shape.services }, (_, service) => makeSlice(shape, service));
const atATime = new PQueue({ concurrency: Number(concurrency) });
for (const slice of slices) void atATime.add(() => writes.create(slice));
await atATime.onIdle();
await Promise.all([followPods(versions[0] ?? ''), followSlices()]);

async function listAll(path: string): Promise<string> {
  let token: string | undefined;
  for (;;) {
    const query = { limit: 500, continue: token };
    const page = readListPage({ client, path, query, signal, clock: realClock, protobuf: true });
    let item = await page.next();
    while (!item.done) item = await page.next();
    token = item.value.continueToken;
    if (token === undefined) return item.value.resourceVersion;
  }
}

function watch(path: string, resourceVersion: string): Promise<WatchStream> {
  const query = { watch: true, resourceVersion, timeoutSeconds: 3600 };
  const never = 2 ** 31 - 1;
  return WatchStream.open({
    client,
    path,
    query,
    signal,
    clock: realClock,
    protobuf: true,
    deadlineMs: never,
    silenceMs: undefined,
  });
}

/** Names of Pods are `svc-SERVICE-POD` (support/cluster.ts). */
async function followPods(resourceVersion: string): Promise<void> {
  const events = await watch('/api/v1/pods', resourceVersion);
  for (let event = await events.next(); event; event = await events.next()) {
    if (!Buffer.isBuffer(event.object)) continue;
    const pod = decodePod(event.object);
    const [, service, index] = pod.metadata.name.split('-').map(Number);
    const slice = slices[service ?? -1];
    const endpoint = slice?.endpoints[index ?? -1];
    if (!slice || !endpoint) continue;
    const ready = isPodReady(pod);
    endpoint.conditions = { ready, serving: ready, terminating: false };
    void writes.update(slice);
  }
}

/** A controller has to see what others do to its slices; here nobody looks. */
async function followSlices(): Promise<void> {
  const events = await watch('/apis/discovery.k8s.io/v1/endpointslices', '0');
  while (await events.next());
}
