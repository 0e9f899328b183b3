import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { TRAFFIC_DISTRIBUTIONS } from './hints/distribution.ts';
import type { FamilyPlan, Plan, PlannedWrite } from './plan.ts';

const PREFIX = 'endpoint_slice_controller_';
/** 2, 4, 8, ... 32768. */
const PER_SYNC_BUCKETS = Array.from({ length: 15 }, (_, i) => 2 ** (i + 1));
const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What one address type of a Service contributes to the gauges. */
interface Contribution {
  endpoints: number;
  slices: number;
  /** Slices that perfect packing would need. */
  desiredSlices: number;
}

/** The `endpoint_slice_controller_*` families: names, types, labels, buckets and help texts of Kubernetes 1.36. */
export class ControllerMetrics {
  #maxEndpoints: number;
  #countAllFamilies: boolean;
  #services = new Map<string, Contribution[]>();
  #distributionOf = new Map<string, string>();
  #distributions = new Map<string, number>(TRAFFIC_DISTRIBUTIONS.map((name) => [name, 0]));
  #added: Histogram;
  #removed: Histogram;
  #desiredEndpoints: Gauge;
  #slices: Gauge;
  #desiredSlices: Gauge;
  #changes: Counter<'operation'>;
  #changedPerSync: Histogram<'topology' | 'traffic_distribution'>;
  #syncs: Counter<'result'>;
  #byDistribution: Gauge<'traffic_distribution'>;

  constructor(registry: Registry, options: { maxEndpointsPerSlice: number; countAllFamilies: boolean }) {
    this.#maxEndpoints = options.maxEndpointsPerSlice;
    this.#countAllFamilies = options.countAllFamilies;
    const registers = [registry];
    const named = (name: string, help: string) => ({ name: PREFIX + name, help, registers });
    this.#added = new Histogram({
      ...named('endpoints_added_per_sync', '[BETA] Number of endpoints added on each Service sync'),
      buckets: PER_SYNC_BUCKETS,
    });
    this.#removed = new Histogram({
      ...named('endpoints_removed_per_sync', '[BETA] Number of endpoints removed on each Service sync'),
      buckets: PER_SYNC_BUCKETS,
    });
    this.#desiredEndpoints = new Gauge(named('endpoints_desired', '[BETA] Number of endpoints desired'));
    this.#slices = new Gauge(named('num_endpoint_slices', '[BETA] Number of EndpointSlices'));
    this.#desiredSlices = new Gauge(
      named(
        'desired_endpoint_slices',
        '[BETA] Number of EndpointSlices that would exist with perfect endpoint allocation',
      ),
    );
    this.#changes = new Counter({
      ...named('changes', '[ALPHA] Number of EndpointSlice changes'),
      labelNames: ['operation'],
    });
    this.#changedPerSync = new Histogram({
      ...named('endpointslices_changed_per_sync', '[ALPHA] Number of EndpointSlices changed on each Service sync'),
      labelNames: ['topology', 'traffic_distribution'],
      buckets: DEFAULT_BUCKETS,
    });
    this.#syncs = new Counter({
      ...named('syncs', '[ALPHA] Number of EndpointSlice syncs'),
      labelNames: ['result'],
    });
    this.#byDistribution = new Gauge({
      ...named(
        'services_count_by_traffic_distribution',
        '[BETA] Number of Services using some specific trafficDistribution',
      ),
      labelNames: ['traffic_distribution'],
    });
  }

  synced(result: 'success' | 'stale' | 'error'): void {
    this.#syncs.inc({ result });
  }

  wrote(operation: PlannedWrite['op']): void {
    this.#changes.inc({ operation });
  }

  /** All writes of one address type went through. */
  familyWritten({ writes }: FamilyPlan, { stats }: Plan): void {
    this.#changedPerSync.observe(
      { topology: stats.topology, traffic_distribution: stats.trafficDistribution },
      writes.length,
    );
  }

  planned(service: string, { families, stats }: Plan): void {
    const contributions: Contribution[] = [];
    for (const family of families) {
      this.#added.observe(family.stats.added);
      this.#removed.observe(family.stats.removed);
      contributions.push(this.#contribution(family));
    }
    this.#replace(service, this.#countAllFamilies ? contributions : contributions.slice(-1));
    this.#setDistribution(service, stats.trafficDistribution);
  }

  forget(service: string): void {
    this.#replace(service, undefined);
    this.#setDistribution(service, '');
  }

  #contribution({ stats }: FamilyPlan): Contribution {
    const sum = { endpoints: 0, slices: 0, desiredSlices: 0 };
    for (const { endpoints, slices } of stats.groups.values()) {
      sum.endpoints += endpoints;
      sum.slices += slices;
      sum.desiredSlices += Math.ceil(endpoints / this.#maxEndpoints);
    }
    // The placeholder.
    return { ...sum, slices: Math.max(1, sum.slices), desiredSlices: Math.max(1, sum.desiredSlices) };
  }

  #replace(service: string, after: Contribution[] | undefined): void {
    const before = this.#services.get(service) ?? [];
    if (after) this.#services.set(service, after);
    else this.#services.delete(service);
    const change = (of: keyof Contribution) =>
      (after ?? []).reduce((sum, c) => sum + c[of], 0) - before.reduce((sum, c) => sum + c[of], 0);
    this.#desiredEndpoints.inc(change('endpoints'));
    this.#slices.inc(change('slices'));
    this.#desiredSlices.inc(change('desiredSlices'));
  }

  #setDistribution(service: string, distribution: string): void {
    const before = this.#distributionOf.get(service) ?? '';
    if (before === distribution) return;
    if (distribution) this.#distributionOf.set(service, distribution);
    else this.#distributionOf.delete(service);
    for (const [name, step] of [[before, -1] as const, [distribution, 1] as const]) {
      if (!name) continue;
      const count = (this.#distributions.get(name) ?? 0) + step;
      this.#distributions.set(name, count);
      this.#byDistribution.set({ traffic_distribution: name }, count);
    }
  }
}
