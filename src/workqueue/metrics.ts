import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { WorkQueueHooks } from './hooks.ts';
import type { WorkQueueStats } from './queue.ts';

/** 10 ns to 10 s, ten times each. Two are a bit off, as in Go components, where each is multiplied out of the one before: it shows in labels. */
const BUCKETS = [1e-8, 1e-7, 1e-6, 9.999999999999999e-6, 9.999999999999999e-5, 1e-3, 1e-2, 0.1, 1, 10];

/** The `workqueue_*` families of Kubernetes' components (component-base), so that existing dashboards work. */
export class WorkQueueMetrics {
  #depth: Gauge<'name'>;
  #adds: Counter<'name'>;
  #waited: Histogram<'name'>;
  #worked: Histogram<'name'>;
  #retries: Counter<'name'>;
  #stats = new Map<string, () => WorkQueueStats>();

  constructor(registry: Registry) {
    const labelNames = ['name'] as const;
    const registers = [registry];
    this.#depth = new Gauge({
      name: 'workqueue_depth',
      help: '[BETA] Current depth of workqueue',
      labelNames,
      registers,
    });
    this.#adds = new Counter({
      name: 'workqueue_adds_total',
      help: '[BETA] Total number of adds handled by workqueue',
      labelNames,
      registers,
    });
    this.#waited = new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: '[BETA] How long in seconds an item stays in workqueue before being requested.',
      labelNames,
      buckets: BUCKETS,
      registers,
    });
    this.#worked = new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: '[BETA] How long in seconds processing an item from workqueue takes.',
      labelNames,
      buckets: BUCKETS,
      registers,
    });
    this.#retries = new Counter({
      name: 'workqueue_retries_total',
      help: '[BETA] Total number of retries handled by workqueue',
      labelNames,
      registers,
    });
    const stats = this.#stats;
    new Gauge({
      name: 'workqueue_unfinished_work_seconds',
      help:
        "[BETA] How many seconds of work has done that is in progress and hasn't been observed by work_duration. " +
        'Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.',
      labelNames,
      registers,
      collect() {
        for (const [name, read] of stats) this.set({ name }, read().unfinishedMs / 1000);
      },
    });
    new Gauge({
      name: 'workqueue_longest_running_processor_seconds',
      help: '[BETA] How many seconds has the longest running processor for workqueue been running.',
      labelNames,
      registers,
      collect() {
        for (const [name, read] of stats) this.set({ name }, read().longestRunningMs / 1000);
      },
    });
  }

  /** Hooks for the queue called `name` on the page. */
  hooks(name: string): WorkQueueHooks {
    const depth = this.#depth.labels(name);
    const adds = this.#adds.labels(name);
    const waited = this.#waited.labels(name);
    const worked = this.#worked.labels(name);
    const retries = this.#retries.labels(name);
    depth.set(0);
    return {
      onAdd: () => adds.inc(),
      onDepth: (ready) => depth.set(ready),
      onTake: (ms) => waited.observe(ms / 1000),
      onDone: (ms) => worked.observe(ms / 1000),
      onRetry: () => retries.inc(),
    };
  }

  /** Lets the page read, when scraped, what is in work right now. */
  watch(name: string, stats: () => WorkQueueStats): void {
    this.#stats.set(name, stats);
  }
}
