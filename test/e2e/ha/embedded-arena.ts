import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import type { LoggedRequest } from '../../../src/embedded/apiserver/request-log.ts';
import { startApiServer } from '../../../src/embedded/apiserver/server.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { type Arena, REPLICAS } from './arena.ts';

export async function startEmbeddedArena(): Promise<Arena> {
  const folder = await mkdtemp(join(tmpdir(), 'slicewise-ha-'));
  const users = Object.fromEntries(REPLICAS.map((name) => [`token-of-${name}`, name]));
  const api = await startApiServer({ users });
  const arrivals: { at: number; request: LoggedRequest }[] = [];
  const add = api.requests.add.bind(api.requests);
  api.requests.add = (request) => {
    arrivals.push({ at: Date.now(), request });
    add(request);
  };
  const kubeconfig = join(folder, 'admin');
  await api.writeKubeconfig(kubeconfig);
  const access = await loadClusterAccess({ kubeconfig });
  const client = createKubeClient(access, { userAgent: 'ha-test', logger: silentLogger });
  return {
    url: api.url,
    client,
    async kubeconfig(replica, server) {
      const path = join(folder, replica);
      await writeKubeconfig(path, { server, caData: api.caData, token: `token-of-${replica}` });
      return path;
    },
    log: async () =>
      arrivals
        .filter(({ request }) => request.user.startsWith('replica-'))
        .map(({ at, request }) => ({ at, ...request })),
    async stop() {
      await client.close();
      await api.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
