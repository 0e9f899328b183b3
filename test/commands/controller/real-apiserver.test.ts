import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import { isRecord } from '../../../src/kube/values.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { eventually } from '../../endpointslice/support/cluster.ts';
import { freePorts, type RealApiServer, startRealApiServer } from '../../support/real-apiserver.ts';
import { ControllerProcess } from './controller-process.ts';

const assets = process.env.KUBEBUILDER_ASSETS;
if (!assets) console.log('SKIPPED: rights and callers on a real API server, because KUBEBUILDER_ASSETS is not set');

const ACCOUNT = 'system:serviceaccount:kube-system:';

describe.skipIf(!assets)('slicewise controller on a real API server', () => {
  let folder: string;
  let api: RealApiServer;
  let admin: KubeClient;
  const running: ControllerProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slicewise-real-'));
    api = await startRealApiServer(assets ?? '');
    const kubeconfig = await kubeconfigWith(api.token, 'admin');
    const access = await loadClusterAccess({ kubeconfig });
    admin = createKubeClient(access, { userAgent: 'test', logger: silentLogger });
  });

  afterAll(async () => {
    await Promise.all(running.map((run) => run.stop()));
    await admin?.close();
    await api?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function kubeconfigWith(token: string, name: string): Promise<string> {
    const path = join(folder, name);
    await writeKubeconfig(path, { server: api.url, caData: api.caData, token });
    return path;
  }

  /** Resolves with a token of a new service account. */
  async function account(name: string): Promise<string> {
    const path = '/api/v1/namespaces/kube-system/serviceaccounts';
    const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
    await admin.request({ method: 'POST', path, body });
    const answer = await admin.request({
      method: 'POST',
      path: `${path}/${name}/token`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    });
    return isRecord(answer) && isRecord(answer.status) ? String(answer.status.token) : '';
  }

  async function grant(to: string, rules: object[]): Promise<void> {
    const group = 'rbac.authorization.k8s.io';
    const post = (plural: string, body: object) =>
      admin.request({
        method: 'POST',
        path: `/apis/${group}/v1/${plural}`,
        body: { apiVersion: `${group}/v1`, metadata: { name: to }, ...body },
      });
    await post('clusterroles', { kind: 'ClusterRole', rules });
    await post('clusterrolebindings', {
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: to },
      subjects: [{ kind: 'ServiceAccount', name: to, namespace: 'kube-system' }],
    });
  }

  it('says for each right that is missing what to grant, in one line, and goes on once it is', async () => {
    const kubeconfig = await kubeconfigWith(await account('poor'), 'poor');
    const run = new ControllerProcess([`--kubeconfig=${kubeconfig}`]);
    running.push(run);
    const grants = () => run.lines.filter(({ level }) => level === 40).map(({ grant: rule }) => rule);
    const toCluster = (group: string, resource: string) =>
      `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["list", "watch"]} in a ClusterRole bound to ${ACCOUNT}poor`;
    const wanted = [
      toCluster('', 'services'),
      toCluster('', 'pods'),
      toCluster('', 'nodes'),
      toCluster('discovery.k8s.io', 'endpointslices'),
      `{apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get"]} in a Role in namespace kube-system bound to ${ACCOUNT}poor`,
    ];
    await eventually(async () => expect(new Set(grants())).toEqual(new Set(wanted)));
    expect(grants()).toHaveLength(wanted.length);
    await grant('poor', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]);
    await eventually(async () => expect(run.lines.map(({ msg }) => msg)).toContain('controller synced'), 60_000);
    run.kill('SIGTERM');
    expect(await run.exit).toBe(0);
  }, 120_000);

  it('has the API server tell who may see its metrics', async () => {
    const kubeconfig = await kubeconfigWith(api.token, 'controller');
    const tokens = { known: await account('known'), allowed: await account('allowed') };
    await grant('allowed', [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }]);
    const args = ['--leader-elect=false', '--bind-address=127.0.0.1'];
    const [port = 0] = await freePorts(1);
    const run = new ControllerProcess([`--kubeconfig=${kubeconfig}`, ...args, `--secure-port=${port}`]);
    running.push(run);
    await run.line('serving https');
    expect(await status(port, '/livez')).toBe(200);
    expect(await status(port, '/metrics')).toBe(403);
    expect(await status(port, '/metrics', 'nonsense')).toBe(401);
    expect(await status(port, '/metrics', tokens.known)).toBe(403);
    expect(await status(port, '/metrics', tokens.allowed)).toBe(200);
    run.kill('SIGTERM');
    expect(await run.exit).toBe(0);
    expect(run.output).not.toContain(tokens.allowed);
  });
});

function status(port: number, path: string, token?: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false };
    const sent = request(options, (response) => response.resume().once('end', () => resolve(response.statusCode)));
    sent.once('error', reject).end();
  });
}
