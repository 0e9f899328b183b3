import { hash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../observe/logger.ts';
import { planDelta } from './delta.ts';
import { planFull } from './full-plan.ts';
import {
  type AcceptsPrint,
  isClean,
  jumpText,
  type KernelScan,
  KernelScanner,
  nothingKnown,
  wantedChains,
} from './kernel-scan.ts';
import type { DesiredRules, JumpRule, RuleText, TableName } from './rules.ts';
import { type Iptables, IptablesError } from './runner.ts';
import { smallerCap, writePlan } from './section-sizes.ts';
import { type PlanSize, planSize, type WritePlan } from './write-plan.ts';

export interface ApplyReport extends PlanSize {
  /** `full`: the kernel was read and compared; `delta`: written from what was applied last; `none`: nothing to write. */
  kind: 'full' | 'delta' | 'none';
  /** Jumps from built-in chains that were missing. */
  jumps: number;
  durationMs: number;
  /** A delta that the kernel refused before this full write succeeded. */
  refused?: IptablesError;
}

/** What a check found different from what was applied. All of it is repaired when `check` resolves. */
export interface Drift {
  /** `nat/KUBE-SERVICES` */
  missing: string[];
  different: string[];
  jumps: JumpRule[];
}

export interface RuleApplierOptions {
  iptables: Iptables;
  jumps: readonly JumpRule[];
  clock: Clock;
  log: Logger;
}

/**
 * Brings the kernel to the desired rules of one address family, and remembers what it holds. One call runs at a time; a
 * check that is only reading gives way to an `apply`.
 */
export class RuleApplier {
  readonly #iptables: Iptables;
  readonly #jumps: readonly JumpRule[];
  readonly #clock: Clock;
  readonly #log: Logger;
  #applied: DesiredRules | undefined;
  /** The last full write built on what iptables-save said, and was refused. */
  #distrustScan = false;
  /** Most lines that the kernel takes in one section, as far as its refusals have shown. */
  #cap = Number.POSITIVE_INFINITY;
  /** `table/chain` -> what was wanted and printed at once; see `#learn`. */
  readonly #prints = new Map<string, string>();
  #tail: Promise<unknown> = Promise.resolve();
  #reading: AbortController | undefined;

  constructor(options: RuleApplierOptions) {
    this.#iptables = options.iptables;
    this.#jumps = options.jumps;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** What the kernel holds, if nobody else wrote to it; undefined before the first success and after a failure. */
  get applied(): DesiredRules | undefined {
    return this.#applied;
  }

  /** Makes the next `apply` a full one. */
  forget(): void {
    this.#applied = undefined;
  }

  /**
   * A delta that is refused, because the kernel does not hold what it should, is followed by a full write at once.
   * @throws IptablesError when iptables refused. Part of the plan may have been committed, so the next call reads the kernel
   * and writes all that is not as wanted then.
   */
  apply(wanted: DesiredRules): Promise<ApplyReport> {
    this.#reading?.abort();
    return this.#enqueue(async () => {
      const start = this.#clock.monotonic();
      const applied = this.#applied;
      // Until the kernel has confirmed, nothing is certain.
      this.#applied = undefined;
      const done = applied ? await this.#delta(applied, wanted) : await this.#full(wanted);
      this.#applied = wanted;
      return { ...done, durationMs: this.#clock.monotonic() - start };
    });
  }

  /**
   * Compares the kernel with what was applied last, and repairs what differs, chain by chain.
   * @returns what was found; undefined when all is well or when nothing is applied; `interrupted` when an `apply` came while it
   * was reading and `patient` is set.
   * @throws IptablesError as `apply`
   */
  check({ patient = true } = {}): Promise<Drift | 'interrupted' | undefined> {
    return this.#enqueue(async () => {
      const applied = this.#applied;
      if (!applied) return undefined;
      let scan: KernelScan;
      const reading = new AbortController();
      if (patient) this.#reading = reading;
      try {
        scan = await this.#scan(applied, reading.signal);
      } catch (error) {
        if (error instanceof IptablesError && error.aborted) return 'interrupted';
        throw error;
      } finally {
        this.#reading = undefined;
      }
      const plan = planFull(scan, applied, this.#iptables.family, this.#iptables.info.backend, this.#cap);
      // Leftovers alone are no drift: a full write that could not read the kernel leaves them to us.
      if (plan.length === 0) return undefined;
      this.#applied = undefined;
      if (!(await this.#fits(plan))) await this.#full(applied);
      if (isClean(scan)) {
        this.#applied = applied;
        return undefined;
      }
      this.#learn(await this.#scan(applied), wantedChains(applied));
      this.#applied = applied;
      return driftOf(scan);
    });
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    // The next call does not care how this one ended; its caller does.
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #delta(applied: DesiredRules, wanted: DesiredRules): Promise<Omit<ApplyReport, 'durationMs'>> {
    const plan = planDelta(applied, wanted, this.#iptables.info.backend, this.#cap);
    try {
      if (!(await this.#fits(plan))) return await this.#full(wanted);
    } catch (error) {
      if (!(error instanceof IptablesError) || error.isResourceProblem) throw error;
      this.#log.warn({ err: error }, 'a partial write was refused; reading the kernel and writing what differs');
      return { ...(await this.#full(wanted)), refused: error };
    }
    return { kind: plan.length === 0 ? 'none' : 'delta', jumps: 0, ...planSize(plan) };
  }

  async #full(wanted: DesiredRules): Promise<Omit<ApplyReport, 'durationMs'>> {
    const { family, info } = this.#iptables;
    const scan = this.#distrustScan ? undefined : await this.#tryScan(wanted);
    const plan = planFull(scan ?? nothingKnown(wanted), wanted, family, info.backend, this.#cap);
    try {
      // What was committed before the refusal, jumps among it, must not be written twice.
      if (!(await this.#fits(plan))) return await this.#full(wanted);
    } catch (error) {
      this.#distrustScan = scan !== undefined && error instanceof IptablesError && !error.isResourceProblem;
      throw error;
    }
    const jumps = scan ? scan.missingJumps.length : await this.#ensureJumps();
    this.#distrustScan = false;
    return { kind: 'full', jumps, ...planSize(plan) };
  }

  /**
   * Writes, or finds out that the kernel does not take sections of this size; then smaller ones are cut from now on, and what
   * the kernel holds is not known. False only as long as there is something left to cut. @throws IptablesError
   */
  async #fits(plan: WritePlan): Promise<boolean> {
    try {
      await writePlan(this.#iptables, plan);
      return true;
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      const cap = error.isTooLarge ? smallerCap(plan, this.#cap) : undefined;
      if (cap === undefined) throw error;
      this.#log.info(
        { lines: cap, err: error.message },
        'the kernel takes only small writes here; cutting them smaller',
      );
      this.#cap = cap;
      return false;
    }
  }

  async #tryScan(wanted: DesiredRules): Promise<KernelScan | undefined> {
    try {
      return await this.#scan(wanted);
    } catch (error) {
      // Writing everything needs no knowledge of what is there, so a table that cannot be read is no reason to stop.
      this.#log.warn({ err: error }, "cannot read the kernel's rules; writing all of ours");
      return undefined;
    }
  }

  /**
   * A chain that looks wrong right after it was written is printed in a way that we do not know. Without this, such a chain
   * would be written anew at every check.
   */
  #learn(scan: KernelScan, wanted: ReturnType<typeof wantedChains>): void {
    for (const name of this.#prints.keys()) {
      const [table, chain = ''] = name.split('/');
      if (!wanted[table === 'nat' ? 'nat' : 'filter'].has(chain)) this.#prints.delete(name);
    }
    for (const table of ['filter', 'nat'] as const) {
      for (const [chain, printed] of scan.different[table]) {
        const rules = wanted[table].get(chain) ?? [];
        this.#prints.set(`${table}/${chain}`, fingerprint(rules, printed));
        this.#log.warn({ table, chain, wanted: rules, printed }, 'iptables-save prints this chain in an unknown way');
      }
    }
  }

  readonly #accepts: AcceptsPrint = (table, chain, wanted, printed) =>
    this.#prints.get(`${table}/${chain}`) === fingerprint(wanted, printed);

  async #scan(wanted: DesiredRules, signal?: AbortSignal): Promise<KernelScan> {
    const scanner = new KernelScanner(this.#iptables.family, wanted, this.#jumps, this.#accepts);
    await this.#iptables.save(scanner.line, signal && { signal });
    return scanner.result();
  }

  /** One by one, as kube-proxy does it; only where the kernel's rules could not be read. @returns how many were missing */
  async #ensureJumps(): Promise<number> {
    let missing = 0;
    for (const { table, from, to, rule } of this.#jumps) {
      await succeedsOr(1, this.#iptables.command(['-N', to, '-t', table]));
      if (await succeedsOr(1, this.#iptables.command(['-C', from, '-t', table, ...rule]))) continue;
      await this.#iptables.command(['-I', from, '-t', table, ...rule]);
      missing++;
    }
    return missing;
  }
}

function fingerprint(wanted: readonly RuleText[], printed: readonly RuleText[]): string {
  return hash('sha1', JSON.stringify([wanted, printed]));
}

/** False when the command ended with `status`, which stands for "no". */
async function succeedsOr(status: number, command: Promise<string>): Promise<boolean> {
  try {
    await command;
    return true;
  } catch (error) {
    if (error instanceof IptablesError && error.exitCode === status) return false;
    throw error;
  }
}

function driftOf(scan: KernelScan): Drift {
  const named = (lists: Record<TableName, Iterable<string>>) =>
    (['filter', 'nat'] as const).flatMap((table) => Array.from(lists[table], (chain) => `${table}/${chain}`));
  return {
    missing: named(scan.missing),
    different: named({ filter: scan.different.filter.keys(), nat: scan.different.nat.keys() }),
    jumps: [...scan.missingJumps],
  };
}

/** One line for a log or an event; long lists are cut. */
export function describeDrift(drift: Drift): string {
  const some = (items: string[]) =>
    items.length > 5 ? `${items.slice(0, 5).join(', ')} and ${items.length - 5} more` : items.join(', ');
  const parts: string[] = [];
  if (drift.missing.length > 0) parts.push(`missing: ${some(drift.missing)}`);
  if (drift.different.length > 0) parts.push(`changed: ${some(drift.different)}`);
  if (drift.jumps.length > 0) {
    parts.push(`no jump: ${some(drift.jumps.map((j) => `${j.table}/${j.from} ${jumpText(j)}`))}`);
  }
  return parts.join('; ');
}
