import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import { isRecord, type JsonRecord } from '../../../src/kube/values.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { type RealApiServer, startRealApiServer } from '../../support/real-apiserver.ts';

const NAMESPACE = '/api/v1/namespaces/default';
const PODS = `${NAMESPACE}/pods`;

/** A real API server, with a kubeconfig for whoever shall work on it, and objects made the way users and kubelets make them. */
export class MigrationWorld {
  readonly api: RealApiServer;
  readonly folder: string;
  readonly kubeconfig: string;
  readonly #client: KubeClient;

  private constructor(api: RealApiServer, folder: string, kubeconfig: string, client: KubeClient) {
    this.api = api;
    this.folder = folder;
    this.kubeconfig = kubeconfig;
    this.#client = client;
  }

  /** `flags`: further ones of kube-apiserver. */
  static async start(assets: string, flags: readonly string[] = []): Promise<MigrationWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'slicewise-migrate-'));
    try {
      const api = await startRealApiServer(assets, { flags });
      const kubeconfig = join(folder, 'kubeconfig');
      await writeKubeconfig(kubeconfig, { server: api.url, caData: api.caData, token: api.token });
      const access = await loadClusterAccess({ kubeconfig });
      return new MigrationWorld(
        api,
        folder,
        kubeconfig,
        createKubeClient(access, { userAgent: 'test', logger: silentLogger }),
      );
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.api.stop();
    await rm(this.folder, { recursive: true });
  }

  request(method: 'GET' | 'POST' | 'PUT', path: string, body?: JsonRecord): Promise<unknown> {
    return this.#client.request({ method, path, ...(body && { body }) });
  }

  async node(name: string, zone: string): Promise<void> {
    const labels = { 'topology.kubernetes.io/zone': zone };
    await this.request('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
  }

  /** A Pod of app `app` that runs and is ready, unless `ready` says otherwise. */
  async pod(app: string, name: string, options: { ip: string; node: string; ready?: boolean }): Promise<void> {
    const { ip, node, ready = true } = options;
    const containers = [{ name: 'c', image: 'c', ports: [{ name: 'http', containerPort: 8080 }] }];
    await this.request('POST', PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app } },
      spec: { nodeName: node, containers },
    });
    const pod = await this.request('GET', `${PODS}/${name}`);
    if (!isRecord(pod)) throw new TypeError('no Pod');
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
    const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions };
    await this.request('PUT', `${PODS}/${name}/status`, { ...pod, status });
  }

  async service(name: string, spec: JsonRecord): Promise<void> {
    const metadata = { name };
    await this.request('POST', `${NAMESPACE}/services`, { apiVersion: 'v1', kind: 'Service', metadata, spec });
  }

  /** All slices but the API server's own, by name. */
  async slices(): Promise<JsonRecord[]> {
    const list = await this.request('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices');
    if (!isRecord(list) || !Array.isArray(list.items)) throw new TypeError('no list');
    const named = list.items.filter(isRecord).map((slice) => ({ slice, name: nameOf(slice) }));
    return named
      .filter(({ name }) => name !== 'kubernetes')
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ slice }) => slice);
  }
}

export function nameOf(object: JsonRecord): string {
  return isRecord(object.metadata) ? String(object.metadata.name) : '';
}

/** The value of a series, with exactly these labels as they are printed; 0 when there is none. */
export function metric(page: string, series: string): number {
  const line = page.split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length));
}
