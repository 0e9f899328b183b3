import type { Registry } from 'prom-client';
import type { Clock, Random, Timer } from '../clock.ts';
import type { Indexers, ResourceHandler } from '../kube/handler.ts';
import type { EndpointSlice } from '../objects/endpointslice.ts';
import { type ObjectKey, objectKey } from '../objects/meta.ts';
import type { Pod } from '../objects/pod.ts';
import type { Service } from '../objects/service.ts';
import type { Logger } from '../observe/logger.ts';
import { WorkQueueMetrics } from '../workqueue/metrics.ts';
import { type AddOptions, DelayingQueue, type WorkQueueStats } from '../workqueue/queue.ts';
import { Runner } from '../workqueue/runner.ts';
import { Confirmations } from './confirmations.ts';
import { needsRevisit } from './hints/revisit.ts';
import { ControllerMetrics } from './metrics.ts';
import { NodeWatch } from './node-watch.ts';
import type { ControllerOptions } from './options.ts';
import { PlanWriter } from './plan-writer.ts';
import { podChange } from './pod-changes.ts';
import { RecentChanges } from './recent-changes.ts';
import type { ServiceEvents } from './recorder.ts';
import { RepairDelay } from './repair-delay.ts';
import { SelectorIndex } from './selector-index.ts';
import { effectiveSelector, ServiceSync } from './service-sync.ts';
import type { SliceClient } from './slice-client.ts';
import { SliceWatch } from './slice-watch.ts';
import type { Sources } from './sources.ts';
import { retryAfterMs, StaleCacheError } from './sync-errors.ts';
import { summary } from './sync-summary.ts';
import { SliceTracker } from './tracker.ts';
import { isOurs, serviceOfSlice, servicesOfPodChange } from './triggers.ts';

export type { Source, Sources } from './sources.ts';

/** Finds the Pods of a node. */
export const POD_INDEXERS: Indexers<Pod> = { node: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []) };

/** Finds the slices that we manage for a Service, by its key. */
export const SLICE_INDEXERS: Indexers<EndpointSlice> = {
  service: (slice) => {
    const service = isOurs(slice) ? serviceOfSlice(slice) : undefined;
    return service === undefined ? [] : [service];
  },
};

export interface ControllerParts {
  sources: Sources;
  client: SliceClient;
  events: ServiceEvents;
  clock: Clock;
  random: Random;
  logger: Logger;
  registry: Registry;
  options: ControllerOptions;
}

/** Name of the work queue in metrics. */
const QUEUE_NAME = 'endpoint_slice';

/** Turns Services and Pods into EndpointSlices: watches what matters, queues the Services concerned, syncs them. */
export class EndpointSliceController {
  #parts: ControllerParts;
  #index = new SelectorIndex();
  #queue: DelayingQueue;
  #runner: Runner;
  #sync: ServiceSync;
  #nodes: NodeWatch;
  #confirmations: Confirmations;
  #resync: Timer | undefined;
  /**
   * Idle, until the caches are filled, changes are passed over: the first sync of every Service follows anyway. On standby they are
   * noted, so that they go first then.
   */
  #phase: 'idle' | 'standby' | 'syncing' = 'idle';
  #recent: RecentChanges;
  #detach: (() => void)[];

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    const { sources, clock, options, registry } = parts;
    this.#recent = new RecentChanges(clock);
    const queueMetrics = new WorkQueueMetrics(registry);
    this.#queue = new DelayingQueue({ clock, hooks: queueMetrics.hooks(QUEUE_NAME) });
    queueMetrics.watch(QUEUE_NAME, () => this.#queue.stats());
    const metrics = new ControllerMetrics(registry, {
      maxEndpointsPerSlice: options.plan.maxEndpointsPerSlice,
      countAllFamilies: options.countAllFamilies,
    });
    const tracker = new SliceTracker();
    const repair = new RepairDelay({ clock, batchPeriodMs: options.batchPeriodMs, atOnce: options.repairAtOnce });
    const watch = new SliceWatch({
      tracker,
      repairUnknown: options.repairUnknown,
      onForeignChange: (service) => {
        if (this.#phase !== 'syncing' || !sources.services.store.get(service)) return;
        this.#enqueue(service, { delayMs: repair.next(service) });
      },
      onUnlabelled: (slice) =>
        parts.logger.warn(
          { slice: objectKey(slice.metadata) },
          'EndpointSlice missing kubernetes.io/service-name label',
        ),
    });
    this.#nodes = new NodeWatch({
      nodes: sources.nodes.store,
      podsOnNode: (node) => sources.pods.store.byIndex('node', node),
      index: this.#index,
      clock,
      onServices: (services) => this.#enqueueAll(services, { delayMs: options.batchPeriodMs }),
      onShares: () => this.#revisitHints(),
      followNodes: options.followNodes,
    });
    this.#confirmations = new Confirmations({
      clock,
      isStale: (service) => this.#sync.isStale(service),
      onOverdue: (service) => this.#enqueue(service),
      onShown: (service) => this.#enqueue(service),
    });
    this.#sync = new ServiceSync({
      services: sources.services.store,
      nodes: sources.nodes.store,
      slicesOf: (service) => sources.slices.store.byIndex('service', service),
      index: this.#index,
      shares: () => this.#nodes.shares(),
      tracker,
      watch,
      confirmations: this.#confirmations,
      client: parts.client,
      writer: new PlanWriter({ client: parts.client, tracker, metrics }),
      events: parts.events,
      metrics,
      options,
    });
    this.#runner = new Runner({
      queue: this.#queue,
      concurrency: options.concurrency,
      work: (key) => this.#work(key),
      onFailure: ({ key, error, failures, retryInMs }) => this.#logFailure(key, error, failures, retryInMs),
      retryAfterMs,
      ...(options.maxRetries === undefined ? {} : { maxRetries: options.maxRetries }),
    });
    this.#detach = [
      sources.services.addHandler(this.#serviceHandler()),
      sources.pods.addHandler(this.#podHandler()),
      sources.nodes.addHandler(this.#nodes),
      sources.slices.addHandler(watch),
      sources.slices.addHandler(this.#confirmations),
    ];
  }

  /** Resolves once every cache is filled and the first syncs are on their way. */
  async start(): Promise<void> {
    await this.fillCaches();
    this.startSyncing();
  }

  /** Resolves once every cache is filled. They are kept up to date from then on, and nothing is written: a standby stays so. */
  async fillCaches(): Promise<void> {
    const { services, pods, nodes, slices } = this.#parts.sources;
    const all = [services, pods, nodes, slices];
    for (const source of all) source.start();
    await Promise.all(all.map((source) => source.synced));
    this.#phase = 'standby';
  }

  /** Syncs every Service, and from then on those that change. To be called once, with filled caches. */
  startSyncing(): void {
    const { sources, logger } = this.#parts;
    this.#phase = 'syncing';
    this.#enqueueAll(this.#recent.take());
    this.#enqueueEverything();
    this.#scheduleResync();
    this.#runner.start();
    const { size } = sources.services.store;
    logger.info(
      { services: size, pods: sources.pods.store.size, nodes: sources.nodes.store.size },
      'controller synced',
    );
  }

  /** Finishes the syncs in work, starts none any more, and lets go of the caches. */
  async stop(): Promise<void> {
    this.#phase = 'idle';
    this.#resync?.cancel();
    this.#nodes.stop();
    for (const detach of this.#detach) detach();
    await this.#runner.stop();
    this.#confirmations.stop();
    const { services, pods, nodes, slices } = this.#parts.sources;
    await Promise.all([services, pods, nodes, slices].map((source) => source.stop()));
  }

  /** Nothing to do and nothing scheduled but retries far off and resyncs. */
  get idle(): boolean {
    const { ready, inWork } = this.#queue.stats();
    return this.#phase === 'syncing' && ready === 0 && inWork === 0;
  }

  queueStats(): WorkQueueStats {
    return this.#queue.stats();
  }

  #serviceHandler(): ResourceHandler<Service> {
    const changed = (service: Service) => {
      const { namespace = '', name } = service.metadata;
      this.#index.setService(namespace, name, effectiveSelector(service));
      this.#enqueue(objectKey(service.metadata));
    };
    return {
      onAdd: changed,
      onUpdate: (_, after) => changed(after),
      onDelete: ({ metadata }) => {
        this.#index.setService(metadata.namespace ?? '', metadata.name, undefined);
        this.#enqueue(objectKey(metadata));
      },
    };
  }

  #podHandler(): ResourceHandler<Pod> {
    const { batchPeriodMs, watchPodPhase } = this.#parts.options;
    const changed = (before: Pod | undefined, after: Pod | undefined) => {
      const change = this.#phase === 'idle' ? undefined : podChange(before, after, { watchPhase: watchPodPhase });
      if (change) this.#enqueueAll(servicesOfPodChange(this.#index, change), { delayMs: batchPeriodMs });
    };
    return {
      onAdd: (pod) => {
        this.#index.setPod(pod);
        changed(undefined, pod);
      },
      onUpdate: (before, after) => {
        this.#index.setPod(after);
        changed(before, after);
      },
      onDelete: (last) => {
        this.#index.removePod(last.metadata.namespace ?? '', last.metadata.name);
        changed(last, undefined);
      },
    };
  }

  #enqueue(service: ObjectKey, options?: AddOptions): void {
    if (this.#phase === 'syncing') this.#queue.add(service, options);
    else if (this.#phase === 'standby') this.#recent.note(service);
  }

  #enqueueAll(services: Iterable<ObjectKey>, options?: AddOptions): void {
    for (const service of services) this.#enqueue(service, options);
  }

  /** At low priority: what has really changed goes first. */
  #enqueueEverything(): void {
    for (const { metadata } of this.#parts.sources.services.store.list()) {
      this.#enqueue(objectKey(metadata), { priority: 'low' });
    }
  }

  #revisitHints(): void {
    if (this.#phase !== 'syncing') return;
    const shares = this.#nodes.shares();
    const { restoreHints } = this.#parts.options;
    for (const [service, memory] of this.#sync.hintMemories()) {
      if (needsRevisit(memory, shares, { restoreHints })) this.#enqueue(service);
    }
  }

  /** One to two periods from now, so that several processes do not do it in step. */
  #scheduleResync(): void {
    const { clock, random, options } = this.#parts;
    if (options.minResyncPeriodMs <= 0) return;
    this.#resync = clock.setTimer(
      () => {
        this.#enqueueEverything();
        this.#scheduleResync();
      },
      // A timer of Node cannot wait longer than 2^31 ms, about 24.8 days.
      Math.min(options.minResyncPeriodMs * (1 + random()), 2 ** 31 - 1),
    );
  }

  async #work(service: ObjectKey): Promise<void> {
    const { clock, logger } = this.#parts;
    const startedAt = clock.monotonic();
    const plan = await this.#sync.sync(service);
    if (!logger.isLevelEnabled('debug')) return;
    const ms = Math.round(clock.monotonic() - startedAt);
    logger.debug({ service, ...(plan && summary(plan)), ms }, 'service synced');
  }

  #logFailure(service: ObjectKey, error: unknown, failures: number, retryInMs: number | undefined): void {
    const what = { service, failures, retryInMs, err: error instanceof Error ? error.message : String(error) };
    // Changes that follow closely on each other meet this often; the watch is milliseconds behind.
    if (error instanceof StaleCacheError && failures === 1) this.#parts.logger.debug(what, 'sync waits for the cache');
    else if (retryInMs === undefined) this.#parts.logger.error(what, 'giving up on service until it changes');
    else this.#parts.logger.warn(what, 'sync failed, will be tried again');
  }
}
