import type { KubeClient } from '../../../src/kube/client.ts';
import { isApiError } from '../../../src/kube/errors.ts';

export interface Slice {
  metadata: { name: string; labels?: Record<string, string> };
  addressType: string;
  endpoints: { addresses: string[]; conditions?: { ready?: boolean } }[] | null;
}

export interface SeenEvent {
  reason: string;
  message?: string;
  note?: string;
  count?: number;
  series?: { count: number };
  regarding?: { kind: string; name: string };
  involvedObject?: { kind: string; name: string };
}

/** What an administrator and the kubelets do, in a namespace of its own. */
export class Cluster {
  readonly #admin: KubeClient;
  readonly namespace: string;

  constructor(admin: KubeClient, namespace: string) {
    this.#admin = admin;
    this.namespace = namespace;
  }

  static async create(admin: KubeClient, namespace: string): Promise<Cluster> {
    await admin.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
    return new Cluster(admin, namespace);
  }

  async service(name: string, spec: object = {}): Promise<void> {
    const body = { metadata: { name }, spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec } };
    await this.#admin.request({ method: 'POST', path: this.#path('services'), body });
  }

  async patchService(name: string, body: object): Promise<void> {
    await this.#admin.request({ method: 'PATCH', path: this.#path('services', name), patchType: 'merge', body });
  }

  async remove(plural: 'services' | 'pods', name: string): Promise<void> {
    await this.#admin.request({ method: 'DELETE', path: this.#path(plural, name), body: { gracePeriodSeconds: 0 } });
  }

  /** A Pod of the Service `app` that runs and is ready. */
  async pod(name: string, app: string, ip: string): Promise<void> {
    const spec = { nodeName: 'node-1', containers: [{ name: 'c', image: 'x' }] };
    await this.#admin.request({
      method: 'POST',
      path: this.#path('pods'),
      body: { metadata: { name, labels: { app } }, spec },
    });
    await this.podStatus(name, {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: 'True' }],
    });
  }

  async podStatus(name: string, status: object): Promise<void> {
    const path = `${this.#path('pods', name)}/status`;
    await this.#admin.request({ method: 'PATCH', path, patchType: 'merge', body: { status } });
  }

  async slices(service: string): Promise<Slice[]> {
    const query = { labelSelector: `kubernetes.io/service-name=${service}` };
    const path = `/apis/discovery.k8s.io/v1/namespaces/${this.namespace}/endpointslices`;
    return ((await this.#admin.request({ method: 'GET', path, query })) as { items: Slice[] }).items;
  }

  /** Of the core group, or as events.k8s.io shows them. */
  async events(api: 'core' | 'events.k8s.io', reason: string, namespace = this.namespace): Promise<SeenEvent[]> {
    const base = api === 'core' ? '/api/v1' : '/apis/events.k8s.io/v1';
    const path = `${base}/namespaces/${namespace}/events`;
    const { items } = (await this.#admin.request({ method: 'GET', path })) as { items: SeenEvent[] };
    return items.filter((event) => event.reason === reason);
  }

  #path(plural: string, name?: string): string {
    return `/api/v1/namespaces/${this.namespace}/${plural}${name === undefined ? '' : `/${name}`}`;
  }
}

/** A Node that a kubelet has registered. */
export async function registerNode(admin: KubeClient, name: string): Promise<void> {
  await admin.request({ method: 'POST', path: '/api/v1/nodes', body: { metadata: { name } } });
  const addresses = [{ type: 'InternalIP', address: '192.0.2.10' }];
  const status = { addresses, conditions: [{ type: 'Ready', status: 'True' }] };
  await admin.request({ method: 'PATCH', path: `/api/v1/nodes/${name}/status`, patchType: 'merge', body: { status } });
}

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';

/** Who leads; `''` when nobody does. */
export async function leader(admin: KubeClient): Promise<string> {
  const lease = await admin.request({ method: 'GET', path: `${LEASE}/slicewise-controller` });
  return (lease as { spec: { holderIdentity?: string } }).spec.holderIdentity ?? '';
}

export async function forgetLeader(admin: KubeClient): Promise<void> {
  try {
    await admin.request({ method: 'DELETE', path: `${LEASE}/slicewise-controller` });
  } catch (error) {
    if (!isApiError(error, 'NOT_FOUND')) throw error;
  }
}
