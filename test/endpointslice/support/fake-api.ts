import { Registry } from 'prom-client';
import {
  EndpointSliceController,
  POD_INDEXERS,
  SLICE_INDEXERS,
  type Source,
} from '../../../src/endpointslice/controller.ts';
import { type ControllerOptions, DEFAULT_CONTROLLER_OPTIONS } from '../../../src/endpointslice/options.ts';
import type { PlannedEvent } from '../../../src/endpointslice/plan.ts';
import type { SliceClient } from '../../../src/endpointslice/slice-client.ts';
import { ApiError, type ApiErrorCode } from '../../../src/kube/errors.ts';
import type { Indexers, ResourceHandler } from '../../../src/kube/handler.ts';
import { Store } from '../../../src/kube/store.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import { type KubeObject, objectKey } from '../../../src/objects/meta.ts';
import type { Node } from '../../../src/objects/node.ts';
import type { Pod } from '../../../src/objects/pod.ts';
import type { Service } from '../../../src/objects/service.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

/** A cache that a test fills by hand. */
export class MemorySource<T extends KubeObject> implements Source<T> {
  readonly store: Store<T>;
  readonly synced = Promise.resolve();
  #serial = 0;

  constructor(indexers: Indexers<T> = {}) {
    this.store = new Store(indexers);
  }

  addHandler(handler: ResourceHandler<T>): () => void {
    return this.store.addHandler(handler);
  }

  start(): void {}

  async stop(): Promise<void> {}

  /** Every object gets a resourceVersion of its own, as at an API server. */
  put(...objects: T[]): void {
    for (const object of objects) {
      const resourceVersion = object.metadata.resourceVersion ?? `m${++this.#serial}`;
      this.store.apply({ ...object, metadata: { ...object.metadata, resourceVersion } });
    }
  }

  take(...objects: T[]): void {
    for (const object of objects) this.store.remove(object);
  }
}

/**
 * The slices of an API server, and the watch by which the controller's cache hears of them. As at a real server, the
 * event of a write may come before the answer (the default here) or be late (`hold`).
 */
export class FakeSliceApi implements SliceClient {
  /** What was asked for, in order: `create [a b]`, `update s1 [a]`, `delete s1`. */
  readonly calls: string[] = [];
  readonly slices = new Map<string, EndpointSlice>();
  readonly cache: MemorySource<EndpointSlice>;
  /** A call for which this returns something fails with it. */
  fail: (call: string) => ApiError | undefined = () => undefined;
  /** A call for which this returns something is carried out, and fails with it nevertheless. */
  lose: (call: string) => ApiError | undefined = () => undefined;
  /** Called after every change of the slices, whoever made it. */
  onChange: () => void = () => {};
  #held: (() => void)[] | undefined;
  #gap = false;
  #serial = 100;

  constructor(cache: MemorySource<EndpointSlice>) {
    this.cache = cache;
  }

  /** From now on the cache hears nothing, until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  /** The cache hears of the oldest change it has not heard of. */
  releaseOne(): void {
    this.#held?.shift()?.();
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (this.#gap) this.#relist();
    else for (const tell of held) tell();
    this.#gap = false;
  }

  /** The cache takes over the present state as a whole, and never learns how it came about. */
  #relist(): void {
    const { store } = this.cache;
    const gone = [...store.list()].filter((slice) => !this.slices.has(objectKey(slice.metadata)));
    for (const slice of gone) store.remove(slice);
    for (const slice of this.slices.values()) store.apply(slice);
  }

  /** Somebody else writes a slice; it need not exist. */
  put(slice: EndpointSlice): void {
    const key = objectKey(slice.metadata);
    const before = this.slices.get(key);
    const stored = this.#stamp(slice, before);
    this.slices.set(key, stored);
    this.onChange();
    this.#tell(() => this.cache.store.apply(stored));
  }

  /** Somebody else deletes a slice. */
  remove(name: string, namespace = 'shop'): void {
    const key = objectKey({ namespace, name });
    const slice = this.slices.get(key);
    if (!slice) throw new Error(`no slice ${key}`);
    this.slices.delete(key);
    this.onChange();
    this.#tell(() => this.cache.store.remove(slice));
  }

  /** Somebody else deletes a slice while the watch is down; the list after `release` shows only that it is gone. */
  removeUnseen(name: string, namespace = 'shop'): void {
    this.hold();
    this.#gap = true;
    this.slices.delete(objectKey({ namespace, name }));
  }

  /** The server is set back to an earlier state of a slice; the list after `release` shows just that. */
  restore(slice: EndpointSlice): void {
    this.hold();
    this.#gap = true;
    this.slices.set(objectKey(slice.metadata), slice);
  }

  async get(namespace: string, name: string): Promise<EndpointSlice> {
    this.#begin(`get ${name}`);
    const slice = this.slices.get(objectKey({ namespace, name }));
    if (!slice) throw apiError('NOT_FOUND', `endpointslices.discovery.k8s.io "${name}" not found`);
    return slice;
  }

  async create(slice: EndpointSlice): Promise<EndpointSlice> {
    const call = `create [${namesIn(slice)}]`;
    this.#begin(call);
    const name = slice.metadata.name || `${slice.metadata.generateName}${++this.#serial}`;
    const uid = `uid-${name}`;
    this.put({ ...slice, metadata: { ...slice.metadata, name, uid } });
    this.#end(call);
    return this.#stored(slice.metadata.namespace, name);
  }

  async update(slice: EndpointSlice): Promise<EndpointSlice> {
    const { name, namespace, resourceVersion } = slice.metadata;
    const call = `update ${name} [${namesIn(slice)}]`;
    this.#begin(call);
    const before = this.#stored(namespace, name);
    if (resourceVersion !== undefined && before.metadata.resourceVersion !== resourceVersion) {
      throw apiError('CONFLICT', 'the object has been modified');
    }
    this.put({ ...slice, metadata: { ...slice.metadata, uid: before.metadata.uid ?? '' } });
    this.#end(call);
    return this.#stored(namespace, name);
  }

  async delete(slice: EndpointSlice): Promise<void> {
    const { name, namespace } = slice.metadata;
    const call = `delete ${name}`;
    this.#begin(call);
    this.#stored(namespace, name);
    this.remove(name, namespace);
    this.#end(call);
  }

  /** Names of the target Pods by slice name. */
  get state(): Record<string, string> {
    return Object.fromEntries([...this.slices.values()].map((slice) => [slice.metadata.name, namesIn(slice)]));
  }

  #begin(call: string): void {
    this.calls.push(call);
    const failure = this.fail(call);
    if (failure) throw failure;
  }

  #end(call: string): void {
    const lost = this.lose(call);
    if (lost) throw lost;
  }

  #stored(namespace: string | undefined, name: string): EndpointSlice {
    const slice = this.slices.get(objectKey({ ...(namespace ? { namespace } : {}), name }));
    if (!slice) throw apiError('NOT_FOUND', `endpointslices.discovery.k8s.io "${name}" not found`);
    return slice;
  }

  /** The generation counts up with every change of content or labels, not of annotations. */
  #stamp(slice: EndpointSlice, before: EndpointSlice | undefined): EndpointSlice {
    const copy = structuredClone(slice);
    const content = (s: EndpointSlice) => JSON.stringify([s.endpoints, s.ports, s.metadata.labels]);
    const step = before && content(before) === content(copy) ? 0 : 1;
    const generation = (before?.metadata.generation ?? 0) + step;
    return { ...copy, metadata: { ...copy.metadata, generation, resourceVersion: `${++this.#serial}` } };
  }

  #tell(tell: () => void): void {
    if (this.#held) this.#held.push(tell);
    else tell();
  }
}

export function apiError(code: ApiErrorCode, message: string, cause?: string): ApiError {
  return new ApiError({ code, message, ...(cause ? { status: { details: { causes: [{ reason: cause }] } } } : {}) });
}

function namesIn(slice: EndpointSlice): string {
  return slice.endpoints.map((e) => (e.conditions?.ready ? '' : '!') + (e.targetRef?.name ?? '?')).join(' ');
}

/** A controller with hand-filled caches, a fake slice API and a clock that stands still. */
export class Bench {
  readonly clock = new FakeClock();
  readonly services = new MemorySource<Service>();
  readonly pods = new MemorySource<Pod>(POD_INDEXERS);
  readonly nodes = new MemorySource<Node>();
  readonly api = new FakeSliceApi(new MemorySource(SLICE_INDEXERS));
  readonly events: (PlannedEvent & { service: string })[] = [];
  registry = new Registry();
  controller: EndpointSliceController;
  #options: Partial<ControllerOptions>;

  constructor(options: Partial<ControllerOptions> = {}) {
    this.#options = options;
    this.controller = this.#assemble();
  }

  #assemble(): EndpointSliceController {
    return new EndpointSliceController({
      sources: { services: this.services, pods: this.pods, nodes: this.nodes, slices: this.api.cache },
      client: this.api,
      events: { record: (of, event) => this.events.push({ service: objectKey(of.metadata), ...event }) },
      clock: this.clock,
      random: () => 0.5,
      logger: silentLogger,
      registry: this.registry,
      options: { ...DEFAULT_CONTROLLER_OPTIONS, ...this.#options },
    });
  }

  /** Another process takes over, which knows only what the caches show. */
  async restart(): Promise<void> {
    await this.controller.stop();
    this.registry = new Registry();
    this.controller = this.#assemble();
    await this.start();
  }

  /** Starts, and lets the first syncs run. */
  async start(): Promise<void> {
    await this.controller.start();
    await settle();
  }

  /** The calls since the last look, once what can run has run. */
  async newCalls(): Promise<string[]> {
    await settle();
    return this.api.calls.splice(0);
  }

  async metric(line: string): Promise<string | undefined> {
    const page = await this.registry.metrics();
    return page
      .split('\n')
      .find((l) => l.startsWith(`${line} `))
      ?.slice(line.length + 1);
  }
}
