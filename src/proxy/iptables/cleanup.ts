import type { IPFamily } from '../../objects/meta.ts';
import { NFACCT_PROBE_CHAIN } from '../nfacct.ts';
import type { IptablesBackend } from './backend.ts';
import { CANARY_CHAIN } from './canary.ts';
import { isServiceChain } from './chain-names.ts';
import { cutRemovals } from './cut-sections.ts';
import { jumpText } from './kernel-scan.ts';
import { type AnyTable, type Iptables, IptablesError } from './runner.ts';
import { savedForm } from './saved-form.ts';
import { sectionSizes, smallerCap, writePlan } from './section-sizes.ts';
import { JUMP_RULES } from './static-rules.ts';
import type { WritePlan, WriteSection } from './write-plan.ts';

/** Chains that kube-proxy, or we, make whatever the Services are. KUBE-FIREWALL is kubelet's too and stays. */
const SHARED_CHAINS: Record<AnyTable, readonly string[]> = {
  filter: [
    'KUBE-SERVICES',
    'KUBE-EXTERNAL-SERVICES',
    'KUBE-FORWARD',
    'KUBE-NODEPORTS',
    'KUBE-PROXY-FIREWALL',
    CANARY_CHAIN,
    NFACCT_PROBE_CHAIN,
  ],
  nat: ['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ', CANARY_CHAIN],
  mangle: [CANARY_CHAIN],
};

const JUMPS_TO_DELETE = JUMP_RULES.filter((jump) => jump.to !== 'KUBE-FIREWALL');

interface Leftovers {
  chains: string[];
  /** `-D` lines, one for each time a jump stands in the table. */
  jumps: string[];
  /** Our chains that a foreign rule jumps to -> the chain of that rule. */
  held: Map<string, string>;
}

export interface CleanupReport {
  chainsRemoved: number;
  jumpsRemoved: number;
  /** Chains that had to stay, emptied, because a rule in a foreign chain jumps to them: `nat/KUBE-SVC-X (from nat/FOREIGN)`. */
  left: string[];
}

/** Collects what a proxier left, from the lines of iptables-save. */
export class LeftoverScanner {
  readonly #family: IPFamily;
  readonly #jumps: Set<string>;
  readonly #tables: Record<AnyTable, Leftovers> = { filter: none(), nat: none(), mangle: none() };
  #table: AnyTable | undefined;

  constructor(family: IPFamily) {
    this.#family = family;
    this.#jumps = new Set(JUMPS_TO_DELETE.map((j) => `${j.table} ${j.from} ${savedForm(jumpText(j), family)}`));
  }

  readonly line = (line: string): void => {
    if (line.startsWith('*')) this.#table = line.slice(1) in SHARED_CHAINS ? (line.slice(1) as AnyTable) : undefined;
    const table = this.#table;
    if (!table) return;
    if (line.startsWith(':')) {
      const chain = line.slice(1, line.indexOf(' '));
      if (isOurs(table, chain)) this.#tables[table].chains.push(chain);
    } else if (line.startsWith('-A ')) {
      const [, chain = '', rule = ''] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
      if (!isOurs(table, chain)) this.#foreign(table, chain, rule);
    }
  };

  /** Jumps go first, then the chains, each after all that refer to it. */
  plan(backend: IptablesBackend, cap = Number.POSITIVE_INFINITY): { plan: WritePlan; report: CleanupReport } {
    const plan: WriteSection[] = [];
    const report: CleanupReport = { chainsRemoved: 0, jumpsRemoved: 0, left: [] };
    for (const table of ['filter', 'nat', 'mangle'] as const) {
      const { chains, jumps, held } = this.#tables[table];
      if (chains.length === 0 && jumps.length === 0) continue;
      const shared = chains.filter((chain) => !isServiceChain(chain) || held.has(chain));
      plan.push({ table, chains: shared.map((chain) => ({ chain, rules: [] })), edits: jumps, removed: [] });
      const removed = chains.filter((chain) => !held.has(chain));
      // The jumps are gone by then, so nothing reaches the table.
      const { lines } = sectionSizes(backend, { chains: removed.length, reached: false, cap });
      for (const part of cutRemovals(removed, lines)) {
        plan.push({ table, chains: [], edits: [], removed: part });
      }
      report.chainsRemoved += removed.length;
      report.jumpsRemoved += jumps.length;
      for (const [chain, from] of held) report.left.push(`${table}/${chain} (from ${table}/${from})`);
    }
    return { plan, report };
  }

  #foreign(table: AnyTable, chain: string, rule: string): void {
    const target = /(?:^| )-[jg] (\S+)/.exec(rule)?.[1] ?? '';
    if (!isOurs(table, target)) return;
    const leftovers = this.#tables[table];
    if (this.#jumps.has(`${table} ${chain} ${savedForm(rule, this.#family)}`))
      leftovers.jumps.push(`-D ${chain} ${rule}`);
    else leftovers.held.set(target, chain);
  }
}

/**
 * Removes all that a proxier, ours or kube-proxy, put into the tables of one family; nothing when there is nothing. What
 * kube-proxy leaves stays here too: KUBE-FIREWALL with its two jumps, and kubelet's chains.
 * @throws IptablesError
 */
export async function cleanupRules(iptables: Iptables): Promise<CleanupReport> {
  let cap = Number.POSITIVE_INFINITY;
  let found: CleanupReport | undefined;
  for (;;) {
    const scanner = new LeftoverScanner(iptables.family);
    await iptables.save(scanner.line);
    const { plan, report } = scanner.plan(iptables.info.backend, cap);
    found ??= report;
    try {
      await writePlan(iptables, plan);
      return found;
    } catch (error) {
      const smaller = error instanceof IptablesError && error.isTooLarge ? smallerCap(plan, cap) : undefined;
      if (smaller === undefined) throw error;
      cap = smaller;
    }
  }
}

function isOurs(table: AnyTable, chain: string): boolean {
  return SHARED_CHAINS[table].includes(chain) || (table === 'nat' && isServiceChain(chain));
}

function none(): Leftovers {
  return { chains: [], jumps: [], held: new Map() };
}
