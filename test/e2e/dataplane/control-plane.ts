import { join } from 'node:path';
import { type ApiServer, startApiServer } from '../../../src/embedded/apiserver/server.ts';
import type { Hosts } from '../../../src/embedded/hosts/hosts.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { clusterOf, type Draft } from './cluster.ts';
import { addressOf, type NodeName, nodeOf } from './places.ts';

const PORT = 6443;

/** An API server on the wire, so that what runs on a node can watch it, and a client of ours to fill it. */
export class ControlPlane {
  /** Path of a kubeconfig that works on the nodes. */
  readonly kubeconfig: string;
  readonly #api: ApiServer;
  readonly #client: KubeClient;

  static async start(hosts: Hosts): Promise<ControlPlane> {
    const { ipv4 } = hosts.topology.wire;
    const api = await startApiServer({ extraNames: [ipv4] });
    try {
      await api.addServer(await hosts.listenOnWire(PORT));
      const [local, remote] = [join(hosts.runDir, 'local.kubeconfig'), join(hosts.runDir, 'node.kubeconfig')];
      await api.writeKubeconfig(local);
      await api.writeKubeconfig(remote, `https://${ipv4}:${PORT}`);
      const access = await loadClusterAccess({ kubeconfig: local });
      const client = createKubeClient(access, { userAgent: 'dataplane-test', logger: silentLogger });
      return new ControlPlane(api, client, remote);
    } catch (error) {
      await api.stop();
      throw error;
    }
  }

  constructor(api: ApiServer, client: KubeClient, kubeconfig: string) {
    this.#api = api;
    this.#client = client;
    this.kubeconfig = kubeconfig;
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#api.stop();
  }

  async addNode(name: NodeName, families: readonly IPFamily[]): Promise<void> {
    const { zone, podCIDR, podCIDR6 } = nodeOf(name);
    const addresses = families.map((family) => ({ type: 'InternalIP', address: addressOf(name, family) }));
    const metadata = { name, labels: { 'topology.kubernetes.io/zone': zone } };
    const spec = { podCIDR, podCIDRs: families.length > 1 ? [podCIDR, podCIDR6] : [podCIDR] };
    await this.#write('POST', '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata,
      spec,
      status: { addresses },
    });
    await this.#merge(`/api/v1/nodes/${name}/status`, { status: { addresses } });
  }

  async addNamespace(name: string): Promise<void> {
    await this.#write('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  /** One Service with the addresses of all families, and one slice for each. */
  async addService(draft: Draft, families: readonly IPFamily[]): Promise<void> {
    const each = families.map((family) => ({ family, ...clusterOf([draft], family) }));
    const services = each.flatMap(({ services }) => services);
    const [first] = services;
    if (!first) throw new RangeError('no family');
    const path = `/api/v1/namespaces/${first.metadata.namespace}/services`;
    const all = <T>(pick: (service: (typeof services)[number]) => readonly T[] | undefined) =>
      services.flatMap((service) => pick(service) ?? []);
    const spec = {
      ...first.spec,
      clusterIPs: all(({ spec }) => spec.clusterIPs),
      ipFamilies: families,
      ipFamilyPolicy: families.length > 1 ? 'RequireDualStack' : 'SingleStack',
      externalIPs: all(({ spec }) => spec.externalIPs),
    };
    await this.#write('POST', path, { apiVersion: 'v1', kind: 'Service', metadata: first.metadata, spec });
    const ingress = all(({ status }) => status?.loadBalancer?.ingress);
    if (ingress.length > 0)
      await this.#merge(`${path}/${draft.name}/status`, { status: { loadBalancer: { ingress } } });
    for (const { family, slices } of each) {
      for (const slice of slices) {
        const named = { ...slice, metadata: { ...slice.metadata, name: sliceName(draft, family) } };
        await this.#write('POST', SLICES, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', ...named });
      }
    }
  }

  async setEndpoints(draft: Draft, families: readonly IPFamily[]): Promise<void> {
    for (const family of families) {
      const [slice] = clusterOf([draft], family).slices;
      await this.#merge(`${SLICES}/${sliceName(draft, family)}`, { endpoints: slice?.endpoints });
    }
  }

  async removeService(draft: Draft, families: readonly IPFamily[]): Promise<void> {
    await this.#write('DELETE', `/api/v1/namespaces/e2e/services/${draft.name}`);
    for (const family of families) await this.#write('DELETE', `${SLICES}/${sliceName(draft, family)}`);
  }

  async #write(method: 'POST' | 'DELETE', path: string, body?: object): Promise<void> {
    await this.#client.request({ method, path, ...(body && { body }) });
  }

  async #merge(path: string, body: object): Promise<void> {
    await this.#client.request({ method: 'PATCH', path, patchType: 'merge', body });
  }
}

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/e2e/endpointslices';

function sliceName({ name }: Draft, family: IPFamily): string {
  return `${name}-${family.toLowerCase()}`;
}
