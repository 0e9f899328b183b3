import type { IptablesBackend } from './backend.ts';
import type { RuleText, TableName } from './rules.ts';
import type { AnyTable } from './runner.ts';

/** The whole new content of one chain. */
export interface ChainContent {
  readonly chain: string;
  readonly rules: readonly RuleText[];
}

/** What one `*table ... COMMIT` section of iptables-restore does, as one transaction of the kernel. */
export interface WriteSection {
  readonly table: AnyTable;
  /** Created, or emptied where they exist, and then filled. */
  readonly chains: readonly ChainContent[];
  /** `-D`, `-I` and `-A` lines for chains that keep their other rules, in order; they come before the content of `chains`. */
  readonly edits: readonly string[];
  /** Emptied and deleted, after everything else. */
  readonly removed: readonly string[];
}

/** Sections in the order to commit them, all in one iptables-restore process. Empty: nothing to do. */
export type WritePlan = readonly WriteSection[];

export interface PlanSize {
  sections: number;
  chainsWritten: number;
  chainsRemoved: number;
  /** Rules written, inserted or deleted. */
  rules: Record<TableName, number>;
}

export function planSize(plan: WritePlan): PlanSize {
  const size = { sections: plan.length, chainsWritten: 0, chainsRemoved: 0, rules: { filter: 0, nat: 0 } };
  for (const { table, chains, edits, removed } of plan) {
    size.chainsWritten += chains.length;
    size.chainsRemoved += removed.length;
    if (table === 'mangle') continue;
    size.rules[table] += edits.length;
    for (const { rules } of chains) size.rules[table] += rules.length;
  }
  return size;
}

/** The restore text, line by line. Chains count from `[0:0]`, as kube-proxy writes them. */
export function* planText(plan: WritePlan): Generator<string, undefined> {
  for (const { table, chains, edits, removed } of plan) {
    yield `*${table}\n`;
    for (const { chain } of chains) yield `:${chain} - [0:0]\n`;
    for (const chain of removed) yield `:${chain} - [0:0]\n`;
    for (const edit of edits) yield `${edit}\n`;
    for (const { chain, rules } of chains) for (const rule of rules) yield `-A ${chain} ${rule}\n`;
    for (const chain of removed) yield `-X ${chain}\n`;
    yield 'COMMIT\n';
  }
  return undefined;
}

/** How to bring one chain from one content to another: by single edits, or by writing it whole. */
export type ChainStep = { readonly edits: readonly string[] } | ChainContent;

/** A change of one chain that all Services share. */
export interface DispatchChange {
  /** From the old content to the new one in one go. */
  readonly direct: ChainStep;
  /** From the old content to all rules of both; absent when no rule is added. */
  readonly adding?: ChainStep;
  /** From there to the new content; absent when no rule goes away. */
  readonly removing?: ChainStep;
}

/** All that has to change in the two tables, not yet cut into transactions. */
export interface TableChanges {
  readonly filter: {
    /** Chains whose rules do not depend on Services. */
    readonly fixed: readonly ChainContent[];
    readonly dispatch: readonly DispatchChange[];
  };
  readonly nat: {
    readonly fixed: readonly ChainContent[];
    /** The chains of one service port each, which must change together. */
    readonly owned: readonly (readonly ChainContent[])[];
    readonly dispatch: readonly DispatchChange[];
    /** Chains to delete. */
    readonly removed: readonly string[];
    /** Chains that should go but that something foreign jumps to: they are emptied, and stay. */
    readonly emptied: readonly string[];
  };
  /** `-I FROM ...` lines for the jumps that are missing in built-in chains. */
  readonly jumps: Readonly<Record<TableName, readonly string[]>>;
}

/**
 * How many lines one section of iptables-nft should have. The program takes time quadratic in the lines of a section (33 s for
 * 2,000 Services of 10 endpoints in one), so small ones are better; but when packets can reach the table, the kernel checks all its
 * chains for loops at each COMMIT that adds a jump (60 ms at 22,000 chains on Linux 6.18), so few are better. 1,500 lines are best
 * for a table that nothing jumps to; for others both costs together are least at a number that grows with the root of the chains.
 * iptables-legacy copies the whole table at each COMMIT, so there one section is best.
 *
 * @param liveChains chains of a table that packets reach; 0 for one that nothing jumps to yet
 */
export function linesPerSection(backend: IptablesBackend, liveChains: number): number {
  if (backend === 'legacy') return Number.POSITIVE_INFINITY;
  return Math.min(20_000, Math.max(QUIET_SECTION_LINES, Math.round(Math.sqrt(1_500 * liveChains))));
}

const QUIET_SECTION_LINES = 1_500;

/**
 * Cuts changes into transactions, so that a packet at any moment meets either the old or the new rules of its Service:
 * - filter rules are added before nat changes and removed after it. They only match packets that nat did not redirect, so an
 *   extra one does no harm while nat redirects; a missing one would let a packet out to an address that nobody has;
 * - in nat, a service port's chains change in one section; the chains that all Services share refer to them only in a later
 *   section (or the same one), and chains are deleted when nothing refers to them any more.
 */
export function cutIntoSections(changes: TableChanges, maxLines: number): WritePlan {
  const { filter, jumps } = changes;
  const nat = cutNat(changes, maxLines);
  const steps = (kind: keyof DispatchChange) => filter.dispatch.flatMap((change) => change[kind] ?? []);
  const filterSection = (kind: keyof DispatchChange) =>
    section('filter', { fixed: filter.fixed, steps: steps(kind), edits: jumps.filter });
  const plan =
    nat.length === 0
      ? [filterSection('direct')]
      : [filterSection('adding'), ...nat, section('filter', { steps: steps('removing') })];
  return plan.filter((s) => s.chains.length + s.edits.length + s.removed.length > 0);
}

/** Chains to delete in sections of at most `maxLines`, each chain after those that jump to it. */
export function cutRemovals(chains: readonly string[], maxLines: number): string[][] {
  const sorted = chains.toSorted(byReference);
  const each = Math.max(1, Math.floor(maxLines / 2));
  if (sorted.length <= each) return sorted.length === 0 ? [] : [sorted];
  return Array.from({ length: Math.ceil(sorted.length / each) }, (_, i) => sorted.slice(i * each, (i + 1) * each));
}

function linesOf(unit: readonly ChainContent[]): number {
  return unit.reduce((sum, { rules }) => sum + 1 + rules.length, 0);
}

/** Chains before those they jump to: FW, EXT, SVC and SVL, SEP; all others first. */
function byReference(a: string, b: string): number {
  return rank(a) - rank(b);
}

function rank(chain: string): number {
  return ['KUBE-FW-', 'KUBE-EXT-', 'KUBE-SV', 'KUBE-SEP-'].findIndex((prefix) => chain.startsWith(prefix));
}

function cutNat({ nat, jumps }: TableChanges, maxLines: number): WriteSection[] {
  const dispatch = nat.dispatch.map((change) => change.direct);
  const emptied = nat.emptied.map((chain) => ({ chain, rules: [] }));
  const lines = nat.owned.reduce((sum, unit) => sum + linesOf(unit), 2 * nat.removed.length + emptied.length);
  if (lines + dispatch.length + nat.fixed.length + jumps.nat.length === 0) return [];
  if (lines <= maxLines) {
    const fixed = [...nat.fixed, ...nat.owned.flat(), ...emptied];
    return [section('nat', { fixed, steps: dispatch, removed: nat.removed, edits: jumps.nat })];
  }
  const sections = [section('nat', { fixed: nat.fixed })];
  let pending: ChainContent[] = [];
  let pendingLines = 0;
  for (const unit of nat.owned) {
    const more = linesOf(unit);
    if (pending.length > 0 && pendingLines + more > maxLines) {
      sections.push(section('nat', { fixed: pending }));
      pending = [];
      pendingLines = 0;
    }
    pending.push(...unit);
    pendingLines += more;
  }
  sections.push(section('nat', { fixed: pending }));
  sections.push(section('nat', { steps: dispatch, edits: jumps.nat }), section('nat', { fixed: emptied }));
  for (const removed of cutRemovals(nat.removed, maxLines)) sections.push(section('nat', { removed }));
  return sections;
}

function section(
  table: TableName,
  parts: {
    fixed?: readonly ChainContent[];
    steps?: readonly ChainStep[];
    edits?: readonly string[];
    removed?: readonly string[];
  },
): WriteSection {
  const chains = [...(parts.fixed ?? [])];
  const edits: string[] = [];
  for (const step of parts.steps ?? []) {
    if ('chain' in step) chains.push(step);
    else edits.push(...step.edits);
  }
  return { table, chains, edits: [...edits, ...(parts.edits ?? [])], removed: parts.removed ?? [] };
}
