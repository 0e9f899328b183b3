import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createKubeClient, type SeverableClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import type { Manifest } from '../../manifests/kustomize.ts';
import { createKernelLab, type KernelLab } from '../../support/kernel-lab.ts';
import { freePorts, type RealApiServer, startRealApiServer } from '../../support/real-apiserver.ts';
import { AUDIT_POLICY, AuditLog } from './audit.ts';
import { Component } from './component.ts';
import { type Front, startFront } from './front.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');
/** Runs in the network namespace: `front` is a socket in the file system. */
const RELAY = `
const [port, front] = process.argv.slice(1);
const net = require('node:net');
const drop = (a, b) => a.on('error', () => b.destroy());
net.createServer((c) => { const s = net.connect(front); drop(c, s); drop(s, c); c.pipe(s).pipe(c); })
  .listen(Number(port), '127.0.0.1', () => console.error('relay listens'));
`;

export const NODE = 'node-1';

const PLURALS: Record<string, string> = {
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
};

interface Parts {
  api: RealApiServer;
  relay: Component;
  port: number;
  folder: string;
  client: SeverableClient;
}

/** A real API server with RBAC and an audit log, a front to it, and a network namespace that can reach it: a node. */
export class World {
  readonly admin: KubeClient;
  readonly audit: AuditLog;
  readonly front: Front;
  readonly lab: KernelLab;
  readonly #parts: Parts;

  private constructor(lab: KernelLab, front: Front, parts: Parts) {
    this.lab = lab;
    this.front = front;
    this.#parts = parts;
    this.admin = parts.client;
    this.audit = new AuditLog(join(parts.folder, 'audit.log'));
  }

  /** `watchList`: whether lists may be asked for as watches that begin with what there is, as they are from Kubernetes 1.34 on. */
  static async start(assets: string, { watchList }: { watchList: boolean }): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'slicewise-rbac-'));
    const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      await writeFile(join(folder, 'policy.yaml'), AUDIT_POLICY);
      const api = await startRealApiServer(assets, {
        flags: [
          `--feature-gates=WatchList=${watchList}`,
          `--audit-policy-file=${join(folder, 'policy.yaml')}`,
          `--audit-log-path=${join(folder, 'audit.log')}`,
          // Owner references that block deletion take a right of their own then.
          '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
        ],
      });
      undo.push(api.stop);
      const [port = 0] = await freePorts(1);
      const front = await startFront(api, port, join(folder, 'front.sock'));
      undo.push(() => front.close());
      const lab = await createKernelLab();
      undo.push(() => lab.dispose());
      await lab.run('ip', 'link', 'set', 'lo', 'up');
      await lab.run('ip', 'addr', 'add', '192.0.2.10/24', 'dev', 'lo');
      await lab.run('ip', 'route', 'add', 'default', 'dev', 'lo');
      const relay = new Component('nsenter', [
        ...inside(lab),
        process.execPath,
        '-e',
        RELAY,
        String(port),
        join(folder, 'front.sock'),
      ]);
      undo.push(() => relay.stop());
      await relay.says(/relay listens/);
      await writeKubeconfig(join(folder, 'admin'), { server: api.url, caData: api.caData, token: api.token });
      const access = await loadClusterAccess({ kubeconfig: join(folder, 'admin') });
      const client = createKubeClient(access, { userAgent: 'test', logger: silentLogger });
      return new World(lab, front, { api, relay, port, folder, client });
    } catch (error) {
      for (const step of undo.toReversed()) await step();
      throw error;
    }
  }

  async stop(): Promise<void> {
    const { api, relay, folder, client } = this.#parts;
    await client.close();
    await relay.stop();
    await this.front.close();
    await this.lab.dispose();
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  }

  /** Creates service accounts, roles and bindings. */
  async grant(objects: readonly Manifest[]): Promise<void> {
    for (const object of objects) {
      const { namespace } = object.metadata;
      const base = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
      const place = namespace === undefined ? '' : `/namespaces/${namespace}`;
      await this.admin.request({ method: 'POST', path: `${base}${place}/${PLURALS[object.kind]}`, body: object });
    }
  }

  /** A kubeconfig with a token of the service account, asked for as kubelet does (TokenRequest). */
  async access(account: string): Promise<{ kubeconfig: string; token: string }> {
    const path = `/api/v1/namespaces/kube-system/serviceaccounts/${account}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
    const { status } = (await this.admin.request({ method: 'POST', path, body })) as { status: { token: string } };
    const { port, folder } = this.#parts;
    const kubeconfig = join(folder, account);
    const { token } = status;
    const server = `https://127.0.0.1:${port}`;
    await writeKubeconfig(kubeconfig, { server, caData: this.front.caData, token });
    return { kubeconfig, token };
  }

  /** Whether the API server lets this user do this. */
  async allowed(user: string, verb: string, group: string, resource: string): Promise<boolean> {
    const [name, subresource] = resource.split('/');
    const attributes = {
      verb,
      group,
      resource: name,
      subresource,
      namespace: 'kube-system',
      name: 'slicewise-controller',
    };
    const answer = (await this.admin.request({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user, resourceAttributes: attributes },
      },
    })) as { status: { allowed: boolean } };
    return answer.status.allowed;
  }

  /** Starts `slicewise controller` with the flags of the Deployment, but for addresses and ports. */
  async controller(kubeconfig: string): Promise<{ process: Component; port: number }> {
    const [port = 0] = await freePorts(1);
    const flags = ['--leader-elect=true', '--bind-address=127.0.0.1', `--secure-port=${port}`];
    return {
      process: new Component(process.execPath, [MAIN, 'controller', `--kubeconfig=${kubeconfig}`, ...flags]),
      port,
    };
  }

  /** The words before a command that is to run in the node. */
  get inside(): string[] {
    return inside(this.lab);
  }

  /** The node's rules, as `iptables-save` prints them. */
  rules(): Promise<string> {
    return this.lab.run('iptables-nft-save');
  }

  /** Runs what the DaemonSet's init container runs, to its end. */
  async prepareKernel(): Promise<void> {
    const args = [...inside(this.lab), process.execPath, MAIN, 'proxier', '--init-only', '--conntrack-max-per-core=0'];
    const run = new Component('nsenter', args);
    if ((await run.end()) !== 0) throw new Error(`proxier --init-only:\n${run.log}`);
  }

  /** Starts `slicewise proxier` in the node, with the one right that the DaemonSet leaves it. */
  proxier(kubeconfig: string): Component {
    const flags = [`--kubeconfig=${kubeconfig}`, `--hostname-override=${NODE}`, '--conntrack-max-per-core=0'];
    const fenced = ['setpriv', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all,+net_admin'];
    return new Component('nsenter', [...inside(this.lab), ...fenced, process.execPath, MAIN, 'proxier', ...flags]);
  }
}

function inside(lab: KernelLab): string[] {
  return ['-t', String(lab.pid), '-n', '-m', '--'];
}

/** Asks a controller's HTTPS page as the bearer of `token`. */
export async function page(port: number, path: string, token: string): Promise<{ status: number; body: string }> {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const { statusCode, body } = await request(`https://127.0.0.1:${port}${path}`, {
      dispatcher,
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: statusCode, body: await body.text() };
  } finally {
    await dispatcher.close();
  }
}
