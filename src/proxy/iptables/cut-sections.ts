import type { RuleText, TableName } from './rules.ts';
import type { SectionSizes } from './section-sizes.ts';
import type { ChainContent, ChainStep, DispatchChange, TableChanges, WritePlan, WriteSection } from './write-plan.ts';

/**
 * Cuts changes into transactions, so that a packet at any moment meets either the old or the new rules of its Service:
 * - filter rules are added before nat changes and removed after it. They only match packets that nat did not redirect, so an
 *   extra one does no harm while nat redirects; a missing one would let a packet out to an address that nobody has;
 * - in nat, a service port's chains change in one section; those of one too large for that, its endpoints' chains first. The
 *   chains that all Services share refer to them only in a later section (or the same one), and chains are deleted when nothing
 *   refers to them any more.
 */
export function cutIntoSections(changes: TableChanges, sizes: SectionSizes): WritePlan {
  const { filter, jumps } = changes;
  const nat = cutNat(changes, sizes);
  const steps = (kind: keyof DispatchChange) => filter.dispatch.flatMap((change) => change[kind] ?? []);
  const filterSections = (kind: keyof DispatchChange) =>
    cutShared('filter', filter.fixed, steps(kind), jumps.filter, sizes.dispatch);
  const plan =
    nat.length === 0
      ? filterSections('direct')
      : [...filterSections('adding'), ...nat, ...cutShared('filter', [], steps('removing'), [], sizes.dispatch)];
  return plan.filter((s) => s.chains.length + s.edits.length + s.removed.length > 0);
}

/** Chains to delete in sections of at most `maxLines`, each chain after those that jump to it. */
export function cutRemovals(chains: readonly string[], maxLines: number): string[][] {
  return inPieces(chains.toSorted(byReference), Math.max(1, Math.floor(maxLines / 2)));
}

/** Chains before those they jump to: FW, EXT, SVC and SVL, SEP, the mark; all others first. */
function byReference(a: string, b: string): number {
  return rank(a) - rank(b);
}

function rank(chain: string): number {
  return ['KUBE-FW-', 'KUBE-EXT-', 'KUBE-SV', 'KUBE-SEP-', 'KUBE-MARK-MASQ'].findIndex((prefix) =>
    chain.startsWith(prefix),
  );
}

function cutNat({ nat, jumps }: TableChanges, sizes: SectionSizes): WriteSection[] {
  const dispatch = nat.dispatch.map((change) => change.direct);
  const emptied = nat.emptied.map((chain) => ({ chain, rules: [] }));
  const lines = nat.owned.reduce((sum, unit) => sum + linesOf(unit), 2 * nat.removed.length + emptied.length);
  if (lines + dispatch.length + nat.fixed.length + jumps.nat.length === 0) return [];
  if (lines <= sizes.lines && dispatch.every((step) => stepLines(step) <= sizes.dispatch)) {
    const fixed = [...nat.fixed, ...nat.owned.flat(), ...emptied];
    return [section('nat', { fixed, steps: dispatch, removed: nat.removed, edits: jumps.nat })];
  }
  const sections = [section('nat', { fixed: nat.fixed })];
  let pending: ChainContent[] = [];
  let pendingLines = 0;
  for (const unit of nat.owned.flatMap((whole) => cutUnit(whole, sizes.lines))) {
    const more = linesOf(unit);
    if (pending.length > 0 && pendingLines + more > sizes.lines) {
      sections.push(section('nat', { fixed: pending }));
      pending = [];
      pendingLines = 0;
    }
    pending.push(...unit);
    pendingLines += more;
  }
  sections.push(section('nat', { fixed: pending }), ...cutShared('nat', [], dispatch, jumps.nat, sizes.dispatch));
  sections.push(section('nat', { fixed: emptied }));
  for (const removed of cutRemovals(nat.removed, sizes.lines)) sections.push(section('nat', { removed }));
  return sections;
}

/** The chains of one service port in one piece, or, where there are too many, those of its endpoints in pieces before the others. */
function cutUnit(unit: readonly ChainContent[], maxLines: number): (readonly ChainContent[])[] {
  if (linesOf(unit) <= maxLines) return [unit];
  const endpoints = unit.filter(({ chain }) => chain.startsWith('KUBE-SEP-'));
  // Each such chain declares itself and has two or three rules.
  const pieces = inPieces(endpoints, Math.max(1, Math.floor(maxLines / 4)));
  return [...pieces, unit.filter(({ chain }) => !chain.startsWith('KUBE-SEP-'))];
}

/** Sections for chains that all Services share; long ones are filled, or edited, over several, and `last` comes in the last one. */
function cutShared(
  table: TableName,
  fixed: readonly ChainContent[],
  steps: readonly ChainStep[],
  last: readonly string[],
  maxRules: number,
): WriteSection[] {
  if (steps.every((step) => stepLines(step) <= maxRules)) return [section(table, { fixed, steps, edits: last })];
  // KUBE-SERVICES ends with a jump to KUBE-NODEPORTS, which stands after it.
  const pieces = steps.toReversed().flatMap((step) => cutStep(table, step, maxRules));
  return [section(table, { fixed }), ...pieces, section(table, { edits: last })];
}

function cutStep(table: TableName, step: ChainStep, maxRules: number): WriteSection[] {
  if ('edits' in step) return inPieces(step.edits, maxRules).map((edits) => section(table, { edits }));
  const { chain } = step;
  if (step.rules.length === 0) return [section(table, { fixed: [step] })];
  return inPieces(step.rules, maxRules).map((rules: readonly RuleText[], i) =>
    i === 0
      ? section(table, { fixed: [{ chain, rules }] })
      : section(table, { edits: rules.map((rule) => `-A ${chain} ${rule}`) }),
  );
}

function stepLines(step: ChainStep): number {
  return 'edits' in step ? step.edits.length : step.rules.length;
}

function linesOf(unit: readonly ChainContent[]): number {
  return unit.reduce((sum, { rules }) => sum + 1 + rules.length, 0);
}

function inPieces<T>(all: readonly T[], size: number): T[][] {
  if (all.length <= size) return all.length === 0 ? [] : [[...all]];
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
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
