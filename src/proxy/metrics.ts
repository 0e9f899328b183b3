import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { IPFamily } from '../objects/meta.ts';
import type { TableName } from './iptables/rules.ts';

/** 1 ms to 16.384 s, doubling. */
const SYNC_BUCKETS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

/** Those of the network programming latency SLI: fine up to a minute, coarse up to five. */
const PROGRAMMING_BUCKETS = [0, 0.25, 0.5, ...range(1, 59, 1), ...range(60, 115, 5), ...range(120, 300, 30)];

/** What nfacct counted in the kernel, over both families. Absent: the kernel has no such counter. */
export interface NfacctPackets {
  readonly ctStateInvalidDropped?: number;
  readonly localhostNodePortsAccepted?: number;
}

export interface SyncOutcome {
  readonly family: IPFamily;
  /** Everything was written anew, rather than what had changed. */
  readonly full: boolean;
  readonly seconds: number;
}

export interface SyncSuccess {
  readonly family: IPFamily;
  /** Seconds since the Unix epoch. */
  readonly at: number;
  /** For each change that is in the kernel now: seconds since whatever triggered it. */
  readonly programmingSeconds: readonly number[];
  /** Service ports with policy Local that have endpoints, but none on this node. */
  readonly noLocalEndpoints: Readonly<Record<'internal' | 'external', number>>;
}

export type RuleCounts = Readonly<Record<TableName, number>>;

/**
 * The metrics of kube-proxy 1.36 in iptables mode, names and labels as its dashboards know them; and, named `slicewise_...`, what it
 * has no metric for. Nothing here reads a clock: instants and durations are handed in.
 */
export class ProxyMetrics {
  readonly #registry: Registry;
  readonly #sync: Histogram<'ip_family'>;
  readonly #syncFull: Histogram<'ip_family'>;
  readonly #syncPartial: Histogram<'ip_family'>;
  readonly #lastSync: Gauge<'ip_family'>;
  readonly #lastQueued: Gauge<'ip_family'>;
  readonly #programming: Histogram<'ip_family'>;
  readonly #serviceChanges: ChangeMetrics;
  readonly #endpointChanges: ChangeMetrics;
  readonly #rulesTotal: Gauge<'table' | 'ip_family'>;
  readonly #rulesLast: Gauge<'table' | 'ip_family'>;
  readonly #restoreFailures: Counter<'ip_family'>;
  readonly #partialFailures: Counter<'ip_family'>;
  readonly #noLocalEndpoints: Gauge<'traffic_policy' | 'ip_family'>;
  readonly #healthAnswers: Readonly<Record<'healthz' | 'livez', Counter<'code'>>>;
  readonly #conntrackSync: Histogram<'ip_family'>;
  readonly #conntrackDeleted: Counter<'ip_family'>;
  readonly #repaired: Counter<'table' | 'ip_family'>;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#sync = this.#histogram('sync_proxy_rules_duration_seconds', 'Time of a sync, failed ones too');
    this.#syncFull = this.#histogram('sync_full_proxy_rules_duration_seconds', 'Time of a full sync');
    this.#syncPartial = this.#histogram('sync_partial_proxy_rules_duration_seconds', 'Time of a sync of what changed');
    this.#lastSync = this.#gauge('sync_proxy_rules_last_timestamp_seconds', 'When a sync last succeeded', FAMILY);
    const queued = 'When a sync was last asked for';
    this.#lastQueued = this.#gauge('sync_proxy_rules_last_queued_timestamp_seconds', queued, FAMILY);
    const programming = 'From the change that triggered it to the rules in the kernel';
    this.#programming = this.#histogram('network_programming_duration_seconds', programming, PROGRAMMING_BUCKETS);
    this.#endpointChanges = this.#changes('endpoint', 'EndpointSlice');
    this.#serviceChanges = this.#changes('service', 'Service');
    const table = ['table', 'ip_family'] as const;
    this.#rulesTotal = this.#gauge('sync_proxy_rules_iptables_total', 'iptables rules that the proxier owns', table);
    this.#rulesLast = this.#gauge('sync_proxy_rules_iptables_last', 'iptables rules written by the last sync', table);
    const failures = 'Writes that iptables-restore refused';
    this.#restoreFailures = this.#counter('sync_proxy_rules_iptables_restore_failures_total', failures, FAMILY);
    const partial = 'Writes of what changed that iptables-restore refused';
    this.#partialFailures = this.#counter('sync_proxy_rules_iptables_partial_restore_failures_total', partial, FAMILY);
    const noLocal = 'Service ports with a Local traffic policy that have endpoints, but none on this node';
    const policy = ['traffic_policy', 'ip_family'] as const;
    this.#noLocalEndpoints = this.#gauge('sync_proxy_rules_no_local_endpoints_total', noLocal, policy);
    this.#healthAnswers = {
      healthz: this.#counter('proxy_healthz_total', 'Answers of /healthz by HTTP status', ['code']),
      livez: this.#counter('proxy_livez_total', 'Answers of /livez by HTTP status', ['code']),
    };
    this.#conntrackSync = this.#histogram('conntrack_reconciler_sync_duration_seconds', 'Time of a conntrack cleanup');
    const deleted = 'Stale conntrack entries deleted';
    this.#conntrackDeleted = this.#counter('conntrack_reconciler_deleted_entries_total', deleted, FAMILY);
    this.#repaired = new Counter({
      name: 'slicewise_proxier_repaired_chains_total',
      help: 'Chains that something else had removed or changed, and that were put right',
      labelNames: table,
      registers: [registry],
    });
  }

  /** A change asks for a sync, or syncing begins. `at`: seconds since the Unix epoch. */
  syncQueued(family: IPFamily, at: number): void {
    this.#lastQueued.set({ ip_family: family }, at);
  }

  /** Every sync, whether it succeeded or not. */
  syncDone({ family, full, seconds }: SyncOutcome): void {
    const labels = { ip_family: family };
    this.#sync.observe(labels, seconds);
    (full ? this.#syncFull : this.#syncPartial).observe(labels, seconds);
  }

  syncSucceeded({ family, at, programmingSeconds, noLocalEndpoints }: SyncSuccess): void {
    const labels = { ip_family: family };
    this.#lastSync.set(labels, at);
    for (const seconds of programmingSeconds) this.#programming.observe(labels, seconds);
    for (const policy of ['internal', 'external'] as const) {
      this.#noLocalEndpoints.set({ ...labels, traffic_policy: policy }, noLocalEndpoints[policy]);
    }
  }

  /** `owned`: rules in our chains; `written`: how many of them the last sync wrote. */
  rules(family: IPFamily, owned: RuleCounts, written: RuleCounts): void {
    for (const table of ['filter', 'nat'] as const) {
      this.#rulesTotal.set({ table, ip_family: family }, owned[table]);
      this.#rulesLast.set({ table, ip_family: family }, written[table]);
    }
  }

  /** iptables-restore refused a write. `partial`: of what had changed, so that a full one follows. */
  restoreFailed(family: IPFamily, { partial }: { partial: boolean }): void {
    this.#restoreFailures.inc({ ip_family: family });
    if (partial) this.#partialFailures.inc({ ip_family: family });
  }

  /** One Service event was handed to one family's tracker; `pending` Services wait for a sync there. */
  serviceChange(pending: number): void {
    this.#serviceChanges.total.inc();
    this.#serviceChanges.pending.set(pending);
  }

  /** One EndpointSlice event was handed to the tracker of its family; `pending` changes wait for a sync there. */
  endpointChange(pending: number): void {
    this.#endpointChanges.total.inc();
    this.#endpointChanges.pending.set(pending);
  }

  /** A sync took all pending changes. */
  changesTaken(): void {
    this.#serviceChanges.pending.set(0);
    this.#endpointChanges.pending.set(0);
  }

  healthAnswered(page: 'healthz' | 'livez', status: number): void {
    this.#healthAnswers[page].inc({ code: String(status) });
  }

  conntrackCleaned(family: IPFamily, { seconds, deleted }: { seconds: number; deleted: number }): void {
    this.#conntrackSync.observe({ ip_family: family }, seconds);
    this.#conntrackDeleted.inc({ ip_family: family }, deleted);
  }

  chainsRepaired(family: IPFamily, table: TableName, chains: number): void {
    this.#repaired.inc({ ip_family: family, table }, chains);
  }

  /** Shows the kernel's packet counters, read at each scrape. To be called once, and only if the kernel has nfacct. */
  showNfacct(read: () => Promise<NfacctPackets>): void {
    const show = (name: string, help: string, pick: (packets: NfacctPackets) => number | undefined) => {
      const counter = new Counter({
        ...this.#named(name, help),
        async collect() {
          const packets = pick(await read());
          this.reset();
          if (packets !== undefined) this.inc(packets);
        },
      });
      return counter;
    };
    const invalid = 'Packets dropped because connection tracking found them invalid';
    show('iptables_ct_state_invalid_dropped_packets_total', invalid, (p) => p.ctStateInvalidDropped);
    const localhost = 'Packets that opened a connection to a NodePort on a loopback address';
    show('iptables_localhost_nodeports_accepted_packets_total', localhost, (p) => p.localhostNodePortsAccepted);
  }

  #named(name: string, help: string) {
    return { name: `kubeproxy_${name}`, help: `[ALPHA] ${help}`, registers: [this.#registry] };
  }

  #histogram(name: string, help: string, buckets = SYNC_BUCKETS): Histogram<'ip_family'> {
    return new Histogram({ ...this.#named(name, help), labelNames: FAMILY, buckets });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ ...this.#named(name, help), labelNames });
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ ...this.#named(name, help), labelNames });
  }

  #changes(kind: string, what: string): ChangeMetrics {
    return {
      pending: this.#gauge(`sync_proxy_rules_${kind}_changes_pending`, `${what} changes that wait for a sync`, []),
      total: this.#counter(`sync_proxy_rules_${kind}_changes_total`, `${what} changes seen`, []),
    };
  }
}

/** Both families share them; kube-proxy's have no family label either. */
interface ChangeMetrics {
  readonly pending: Gauge;
  readonly total: Counter;
}

const FAMILY = ['ip_family'] as const;

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: (to - from) / step + 1 }, (_, i) => from + i * step);
}
