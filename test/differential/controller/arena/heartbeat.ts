import { setTimeout as wait } from 'node:timers/promises';
import type { KubeClient } from '../../../../src/kube/client.ts';
import type { ApiObject, WatchLog } from './watch-log.ts';

/** Where the Service and the Pod live that show whether the controller keeps up. */
export const HEARTBEAT_NAMESPACE = 'heartbeat';

const at = (plural: string, name = '') => `/api/v1/namespaces/${HEARTBEAT_NAMESPACE}/${plural}/${name}`;
const TIMEOUT = 60_000;

/**
 * Proves that a controller has seen what happened so far: a Pod and a Service are changed, and when both changes show in their slice,
 * the controller's watches have come at least that far. How many such changes there are depends on timing.
 */
export class Heartbeat {
  readonly #client: KubeClient;
  readonly #slices: WatchLog;
  #count = 0;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(client: KubeClient, slices: WatchLog) {
    this.#client = client;
    this.#slices = slices;
  }

  async prepare(): Promise<void> {
    const post = (path: string, body: object) => this.#client.request({ method: 'POST', path, body });
    const metadata = { name: 'beat', labels: { app: 'beat' } };
    await post('/api/v1/namespaces', { metadata: { name: HEARTBEAT_NAMESPACE } });
    await post('/api/v1/nodes', {
      metadata: { name: 'beat', labels: { 'node-role.kubernetes.io/control-plane': '' } },
    });
    await post(at('pods'), { metadata, spec: { nodeName: 'beat', containers: [{ name: 'c', image: 'none' }] } });
    await post(at('services'), { metadata, spec: { selector: { app: 'beat' }, ports: [{ port: 80 }] } });
  }

  /** A beat that begins after this call; several who wait share one. @throws Error when it does not show within a minute. */
  beat(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#run();
      return this.#running;
    });
    return this.#next;
  }

  async #run(): Promise<void> {
    const count = String(++this.#count);
    const ready = this.#count % 2 === 1;
    const patch = (path: string, body: object) =>
      this.#client.request({ method: 'PATCH', path, body, patchType: 'merge' });
    const podIP = '10.255.255.255';
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
    await patch(at('pods', 'beat/status'), { status: { podIP, podIPs: [{ ip: podIP }], conditions } });
    await patch(at('services', 'beat'), { metadata: { labels: { count } } });
    const deadline = performance.now() + TIMEOUT;
    while (!this.#slices.current(HEARTBEAT_NAMESPACE).some((slice) => shows(slice, count, ready))) {
      if (performance.now() > deadline)
        throw new Error('the controller does not follow what happens at the API server');
      await wait(10);
    }
  }
}

function shows({ metadata, endpoints }: ApiObject, count: string, ready: boolean): boolean {
  const list = endpoints as { conditions: { ready: boolean } }[] | null;
  return metadata.labels?.count === count && list?.[0]?.conditions.ready === ready;
}
