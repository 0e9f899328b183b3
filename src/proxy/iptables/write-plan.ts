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

export function sectionLines({ chains, edits, removed }: WriteSection): number {
  return chains.reduce((sum, { rules }) => sum + 1 + rules.length, edits.length + 2 * removed.length);
}
