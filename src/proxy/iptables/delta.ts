import type { IptablesBackend } from './backend.ts';
import { cutIntoSections } from './cut-sections.ts';
import { dispatchDelta } from './dispatch-delta.ts';
import {
  changedServicePorts,
  type DesiredRules,
  type RuleText,
  type ServicePortRules,
  type TableName,
} from './rules.ts';
import { sectionSizes } from './section-sizes.ts';
import { DISPATCH_CHAINS } from './static-rules.ts';
import type { ChainContent, DispatchChange, WritePlan } from './write-plan.ts';

/**
 * What to write so that a kernel which holds `applied` holds `wanted`: only chains that differ, and single rules of the chains
 * that all Services share. Entries that are the same object in both are not looked at.
 *
 * @param cap most lines that the kernel takes in one section, as far as known
 */
export function planDelta(
  applied: DesiredRules,
  wanted: DesiredRules,
  backend: IptablesBackend,
  cap = Number.POSITIVE_INFINITY,
): WritePlan {
  if (applied === wanted) return [];
  const owned: ChainContent[][] = [];
  const removed: string[] = [];
  const touched: Record<TableName, Set<string>> = { filter: new Set(), nat: new Set() };
  for (const { before, after } of changedServicePorts(applied, wanted)) {
    const unit = changedChains(before?.chains ?? NO_CHAINS, after?.chains ?? NO_CHAINS);
    if (unit.length > 0) owned.push(unit);
    for (const chain of before?.chains.keys() ?? []) if (!after?.chains.has(chain)) removed.push(chain);
    noteDispatch(before, after, touched);
  }
  if (!sameRules(applied.static.servicesTail, wanted.static.servicesTail)) touched.nat.add('KUBE-SERVICES');
  return cutIntoSections(
    {
      filter: { fixed: changedFixed('filter'), dispatch: changedDispatch('filter') },
      nat: { fixed: changedFixed('nat'), owned, dispatch: changedDispatch('nat'), removed, emptied: [] },
      jumps: { filter: [], nat: [] },
    },
    sectionSizes(backend, { chains: countChains(wanted), reached: true, cap }),
  );

  // A fixed chain that is not wanted any more stays: the only such one, KUBE-FIREWALL, is kubelet's too.
  function changedFixed(table: TableName): ChainContent[] {
    return changedChains(applied.static.chains[table], wanted.static.chains[table]);
  }

  function changedDispatch(table: TableName): DispatchChange[] {
    return DISPATCH_CHAINS[table].flatMap((chain) => {
      if (!touched[table].has(chain)) return [];
      return dispatchDelta(chain, dispatchRules(applied, table, chain), dispatchRules(wanted, table, chain)) ?? [];
    });
  }
}

/** The rules of a chain that all Services share, in the order of the service ports' names. */
export function dispatchRules(desired: DesiredRules, table: TableName, chain: string): RuleText[] {
  const rules: RuleText[] = [];
  for (const entry of desired.services.values()) {
    for (const dispatch of entry.dispatch) {
      if (dispatch.table === table && dispatch.chain === chain) rules.push(dispatch.rule);
    }
  }
  if (table === 'nat' && chain === 'KUBE-SERVICES') rules.push(...desired.static.servicesTail);
  return rules;
}

/** Chains of the nat table that Services have. */
export function countChains(desired: DesiredRules): number {
  let count = 0;
  for (const entry of desired.services.values()) count += entry.chains.size;
  return count;
}

export function sameRules(a: readonly RuleText[], b: readonly RuleText[]): boolean {
  return a === b || (a.length === b.length && a.every((rule, i) => rule === b[i]));
}

const NO_CHAINS: ReadonlyMap<string, readonly RuleText[]> = new Map();

function changedChains(
  before: ReadonlyMap<string, readonly RuleText[]>,
  after: ReadonlyMap<string, readonly RuleText[]>,
): ChainContent[] {
  const changed: ChainContent[] = [];
  for (const [chain, rules] of after) {
    const old = before.get(chain);
    if (!old || !sameRules(old, rules)) changed.push({ chain, rules });
  }
  return changed;
}

function noteDispatch(
  before: ServicePortRules | undefined,
  after: ServicePortRules | undefined,
  touched: Record<TableName, Set<string>>,
): void {
  const [old, now] = [before?.dispatch ?? [], after?.dispatch ?? []];
  const same =
    old.length === now.length &&
    old.every((d, i) => d.table === now[i]?.table && d.chain === now[i]?.chain && d.rule === now[i]?.rule);
  if (same) return;
  for (const { table, chain } of [...old, ...now]) touched[table].add(chain);
}
