import type { KubeClient } from '../../src/kube/client.ts';
import { ENDPOINT_SLICES_READ_ONLY } from '../../src/kube/projections.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { type EndpointSlice, SERVICE_NAME_LABEL } from '../../src/objects/endpointslice.ts';
import { silentLogger } from '../../src/observe/logger.ts';

/** Watches slices as a proxy would, and notes when what is waited for has become visible. Instants are `performance.now()`. */
export class SliceObserver {
  readonly #reflector: Reflector<EndpointSlice>;
  readonly #endpoints = new Map<string, number>();
  readonly #readiness = new Map<string, { ready: boolean; at: number }>();
  #complete = 0;
  #wanted = 0;
  #resolve: (() => void) | undefined;
  firstWriteAt: number | undefined;

  constructor(client: KubeClient) {
    this.#reflector = new Reflector({ client, resource: ENDPOINT_SLICES_READ_ONLY, logger: silentLogger });
    this.#reflector.addHandler({
      onAdd: (slice) => this.#see(slice),
      onUpdate: (_, slice) => this.#see(slice),
      onDelete: (slice) => this.#forget(slice),
    });
  }

  async start(): Promise<void> {
    this.#reflector.start();
    await this.#reflector.synced;
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  /** Slices in the cache. */
  get size(): number {
    return this.#reflector.store.size;
  }

  /** Resolves when `services` Services have `perService` endpoints each. */
  converged(services: number, perService: number): Promise<void> {
    this.#wanted = perService;
    this.#complete = [...this.#endpoints.values()].filter((n) => n === perService).length;
    this.firstWriteAt = undefined;
    return new Promise((resolve) => {
      const check = () => {
        if (this.#complete >= services) resolve();
      };
      this.#resolve = check;
      check();
    });
  }

  /** When the watcher first saw this Pod (`namespace/name`) with that readiness since `after`; undefined when not yet. */
  seen(pod: string, ready: boolean, after: number): number | undefined {
    const last = this.#readiness.get(pod);
    return last && last.ready === ready && last.at >= after ? last.at : undefined;
  }

  #see(slice: EndpointSlice): void {
    const at = performance.now();
    const { namespace, labels } = slice.metadata;
    this.firstWriteAt ??= at;
    this.#count(`${namespace}/${labels?.[SERVICE_NAME_LABEL]}`, slice.endpoints.length);
    for (const { targetRef, conditions } of slice.endpoints) {
      const pod = `${namespace}/${targetRef?.name}`;
      const ready = conditions?.ready ?? true;
      if (this.#readiness.get(pod)?.ready !== ready) this.#readiness.set(pod, { ready, at });
    }
  }

  #forget(slice: EndpointSlice): void {
    this.#count(`${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME_LABEL]}`, 0);
  }

  #count(service: string, endpoints: number): void {
    const before = this.#endpoints.get(service) ?? 0;
    this.#endpoints.set(service, endpoints);
    if (before !== this.#wanted && endpoints === this.#wanted) this.#complete++;
    if (before === this.#wanted && endpoints !== this.#wanted) this.#complete--;
    this.#resolve?.();
  }
}
