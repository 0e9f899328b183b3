import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, startApiServer } from '../../../src/embedded/apiserver/server.ts';
import { planTopology, type Topology } from '../../../src/embedded/hosts/topology.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../../src/observe/logger.ts';

export const topology: Topology = planTopology([
  { name: 'control', zone: 'zone-a', controlPlane: true },
  { name: 'worker1', zone: 'zone-a' },
  { name: 'worker2', zone: 'zone-b' },
]);

/** An API server of its own for one test file, and a client for it. */
export async function startCluster(): Promise<{ api: ApiServer; client: KubeClient; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'slicewise-test-'));
  const kubeconfig = join(directory, 'kubeconfig');
  const api = await startApiServer({ tls: false });
  await api.writeKubeconfig(kubeconfig);
  const client = createKubeClient(await loadClusterAccess({ kubeconfig }), { userAgent: 'test', logger: silentLogger });
  return {
    api,
    client,
    stop: async () => {
      await client.close();
      await api.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
