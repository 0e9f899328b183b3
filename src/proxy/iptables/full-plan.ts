import type { IPFamily } from '../../objects/meta.ts';
import type { IptablesBackend } from './backend.ts';
import { cutIntoSections } from './cut-sections.ts';
import { countChains } from './delta.ts';
import { jumpText, type KernelScan, wantedChains } from './kernel-scan.ts';
import type { DesiredRules, JumpRule, RuleText, TableName } from './rules.ts';
import { savedForm } from './saved-form.ts';
import { sectionSizes } from './section-sizes.ts';
import { DISPATCH_CHAINS } from './static-rules.ts';
import type { ChainContent, DispatchChange, WritePlan } from './write-plan.ts';

/**
 * What to write so that a kernel that looked like `scan` holds `wanted`: chains that are missing or different, whole; jumps
 * that are missing; and service chains that nothing wants are deleted. Chains that are right already are left alone, which
 * makes a restart, a take-over from kube-proxy and a repair cost only what is really different.
 *
 * @param cap most lines that the kernel takes in one section, as far as known
 */
export function planFull(
  scan: KernelScan,
  wanted: DesiredRules,
  family: IPFamily,
  backend: IptablesBackend,
  cap = Number.POSITIVE_INFINITY,
): WritePlan {
  const missing = { filter: new Set(scan.missing.filter), nat: new Set(scan.missing.nat) };
  const toWrite = (table: TableName, chain: string) => missing[table].has(chain) || scan.different[table].has(chain);
  const all = wantedChains(wanted);
  const content = (table: TableName, chain: string): ChainContent => ({ chain, rules: all[table].get(chain) ?? [] });
  const owned: ChainContent[][] = [];
  for (const entry of wanted.services.values()) {
    const unit = [...entry.chains]
      .filter(([chain]) => toWrite('nat', chain))
      .map(([chain, rules]) => ({ chain, rules }));
    if (unit.length > 0) owned.push(unit);
  }
  const fixed = (table: TableName): ChainContent[] => [
    ...[...wanted.static.chains[table].keys()].filter((chain) => toWrite(table, chain)).map((c) => content(table, c)),
    ...scan.missingTargets[table].map((chain) => ({ chain, rules: [] })),
  ];
  const dispatch = (table: TableName): DispatchChange[] =>
    DISPATCH_CHAINS[table]
      .filter((chain) => toWrite(table, chain))
      .map((chain) => rewrite(content(table, chain), scan.different[table].get(chain) ?? [], family));
  return cutIntoSections(
    {
      filter: { fixed: fixed('filter'), dispatch: dispatch('filter') },
      nat: {
        fixed: fixed('nat'),
        owned,
        dispatch: dispatch('nat'),
        removed: scan.stale.filter((chain) => !scan.held.has(chain)),
        emptied: [...scan.held].filter(([, { empty }]) => !empty).map(([chain]) => chain),
      },
      jumps: { filter: jumpLines(scan.missingJumps, 'filter'), nat: jumpLines(scan.missingJumps, 'nat') },
    },
    sectionSizes(backend, { chains: countChains(wanted), reached: scan.reached, cap }),
  );
}

/** Each goes to the top of its chain, so that of several the last one ends up first, as with kube-proxy. */
export function jumpLines(jumps: readonly JumpRule[], table: TableName): string[] {
  return jumps.filter((jump) => jump.table === table).map((jump) => `-I ${jump.from} ${jumpText(jump)}`);
}

/** From the rules `printed` by the kernel to `content`, with both at once in between. */
function rewrite(content: ChainContent, printed: readonly RuleText[], family: IPFamily): DispatchChange {
  const forms = new Set(content.rules.map((rule) => savedForm(rule, family)));
  const leaving = printed.filter((rule) => !forms.has(savedForm(rule, family)));
  return {
    direct: content,
    adding: leaving.length === 0 ? content : { chain: content.chain, rules: [...content.rules, ...leaving] },
    ...(leaving.length > 0 && { removing: content }),
  };
}
