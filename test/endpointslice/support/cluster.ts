import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { type ApiServer, startApiServer } from '../../../src/embedded/apiserver/server.ts';
import { type Assembly, assembleController } from '../../../src/endpointslice/assemble.ts';
import { type ControllerOptions, DEFAULT_CONTROLLER_OPTIONS } from '../../../src/endpointslice/options.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import { ENDPOINT_SLICES } from '../../../src/kube/projections.ts';
import { resourceClient } from '../../../src/kube/typed.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import { ZONE_LABEL } from '../../../src/objects/node.ts';
import { silentLogger } from '../../../src/observe/logger.ts';

export const AGENT = 'controller-under-test';

export interface PodSpec {
  name: string;
  ips?: string[];
  node?: string;
  ready?: boolean;
  labels?: Record<string, string>;
}

/** An embedded API server, a client that plays user and kubelet, and controllers to start and stop. */
export class TestCluster {
  readonly api: ApiServer;
  readonly client: KubeClient;
  readonly kubeconfig: string;
  readonly namespace: string;
  #directory: string;
  #running = new Set<Assembly & { client: KubeClient }>();

  private constructor(parts: { api: ApiServer; client: KubeClient; directory: string; kubeconfig: string }) {
    this.api = parts.api;
    this.client = parts.client;
    this.#directory = parts.directory;
    this.kubeconfig = parts.kubeconfig;
    this.namespace = 'default';
  }

  static async start(): Promise<TestCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'slicewise-controller-'));
    const kubeconfig = join(directory, 'kubeconfig');
    const api = await startApiServer({ tls: false });
    await api.writeKubeconfig(kubeconfig);
    const client = createKubeClient(await loadClusterAccess({ kubeconfig }), {
      userAgent: 'test',
      logger: silentLogger,
    });
    return new TestCluster({ api, client, directory, kubeconfig });
  }

  async stop(): Promise<void> {
    for (const running of this.#running) await this.#end(running);
    await this.client.close();
    await this.api.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async startController(
    options: Partial<ControllerOptions> = {},
  ): Promise<{ stop: () => Promise<void>; crash: () => Promise<void> }> {
    const access = await loadClusterAccess({ kubeconfig: this.kubeconfig });
    const client = createKubeClient(access, { userAgent: AGENT, logger: silentLogger, retries: 0 });
    const assembly = assembleController({
      client,
      logger: silentLogger,
      registry: new Registry(),
      options: { ...DEFAULT_CONTROLLER_OPTIONS, ...options },
    });
    const running = { ...assembly, client };
    this.#running.add(running);
    await assembly.controller.start();
    return {
      stop: () => this.#end(running),
      // The connections go first, so that nothing more can be written whatever was planned.
      crash: async () => {
        await client.close();
        await this.#end(running);
      },
    };
  }

  async #end(running: Assembly & { client: KubeClient }): Promise<void> {
    if (!this.#running.delete(running)) return;
    await running.controller.stop();
    await running.events.stop();
    await running.client.close();
  }

  async post(path: string, body: unknown): Promise<void> {
    await this.client.request({ method: 'POST', path, body });
  }

  async node(name: string, zone = 'z1'): Promise<void> {
    await this.post('/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { [ZONE_LABEL]: zone } },
      status: { allocatable: { cpu: '4' }, conditions: [{ type: 'Ready', status: 'True' }] },
    });
  }

  async service(name: string, spec: Record<string, unknown> = {}): Promise<void> {
    await this.post(`/api/v1/namespaces/${this.namespace}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
    });
  }

  /** A Pod as it is once the kubelet has reported it running. */
  async pod(app: string, { name, ips = [], node = 'node-a', ready = true, labels = {} }: PodSpec): Promise<void> {
    await this.post(`/api/v1/namespaces/${this.namespace}/pods`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app, ...labels } },
      spec: { nodeName: node, containers: [{ name: 'c', image: 'c', ports: [{ containerPort: 8080 }] }] },
    });
    await this.podStatus(name, { ips, ready });
  }

  async podStatus(name: string, { ips, ready = true }: { ips?: string[]; ready?: boolean }): Promise<void> {
    const addresses = ips ? { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) } : {};
    await this.client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${this.namespace}/pods/${name}/status`,
      patchType: 'merge',
      body: {
        status: {
          phase: 'Running',
          ...addresses,
          conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }],
        },
      },
    });
  }

  async remove(plural: 'pods' | 'services', name: string): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/${plural}/${name}`;
    await this.client.request({ method: 'DELETE', path, query: { gracePeriodSeconds: 0 } });
  }

  async slices(service?: string): Promise<EndpointSlice[]> {
    const found: EndpointSlice[] = [];
    const labelSelector = service === undefined ? undefined : `kubernetes.io/service-name=${service}`;
    for await (const slice of resourceClient(this.client, ENDPOINT_SLICES).list({
      namespace: this.namespace,
      labelSelector,
    })) {
      found.push(slice);
    }
    return found;
  }

  /** All endpoints of a Service in short, `!` before one that is not ready; copies show as such. */
  async endpoints(service: string): Promise<string[]> {
    return (await this.slices(service))
      .flatMap((s) => s.endpoints.map((e) => `${e.conditions?.ready ? '' : '!'}${e.targetRef?.name}`))
      .sort();
  }

  /** Writes of slices by controllers since the last `requests.clear()`, in short. */
  writes(): string[] {
    return this.api.requests
      .matching({ plural: 'endpointslices', userAgent: AGENT, verb: ['create', 'update', 'delete', 'patch'] })
      .map((request) => request.verb);
  }
}

/** Waits until `check` no longer throws; its last error is the reason when that takes too long. */
export async function eventually(check: () => Promise<void>, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
