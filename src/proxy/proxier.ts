import type { Clock } from '../clock.ts';
import type { Occurrence } from '../kube/events.ts';
import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { IPFamily } from '../objects/meta.ts';
import type { Service } from '../objects/service.ts';
import type { Logger } from '../observe/logger.ts';
import { ChangeTracker, type ProxyChanges } from './change-tracker.ts';
import type { ProxyRulesConfig } from './config-types.ts';
import type { UdpFlowCleaner } from './conntrack-cleaner.ts';
import { type ApplyReport, type Drift, describeDrift, RuleApplier } from './iptables/apply.ts';
import { computeDesired, type DesiredState, emptyDesired, rebuildDesired } from './iptables/desired.ts';
import { type Iptables, IptablesError } from './iptables/runner.ts';
import { JUMP_RULES } from './iptables/static-rules.ts';
import type { ProxyMetrics } from './metrics.ts';
import { RuleMonitor } from './monitor.ts';
import { logServicePorts } from './service-port-log.ts';
import { SyncRunner } from './sync-runner.ts';

export interface ProxierOptions {
  /** Everything that decides the rules besides the cluster's objects; `nodeAddresses` and `zone` may change while running. */
  config: ProxyRulesConfig;
  iptables: Iptables;
  /** Absent: stale UDP flows are left to their time-outs. */
  conntrack?: UdpFlowCleaner | undefined;
  /** Addresses of the node's interfaces at this moment. Asked at every sync when NodePorts answer on some addresses only. */
  nodeAddresses: () => readonly string[];
  /** Milliseconds. */
  syncPeriod: number;
  /** Milliseconds. */
  minSyncPeriod: number;
  metrics: ProxyMetrics;
  clock: Clock;
  log: Logger;
  /** A change waits to reach the kernel; the kernel holds all that is known. */
  onQueued?: () => void;
  onSynced?: (state: DesiredState) => void;
  record?: (event: Omit<Occurrence, 'regarding'>) => void;
}

/** Without any event, everything is looked through again after this time, as in kube-proxy. */
const FULL_SYNC_PERIOD_MS = 3_600_000;

/**
 * The proxier of one address family: takes in changes of Services and EndpointSlices, and brings the kernel's rules up to date,
 * not more often than `minSyncPeriod` allows. Nothing is lost when a sync fails: the changes, with the times at which they were
 * triggered, go back into the queue, and the next sync compares the kernel with what it should hold.
 */
export class Proxier {
  readonly family: IPFamily;
  /** Resolves after the first successful sync. */
  readonly firstSync: Promise<void>;

  readonly #options: ProxierOptions;
  readonly #log: Logger;
  readonly #tracker: ChangeTracker;
  readonly #applier: RuleApplier;
  readonly #runner: SyncRunner;
  readonly #monitor: RuleMonitor;
  readonly #resolveFirstSync: () => void;
  #config: ProxyRulesConfig;
  #state: DesiredState;
  #fullSyncDue = true;
  #lastFullSync = 0;

  constructor(options: ProxierOptions) {
    const { config, iptables, clock, syncPeriod, minSyncPeriod } = options;
    this.#options = options;
    this.family = config.ipFamily;
    this.#config = config;
    this.#log = options.log.child({ family: this.family });
    this.#state = emptyDesired(config);
    this.#tracker = new ChangeTracker({
      ipFamily: this.family,
      nodeName: config.nodeName,
      startTime: clock.now(),
      report: (problem) => this.#log.warn(problem),
    });
    this.#applier = new RuleApplier({ iptables, jumps: JUMP_RULES, clock, log: this.#log });
    this.#runner = new SyncRunner({
      sync: () => this.#sync(),
      minIntervalMs: minSyncPeriod,
      retryIntervalMs: syncPeriod,
      maxIntervalMs: FULL_SYNC_PERIOD_MS,
      clock,
      onFailure: (error) => this.#failed(error),
    });
    this.#monitor = new RuleMonitor({
      iptables,
      intervalMs: syncPeriod,
      clock,
      log: this.#log,
      check: (patience) => this.#applier.check(patience),
      onDrift: (drift) => this.#repaired(drift),
      onFlush: () => {
        this.#applier.forget();
        this.#queue();
        this.#runner.requestNow();
      },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.firstSync = promise;
    this.#resolveFirstSync = resolve;
  }

  /** Absent `before`: added; absent `after`: deleted. */
  onService(before: Service | undefined, after: Service | undefined): void {
    const due = this.#tracker.onService(before, after);
    this.#options.metrics.serviceChange(this.#tracker.services.pending);
    if (due) this.#request();
  }

  /** As `onService`; slices of the other family are ignored. */
  onSlice(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void {
    if ((after ?? before)?.addressType !== this.family) return;
    const due = this.#tracker.onSlice(before, after);
    this.#options.metrics.endpointChange(this.#tracker.endpoints.pending);
    if (due) this.#request();
  }

  /** The own Node's zone label; a change means that topology hints have to be read again. */
  setZone(zone: string): void {
    if (zone === this.#config.zone) return;
    this.#config = { ...this.#config, zone };
    this.#fullSyncDue = true;
    this.#request();
  }

  /** To be called once the caches of Services and EndpointSlices are filled: the first sync starts, and events count. */
  start(): void {
    this.#queue();
    this.#runner.request();
    this.#runner.start();
    this.#monitor.start();
  }

  /** Leaves the rules as they are. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    await this.#runner.stop();
    await this.#monitor.stop();
    await this.#options.conntrack?.stop();
  }

  #request(): void {
    this.#queue();
    this.#runner.request();
  }

  #queue(): void {
    this.#options.metrics.syncQueued(this.family, this.#options.clock.now() / 1000);
    this.#options.onQueued?.();
  }

  async #sync(): Promise<void> {
    const { clock, metrics } = this.#options;
    const start = clock.monotonic();
    const hourly = start - this.#lastFullSync > FULL_SYNC_PERIOD_MS && !this.#state.largeCluster;
    const full = this.#fullSyncDue || hourly;
    const changes = this.#tracker.take();
    metrics.changesTaken();
    this.#log.debug({ full, services: changes.services.size, endpoints: changes.endpoints.size }, 'syncing');
    const computed = computeDesired(this.#state, changes, this.#currentConfig());
    // What was computed from nothing is new in every part.
    const state = full && this.#state.servicePorts.size > 0 ? rebuildDesired(computed) : computed;
    if (full) this.#applier.forget();
    let report: ApplyReport;
    try {
      report = await this.#applier.apply(state.desired);
    } catch (error) {
      this.#tracker.putBack(changes);
      this.#fullSyncDue = true;
      metrics.restoreFailed(this.family, { partial: !full });
      throw error;
    } finally {
      metrics.syncDone({ family: this.family, full, seconds: (clock.monotonic() - start) / 1000 });
    }
    this.#state = state;
    this.#fullSyncDue = false;
    if (full) this.#lastFullSync = start;
    if (report.refused) metrics.restoreFailed(this.family, { partial: true });
    this.#succeeded(changes, report, clock.monotonic() - start);
  }

  /** Interfaces are only looked at when it matters. */
  #currentConfig(): ProxyRulesConfig {
    if (this.#config.nodePortAddresses.length === 0) return this.#config;
    return { ...this.#config, nodeAddresses: this.#options.nodeAddresses() };
  }

  #succeeded(changes: ProxyChanges, report: ApplyReport, durationMs: number): void {
    const { clock, metrics, onSynced, conntrack } = this.#options;
    const now = clock.now();
    const programmingSeconds: number[] = [];
    for (const times of changes.triggerTimes.values()) {
      for (const time of times) programmingSeconds.push(Math.max(0, now - time) / 1000);
    }
    metrics.syncSucceeded({
      family: this.family,
      at: now / 1000,
      programmingSeconds,
      noLocalEndpoints: this.#state.noLocalEndpoints,
    });
    metrics.rules(this.family, this.#state.ruleCounts, report.rules);
    conntrack?.afterSync(changes, this.#state);
    logServicePorts(this.#log, changes.services);
    this.#log.info(
      {
        kind: report.kind,
        services: this.#state.servicePorts.size,
        endpoints: this.#state.endpointCount,
        chainsWritten: report.chainsWritten,
        chainsRemoved: report.chainsRemoved,
        rulesWritten: report.rules.filter + report.rules.nat,
        ...(report.jumps > 0 && { jumps: report.jumps }),
        ms: Math.round(durationMs * 10) / 10,
        // The longest way of a change from its trigger time into the kernel.
        ...(programmingSeconds.length > 0 && { programmingMs: Math.round(1000 * longest(programmingSeconds)) }),
      },
      'synced',
    );
    onSynced?.(this.#state);
    this.#resolveFirstSync();
  }

  #failed(error: unknown): void {
    if (error instanceof IptablesError) {
      this.#log.error({ err: error.message }, `sync failed; trying again in ${this.#options.syncPeriod / 1000} s`);
    } else this.#log.error({ err: error }, 'sync failed unexpectedly');
  }

  #repaired(drift: Drift): void {
    const { metrics, record } = this.#options;
    for (const table of ['filter', 'nat'] as const) {
      const chains = [...drift.missing, ...drift.different].filter((chain) => chain.startsWith(`${table}/`)).length;
      const jumps = drift.jumps.filter((jump) => jump.table === table).length;
      if (chains + jumps > 0) metrics.chainsRepaired(this.family, table, chains + jumps);
    }
    const message = `${this.family} iptables rules were not as written and have been repaired: ${describeDrift(drift)}`;
    record?.({ type: 'Warning', reason: 'RulesRepaired', action: 'Repair', message });
  }
}

function longest(durations: readonly number[]): number {
  return durations.reduce((most, one) => Math.max(most, one), 0);
}
