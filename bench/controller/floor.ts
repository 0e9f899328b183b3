import PQueue from 'p-queue';
import { realClock } from '../../src/clock.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../src/kube/kubeconfig.ts';
import { readListPage } from '../../src/kube/list-page.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import type { ClusterShape } from '../support/cluster.ts';
import { makeSlice } from '../support/cluster.ts';

/**
 * What no controller can undercut on this API server and these cores, as a process of its own: list the objects and throw them away,
 * then write slices that were known beforehand. Arguments: kubeconfig, cluster shape as JSON, writes at a time.
 */
const [kubeconfig = '', shapeText = '', concurrency = '5'] = process.argv.slice(2);
const shape = JSON.parse(shapeText) as ClusterShape;
const client = createKubeClient(await loadClusterAccess({ kubeconfig }), { userAgent: 'floor', logger: silentLogger });
await Promise.all(['/api/v1/pods', '/api/v1/services', '/api/v1/nodes'].map(listAll));
const writes = new PQueue({ concurrency: Number(concurrency) });
for (let s = 0; s < shape.services; s++) {
  void writes.add(() => {
    const slice = makeSlice(shape, s);
    const path = `/apis/discovery.k8s.io/v1/namespaces/${slice.metadata.namespace}/endpointslices`;
    return client.request({ method: 'POST', path, body: slice });
  });
}
await writes.onIdle();
// It is measured once a watcher has seen the last write, and then told to end.
setInterval(() => {}, 1000);

async function listAll(path: string): Promise<void> {
  let token: string | undefined;
  do {
    const page = readListPage({
      client,
      path,
      query: { limit: 500, continue: token },
      signal: new AbortController().signal,
      clock: realClock,
      protobuf: true,
    });
    let item = await page.next();
    while (!item.done) item = await page.next();
    token = item.value.continueToken;
  } while (token !== undefined);
}
