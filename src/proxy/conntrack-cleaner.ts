import type { Clock, Timer } from '../clock.ts';
import type { IPFamily } from '../objects/meta.ts';
import type { Logger } from '../observe/logger.ts';
import type { ProxyChanges } from './change-tracker.ts';
import {
  abandonedUdpTargets,
  type Conntrack,
  ConntrackError,
  cleanUdpFlows,
  judgeUdpFlows,
  type UdpTarget,
  udpRecords,
} from './conntrack.ts';
import type { DesiredState } from './iptables/desired.ts';
import type { ProxyMetrics } from './metrics.ts';

export interface UdpFlowCleanerOptions {
  family: IPFamily;
  conntrack: Conntrack;
  /** Canonical addresses of the node's interfaces at this moment. */
  nodeAddresses: () => readonly string[];
  metrics: Pick<ProxyMetrics, 'conntrackCleaned'>;
  clock: Clock;
  log: Logger;
}

const RETRY_MS = 30_000;

/**
 * Deletes stale UDP flows after syncs that may have made some, beside the syncs rather than within them: one cleanup at a time,
 * with the newest state. What a failed one should have done stays due.
 */
export class UdpFlowCleaner {
  readonly #options: UdpFlowCleanerOptions;
  #state: DesiredState | undefined;
  #abandoned: UdpTarget[] = [];
  #due = false;
  #running: Promise<void> | undefined;
  #retry: Timer | undefined;
  #stopped = false;
  readonly #stopping = new AbortController();

  constructor(options: UdpFlowCleanerOptions) {
    this.#options = options;
  }

  /** Call it after each successful sync, with what the sync applied. */
  afterSync(changes: ProxyChanges, state: DesiredState): void {
    this.#state = state;
    let due = changes.conntrackCleanupRequired;
    for (const { before, after } of changes.services.values()) {
      const abandoned = abandonedUdpTargets(before, after);
      this.#abandoned.push(...abandoned);
      due ||= abandoned.length > 0 || udpRecords(after).length > 0;
    }
    if (!due) return;
    this.#due = true;
    this.#start();
  }

  /** Resolves when no cleanup runs any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort();
    this.#retry?.cancel();
    await this.#running;
  }

  #start(): void {
    if (this.#stopped) return;
    this.#retry?.cancel();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    while (this.#due && this.#state && !this.#stopped) {
      this.#due = false;
      const abandoned = this.#abandoned;
      this.#abandoned = [];
      try {
        await this.#clean(this.#state, abandoned);
      } catch (error) {
        this.#failed(error, abandoned);
        return;
      }
    }
  }

  async #clean(state: DesiredState, abandoned: UdpTarget[]): Promise<void> {
    const { family, conntrack, nodeAddresses, metrics, clock, log } = this.#options;
    const start = clock.monotonic();
    // An address that was abandoned may belong to another Service by now, so the present ones come last.
    const targets = [...abandoned, ...presentTargets(state)];
    if (targets.length === 0) return;
    const judge = judgeUdpFlows(targets, family, new Set(nodeAddresses()));
    const deleted = await cleanUdpFlows(conntrack, judge, this.#stopping.signal);
    metrics.conntrackCleaned(family, { seconds: (clock.monotonic() - start) / 1000, deleted });
    if (deleted > 0) log.info({ family, deleted }, 'deleted stale UDP flows');
  }

  #failed(error: unknown, abandoned: UdpTarget[]): void {
    const { family, log, clock } = this.#options;
    if (error instanceof ConntrackError && error.missing) {
      this.#stopped = true;
      log.warn(`${error.message}; without it, UDP clients may keep sending to endpoints that are gone`);
      return;
    }
    this.#due = true;
    this.#abandoned.unshift(...abandoned);
    log.warn({ family, err: error }, 'could not delete stale UDP flows; trying again');
    if (!this.#stopped) this.#retry = clock.setTimer(() => this.#start(), RETRY_MS);
  }
}

function* presentTargets({ servicePorts, endpoints }: DesiredState): Generator<UdpTarget> {
  for (const record of udpRecords(servicePorts)) {
    const serving = (endpoints.get(record.name) ?? []).filter((endpoint) => endpoint.serving);
    yield { record, serving: new Set(serving.map((endpoint) => endpoint.address)) };
  }
}
