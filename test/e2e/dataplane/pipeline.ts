import { isDeepStrictEqual } from 'node:util';
import { realClock } from '../../../src/clock.ts';
import type { Hosts } from '../../../src/embedded/hosts/hosts.ts';
import { objectKey } from '../../../src/objects/meta.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { ChangeTracker } from '../../../src/proxy/change-tracker.ts';
import type { ProxyRulesConfig } from '../../../src/proxy/config-types.ts';
import { UdpFlowCleaner } from '../../../src/proxy/conntrack-cleaner.ts';
import { ConntrackProgram } from '../../../src/proxy/conntrack-program.ts';
import { type Exec, ExecError } from '../../../src/proxy/exec.ts';
import { type ApplyReport, RuleApplier } from '../../../src/proxy/iptables/apply.ts';
import {
  computeDesired,
  type DesiredState,
  emptyDesired,
  rebuildDesired,
} from '../../../src/proxy/iptables/desired.ts';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import type { Iptables } from '../../../src/proxy/iptables/runner.ts';
import { JUMP_RULES } from '../../../src/proxy/iptables/static-rules.ts';
import type { Cluster } from './cluster.ts';

/** Runs programs in the network namespace of one host. */
export function execOn(hosts: Hosts, host: string): Exec {
  return async ({ command, args, stdin = [], onStdout, timeoutMs, signal }) => {
    const input = Array.from(stdin).join('');
    const run = await hosts.exec(host, [command, ...args], { input, timeoutMs, env: { LC_ALL: 'C' } });
    if (signal?.aborted) throw new ExecError('ABORTED', command, `${command} was stopped`);
    if (run.code === 127) throw new ExecError('NOT_FOUND', command, `${command} is not installed`);
    onStdout?.(run.stdout);
    return { exitCode: run.code, stdout: onStdout ? '' : run.stdout, stderr: run.stderr };
  };
}

export interface PipelineOptions {
  exec: Exec;
  iptables: Iptables;
  config: ProxyRulesConfig;
}

/**
 * The proxier of one node and one family without its edges: objects are handed in by a test instead of coming from an API
 * server, and each sync happens when the test says so. Everything from the changes to the kernel is the real thing.
 */
export class Pipeline {
  readonly iptables: Iptables;
  readonly #exec: Exec;
  #config: ProxyRulesConfig;
  #tracker: ChangeTracker;
  #applier: RuleApplier;
  #cleaner: UdpFlowCleaner;
  #state: DesiredState;
  #objects: Cluster = { services: [], slices: [] };

  constructor({ exec, iptables, config }: PipelineOptions) {
    this.#exec = exec;
    this.iptables = iptables;
    this.#config = config;
    this.#state = emptyDesired(config);
    this.#tracker = this.#newTracker();
    this.#applier = this.#newApplier();
    this.#cleaner = this.#newCleaner();
  }

  get config(): ProxyRulesConfig {
    return this.#config;
  }

  get state(): DesiredState {
    return this.#state;
  }

  /** What changed since the last call, as events of a watch would tell it, then one sync. Resolves with stale UDP flows gone. */
  async sync(objects: Cluster = this.#objects, config = this.#config): Promise<ApplyReport> {
    this.#notice(objects);
    this.#config = config;
    const changes = this.#tracker.take();
    this.#state = computeDesired(this.#state, changes, config);
    const report = await this.#applier.apply(this.#state.desired);
    this.#cleaner.afterSync(changes, this.#state);
    await this.#cleaner.settled();
    return report;
  }

  /** Compares with the kernel and writes what differs there, as the first sync and the hourly one do. */
  async fullSync(): Promise<ApplyReport> {
    this.#state = rebuildDesired(this.#state);
    this.#applier.forget();
    return this.#applier.apply(this.#state.desired);
  }

  /** Forgets everything, as a process that ends does. The next `sync` is the first one again. */
  restart(): void {
    this.#state = emptyDesired(this.#config);
    this.#tracker = this.#newTracker();
    this.#applier = this.#newApplier();
    this.#cleaner = this.#newCleaner();
    this.#objects = { services: [], slices: [] };
  }

  /** Writes the text that kube-proxy itself would write for this state: all of it, or the chains of some Services only. */
  async writeAsKubeProxy(onlyServices?: ReadonlySet<string>): Promise<void> {
    await this.iptables.restore([renderDesired(this.#state.desired, onlyServices ? { onlyServices } : {})]);
  }

  check(): ReturnType<RuleApplier['check']> {
    return this.#applier.check();
  }

  #notice(next: Cluster): void {
    const events = <T extends Cluster['services' | 'slices'][number]>(
      before: readonly T[],
      after: readonly T[],
      tell: (before: T | undefined, after: T | undefined) => void,
    ) => {
      const old = new Map(before.map((object) => [objectKey(object.metadata), object]));
      for (const object of after) {
        const known = old.get(objectKey(object.metadata));
        old.delete(objectKey(object.metadata));
        if (!isDeepStrictEqual(known, object)) tell(known, object);
      }
      for (const gone of old.values()) tell(gone, undefined);
    };
    events(this.#objects.services, next.services, (before, after) => this.#tracker.onService(before, after));
    events(this.#objects.slices, next.slices, (before, after) => this.#tracker.onSlice(before, after));
    this.#objects = next;
  }

  #newTracker(): ChangeTracker {
    const { ipFamily, nodeName } = this.#config;
    const report = (problem: string) => console.log(`${nodeName}: ${problem}`);
    return new ChangeTracker({ ipFamily, nodeName, startTime: realClock.now(), report });
  }

  #newApplier(): RuleApplier {
    return new RuleApplier({ iptables: this.iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
  }

  #newCleaner(): UdpFlowCleaner {
    const { ipFamily: family, nodeAddresses } = this.#config;
    return new UdpFlowCleaner({
      family,
      conntrack: new ConntrackProgram(this.#exec, family),
      nodeAddresses: () => nodeAddresses,
      metrics: { conntrackCleaned: () => undefined },
      clock: realClock,
      log: silentLogger,
    });
  }
}
