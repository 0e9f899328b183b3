import type { Action, Manifest, Planting, Plural, PodReport, RawSlice, Which } from '../scenario.ts';
import type { Side } from './side.ts';
import type { ApiObject, Change } from './watch-log.ts';

/** The start of every scenario's own clock; it lies ahead of every Service's creation. */
const EPOCH = Date.parse('2030-01-01T00:00:00Z');
const SERVICE_LABEL = 'kubernetes.io/service-name';
const PARALLEL = 16;

/** One scenario's namespace on one side, and what is done there by users, kubelets and the like. */
export class World {
  readonly side: Side;
  readonly namespace: string;
  /** uid -> what it belongs to, as `pods/a#2`: the second Pod of that name. */
  readonly uids = new Map<string, string>();
  #restart: () => Promise<void>;
  #generations = new Map<string, number>();
  #ticks = 0;
  /** `uid@resourceVersion` of slices as this test wrote them, and uids of slices that it deleted. */
  #byHand = new Set<string>();

  constructor(side: Side, namespace: string, restart: () => Promise<void>) {
    this.side = side;
    this.namespace = namespace;
    this.#restart = restart;
  }

  async prepare(): Promise<void> {
    await this.#request('POST', '/api/v1/namespaces', { metadata: { name: this.namespace } });
  }

  async act(action: Action): Promise<void> {
    switch (action.op) {
      case 'create':
        return this.#create(action.plural, action.object);
      case 'patch':
        await this.#request('PATCH', this.#path(action.plural, action.name, action.subresource), action.patch);
        return;
      case 'remove':
        await this.#request('DELETE', this.#path(action.plural, action.name), options(action.graceSeconds ?? 0));
        return;
      case 'report':
        await this.#request('PATCH', this.#path('pods', action.pod, 'status'), { status: this.#status(action.status) });
        return;
      case 'edit slices':
        for (const slice of this.#slicesOf(action.service, action.only)) {
          const { patch } = action;
          await this.#writeByHand('PATCH', slice, typeof patch === 'function' ? patch(asSlice(slice)) : patch);
        }
        return;
      case 'remove slices':
        for (const slice of this.#slicesOf(action.service, action.only)) {
          this.#byHand.add(slice.metadata.uid);
          await this.#writeByHand('DELETE', slice, options(0));
        }
        return;
      case 'plant slices':
        return this.#plant(action.planting);
      case 'remove namespace':
        await this.#request('DELETE', `/api/v1/namespaces/${this.namespace}`, options(0));
        return;
      case 'all at once':
        return this.#allAtOnce(action.actions);
      case 'wait until seen':
        return this.side.keepsUp();
      case 'restart controller':
        return this.#restart();
    }
  }

  /** Whether a change of a slice is the doing of this test, not the controller's. */
  isByHand({ type, object: { metadata } }: Change): boolean {
    return (
      this.#byHand.has(`${metadata.uid}@${metadata.resourceVersion}`) ||
      (type === 'DELETED' && this.#byHand.has(metadata.uid))
    );
  }

  async #create(plural: Plural, object: Manifest): Promise<void> {
    const created = await this.#request('POST', this.#path(plural), object);
    const what = `${plural}/${object.metadata.name}`;
    const generation = (this.#generations.get(what) ?? 0) + 1;
    this.#generations.set(what, generation);
    const { uid, resourceVersion } = created.metadata;
    this.uids.set(uid, `${what}#${generation}`);
    if (plural === 'endpointslices') this.#byHand.add(`${uid}@${resourceVersion}`);
  }

  async #plant({ service, slices, port }: Planting): Promise<void> {
    const { metadata: owner } = await this.#request('GET', this.#path('services', service));
    for (const [i, names] of slices.entries()) {
      const endpoints = await Promise.all(names.map((name) => this.#endpoint(name)));
      await this.#create('endpointslices', {
        metadata: {
          name: `${service}-${'abcdefgh'.charAt(i).repeat(5)}`,
          generateName: `${service}-`,
          labels: {
            [SERVICE_LABEL]: service,
            'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          },
          ownerReferences: [
            {
              apiVersion: 'v1',
              kind: 'Service',
              name: service,
              uid: owner.uid,
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        addressType: 'IPv4',
        ports: [{ name: 'http', protocol: 'TCP', port }],
        endpoints,
      });
    }
  }

  async #endpoint(podName: string): Promise<object> {
    const pod = (await this.#request('GET', this.#path('pods', podName))) as ApiObject & {
      spec: { nodeName: string };
      status: { podIP: string };
    };
    const { nodeName } = pod.spec;
    const node = await this.#request('GET', this.#path('nodes', nodeName));
    return {
      addresses: [pod.status.podIP],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName,
      zone: node.metadata.labels?.['topology.kubernetes.io/zone'],
      targetRef: { kind: 'Pod', namespace: this.namespace, name: podName, uid: pod.metadata.uid },
    };
  }

  async #allAtOnce(actions: readonly Action[]): Promise<void> {
    const left = [...actions].reverse();
    const worker = async () => {
      for (let next = left.pop(); next; next = left.pop()) await this.act(next);
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }

  #status({ ips, ready, phase }: PodReport): object {
    const lastTransitionTime = new Date(EPOCH + 1000 * ++this.#ticks).toISOString().replace('.000', '');
    return {
      ...(phase === undefined ? {} : { phase }),
      ...(ips === undefined ? {} : { podIP: ips[0] ?? null, podIPs: ips.map((ip) => ({ ip })) }),
      ...(ready === undefined
        ? {}
        : { conditions: [{ type: 'Ready', status: readyStatus(ready), lastTransitionTime }] }),
    };
  }

  #slicesOf(service: string, only?: Which): ApiObject[] {
    const size = (slice: ApiObject) => asSlice(slice).endpoints?.length ?? 0;
    const slices = this.side.slices
      .current(this.namespace)
      .filter(({ metadata }) => metadata.labels?.[SERVICE_LABEL] === service)
      .sort((a, b) => size(b) - size(a));
    if (only === undefined) return slices;
    const first = `services/${service}#1`;
    return only === 'largest'
      ? slices.slice(0, 1)
      : slices.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => this.uids.get(uid) === first));
  }

  async #writeByHand(method: 'PATCH' | 'DELETE', { metadata: { name, uid } }: ApiObject, body: object): Promise<void> {
    const answer = await this.#request(method, this.#path('endpointslices', name), body);
    if (answer.metadata?.resourceVersion) this.#byHand.add(`${uid}@${answer.metadata.resourceVersion}`);
  }

  #path(plural: Plural, name = '', subresource = ''): string {
    const api = plural === 'endpointslices' ? '/apis/discovery.k8s.io/v1' : '/api/v1';
    const parent = plural === 'nodes' ? api : `${api}/namespaces/${this.namespace}`;
    return [parent, plural, name, subresource].filter((part) => part !== '').join('/');
  }

  async #request(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<ApiObject> {
    const patchType = method === 'PATCH' ? { patchType: 'merge' as const } : {};
    return (await this.side.client.request({ method, path, body, ...patchType })) as ApiObject;
  }
}

export function asSlice(object: ApiObject): ApiObject & RawSlice {
  return object as ApiObject & RawSlice;
}

function readyStatus(ready: boolean | 'Unknown'): string {
  return ready === 'Unknown' ? ready : ready ? 'True' : 'False';
}

function options(gracePeriodSeconds: number): object {
  return { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds };
}
