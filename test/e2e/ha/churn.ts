import { setTimeout as wait } from 'node:timers/promises';
import type { KubeClient } from '../../../src/kube/client.ts';
import { ENDPOINT_SLICES } from '../../../src/kube/projections.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import { silentLogger } from '../../../src/observe/logger.ts';

const NAMESPACE = 'default';
const SERVICES = 8;
const STABLE_PODS = 3;
const MOVING_PODS = 5;
/** Pause between two changes, milliseconds. */
const PAUSE_MS = 15;

/**
 * Services with Pods that are always ready and Pods that come, go and change their minds, and a watch on what is made of them. Whatever
 * happens to the controllers, no Pod that is always ready may be missing from the slices for a moment.
 */
export class Churn {
  readonly #client: KubeClient;
  readonly #watch: Reflector<EndpointSlice>;
  readonly #slices = new Map<string, EndpointSlice>();
  /** Moving Pods that are ready, by Service. */
  readonly #ready = new Map<string, Set<string>>();
  readonly #existing = new Set<string>();
  /** What was missing, when. */
  readonly missing: string[] = [];
  #guarding = false;
  #running: Promise<void> | undefined;
  #stopped = false;
  #step = 0;

  constructor(client: KubeClient) {
    this.#client = client;
    this.#watch = new Reflector({ client, resource: ENDPOINT_SLICES, namespace: NAMESPACE, logger: silentLogger });
    const seen = (slice: EndpointSlice) => {
      this.#slices.set(slice.metadata.name, slice);
      this.#guard();
    };
    this.#watch.addHandler({
      onAdd: seen,
      onUpdate: (_, after) => seen(after),
      onDelete: (slice) => {
        this.#slices.delete(slice.metadata.name);
        this.#guard();
      },
    });
  }

  /** Makes the Services and their Pods. */
  async prepare(): Promise<void> {
    this.#watch.start();
    await this.#post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-a' } });
    for (const service of this.services) {
      this.#ready.set(service, new Set());
      await this.#post(`/api/v1/namespaces/${NAMESPACE}/services`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: service },
        spec: { selector: { app: service }, ports: [{ port: 80 }] },
      });
      for (let i = 0; i < STABLE_PODS; i++) await this.#create(service, `${service}-stable-${i}`, true);
    }
  }

  get services(): string[] {
    return Array.from({ length: SERVICES }, (_, i) => `service-${i}`);
  }

  /** From now on stable Pods must be there, and moving ones move. */
  start(): void {
    this.#guarding = true;
    this.#running = this.#move();
  }

  /** Ends the movement, not the watch. @throws whatever kept it from going on */
  async settle(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => undefined);
    await this.#watch.stop();
  }

  /** Ready endpoints of each Service: what there is, and what there should be. */
  outcome(): { found: Record<string, string[]>; expected: Record<string, string[]> } {
    const found: Record<string, string[]> = {};
    const expected: Record<string, string[]> = {};
    for (const service of this.services) {
      found[service] = this.#endpoints(service).sort();
      const stable = Array.from({ length: STABLE_PODS }, (_, i) => `${service}-stable-${i}`);
      expected[service] = [...stable, ...(this.#ready.get(service) ?? [])].sort();
    }
    return { found, expected };
  }

  #endpoints(service: string): string[] {
    return [...this.#slices.values()]
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service)
      .flatMap(({ endpoints }) => endpoints)
      .filter(({ conditions }) => conditions?.ready)
      .map(({ targetRef }) => targetRef?.name ?? '');
  }

  #guard(): void {
    if (!this.#guarding) return;
    for (const service of this.services) {
      const there = new Set(this.#endpoints(service));
      for (let i = 0; i < STABLE_PODS; i++) {
        const pod = `${service}-stable-${i}`;
        if (!there.has(pod)) this.missing.push(`${pod} at step ${this.#step}`);
      }
    }
  }

  async #move(): Promise<void> {
    for (; !this.#stopped; this.#step++) {
      const service = this.services[this.#step % SERVICES] ?? '';
      const pod = `${service}-moving-${Math.floor(this.#step / SERVICES) % MOVING_PODS}`;
      const ready = this.#ready.get(service) ?? new Set();
      if (!this.#existing.has(pod)) {
        await this.#create(service, pod, true);
        ready.add(pod);
      } else if (ready.has(pod) && this.#step % 3 === 0) {
        await this.#status(pod, false);
        ready.delete(pod);
      } else if (ready.has(pod) || this.#step % 2 === 0) {
        const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod}`;
        await this.#client.request({ method: 'DELETE', path, query: { gracePeriodSeconds: 0 } });
        this.#existing.delete(pod);
        ready.delete(pod);
      } else {
        await this.#status(pod, true);
        ready.add(pod);
      }
      await wait(PAUSE_MS);
    }
  }

  #addresses = 0;

  async #create(service: string, pod: string, ready: boolean): Promise<void> {
    await this.#post(`/api/v1/namespaces/${NAMESPACE}/pods`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, labels: { app: service } },
      spec: { nodeName: 'node-a', containers: [{ name: 'c', image: 'c' }] },
    });
    this.#existing.add(pod);
    const n = this.#addresses++;
    await this.#status(pod, ready, `10.${1 + Math.floor(n / 62_500)}.${Math.floor(n / 250) % 250}.${1 + (n % 250)}`);
  }

  async #status(pod: string, ready: boolean, ip?: string): Promise<void> {
    await this.#client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${NAMESPACE}/pods/${pod}/status`,
      patchType: 'merge',
      body: {
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
          ...(ip !== undefined && { podIP: ip, podIPs: [{ ip }] }),
        },
      },
    });
  }

  async #post(path: string, body: object): Promise<void> {
    await this.#client.request({ method: 'POST', path, body });
  }
}
