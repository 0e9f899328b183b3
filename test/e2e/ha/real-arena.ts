import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import { isRecord } from '../../../src/kube/values.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { startRealApiServer } from '../../support/real-apiserver.ts';
import { type Arena, REPLICAS } from './arena.ts';
import type { Arrival } from './write-log.ts';

const PREFIX = 'system:serviceaccount:kube-system:';

/** A real kube-apiserver, whose audit log tells who wrote when. The replicas are service accounts. */
export async function startRealArena(assets: string): Promise<Arena> {
  const folder = await mkdtemp(join(tmpdir(), 'slicewise-ha-'));
  const [policy, audit] = [join(folder, 'policy.yaml'), join(folder, 'audit.log')];
  const resources = [
    { group: 'coordination.k8s.io', resources: ['leases'] },
    { group: 'discovery.k8s.io', resources: ['endpointslices'] },
  ];
  await writeFile(
    policy,
    stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived', 'ResponseStarted'],
      rules: [{ level: 'Metadata', users: REPLICAS.map((name) => PREFIX + name), resources }, { level: 'None' }],
    }),
  );
  const api = await startRealApiServer(assets, {
    flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${audit}`, '--audit-log-mode=blocking'],
  });
  const admin = join(folder, 'admin');
  await writeKubeconfig(admin, { server: api.url, caData: api.caData, token: api.token });
  const access = await loadClusterAccess({ kubeconfig: admin });
  const client = createKubeClient(access, { userAgent: 'ha-test', logger: silentLogger });
  const post = (path: string, body: object) => client.request({ method: 'POST', path, body });
  const tokens = new Map<string, string>();
  for (const name of REPLICAS) {
    const accounts = '/api/v1/namespaces/kube-system/serviceaccounts';
    await post(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
    const answer = await post(`${accounts}/${name}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const status = isRecord(answer) && isRecord(answer.status) ? answer.status : {};
    tokens.set(name, String(status.token));
  }
  await post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'ha-test' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: REPLICAS.map((name) => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' })),
  });
  return {
    url: api.url,
    client,
    async kubeconfig(replica, server) {
      const path = join(folder, replica);
      await writeKubeconfig(path, { server, caData: api.caData, token: tokens.get(replica) ?? '' });
      return path;
    },
    async log() {
      const lines = (await readFile(audit, 'utf8')).split('\n').filter((line) => line !== '');
      const arrivals = lines.map((line) => arrivalOf(JSON.parse(line)));
      return arrivals.sort((a, b) => a.at - b.at);
    },
    async stop() {
      await client.close();
      await api.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** audit.k8s.io/v1 Event. */
interface AuditEvent {
  requestReceivedTimestamp: string;
  user: { username: string };
  verb: string;
  objectRef: { resource: string; name?: string };
  responseStatus?: { code?: number };
}

function arrivalOf({ requestReceivedTimestamp, user, verb, objectRef, responseStatus }: AuditEvent): Arrival {
  // Microseconds; what Date leaves out decides about the order.
  const micros = Number(/\.(\d{6})Z$/.exec(requestReceivedTimestamp)?.[1] ?? 0);
  return {
    at: Math.floor(Date.parse(requestReceivedTimestamp) / 1000) * 1000 + micros / 1000,
    user: user.username.replace(PREFIX, ''),
    verb,
    plural: objectRef.resource,
    name: objectRef.name,
    status: responseStatus?.code,
  };
}
