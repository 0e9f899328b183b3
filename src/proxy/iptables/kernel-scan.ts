import type { IPFamily } from '../../objects/meta.ts';
import { isServiceChain } from './chain-names.ts';
import { dispatchRules } from './delta.ts';
import type { DesiredRules, JumpRule, RuleText, TableName } from './rules.ts';
import { type AnyTable, IptablesError } from './runner.ts';
import { quoteWord, savedForm } from './saved-form.ts';
import { DISPATCH_CHAINS } from './static-rules.ts';

/** How the kernel differs from what is wanted, as far as our chains and jumps go. Chain names, each list in kernel order. */
export interface KernelScan {
  /** Wanted chains that do not exist. */
  readonly missing: Record<TableName, string[]>;
  /** Wanted chains with other rules than they should have; the rules as iptables-save prints them. */
  readonly different: Record<TableName, Map<string, readonly RuleText[]>>;
  /** Service chains that nothing wants: left by an earlier proxier, or by a failed sync. */
  readonly stale: readonly string[];
  /** Of those, the ones that a foreign rule jumps to, and whether they hold rules; the kernel refuses to delete them. */
  readonly held: ReadonlyMap<string, { readonly empty: boolean }>;
  readonly missingJumps: readonly JumpRule[];
  /** Some rule outside our chains jumps to a nat chain that all Services share, so that packets meet what is written there. */
  readonly reached: boolean;
  /** Chains that a missing jump leads to, not wanted by `desired` and not there: KUBE-FIREWALL. */
  readonly missingTargets: Record<TableName, string[]>;
  /** Our chains that the kernel holds, of whatever content. */
  readonly found: number;
}

/** Whether the kernel holds exactly what is wanted. Stale chains carry no traffic and do not count. */
export function isClean(scan: KernelScan): boolean {
  const { missing, different, missingJumps } = scan;
  return (
    missing.filter.length + missing.nat.length + different.filter.size + different.nat.size + missingJumps.length === 0
  );
}

/** Whether rules that do not look like the wanted ones are known to be how this iptables prints them. */
export type AcceptsPrint = (
  table: TableName,
  chain: string,
  wanted: readonly RuleText[],
  printed: readonly RuleText[],
) => boolean;

/**
 * Reads the lines of `iptables-save` one by one and compares them with `wanted`. Keeps only what differs, so a large table
 * costs no memory, and compares line by line, so it never holds up the event loop for long.
 */
export class KernelScanner {
  readonly #family: IPFamily;
  readonly #wanted: Record<TableName, Map<string, readonly RuleText[]>>;
  readonly #jumps: Map<string, JumpRule>;
  readonly #allJumps: readonly JumpRule[];
  readonly #different: Record<TableName, Map<string, readonly RuleText[]>> = { filter: new Map(), nat: new Map() };
  readonly #declared: Record<TableName, Set<string>> = { filter: new Set(), nat: new Set() };
  readonly #stale: string[] = [];
  readonly #staleWithRules = new Set<string>();
  readonly #heldByOthers = new Set<string>();
  readonly #accepts: AcceptsPrint;
  #table: AnyTable | undefined;
  #chain = '';
  #expected: readonly RuleText[] | undefined;
  #lines: RuleText[] = [];
  #equal = true;
  #found = 0;
  #unreadable: string | undefined;

  constructor(family: IPFamily, wanted: DesiredRules, jumps: readonly JumpRule[], accepts: AcceptsPrint = () => false) {
    this.#family = family;
    this.#accepts = accepts;
    this.#wanted = wantedChains(wanted);
    this.#allJumps = jumps;
    this.#jumps = new Map(
      jumps.map((jump) => [`${jump.table} ${jump.from} ${savedForm(jumpText(jump), family)}`, jump]),
    );
  }

  readonly line = (line: string): void => {
    if (line.startsWith('-A ')) this.#rule(line);
    else if (line.startsWith(':')) this.#declare(line.slice(1, line.indexOf(' ')));
    else if (line.startsWith('*')) this.#table = knownTable(line.slice(1));
    else if (line === 'COMMIT') this.#endTable();
    else if (/^# Table .(filter|nat). is incompatible/.test(line)) this.#unreadable = line.slice(2);
  };

  /** @throws IptablesError when iptables said that it cannot print a table, because the nft tool put something else into it */
  result(): KernelScan {
    if (this.#unreadable !== undefined) throw new IptablesError('iptables-save', this.#unreadable);
    const missing = this.#perTable((table) =>
      [...this.#wanted[table].keys()].filter((c) => !this.#declared[table].has(c)),
    );
    const missingJumps = this.#allJumps.filter((jump) => [...this.#jumps.values()].includes(jump));
    return {
      missing,
      different: this.#different,
      stale: this.#stale,
      held: new Map(
        this.#stale
          .filter((chain) => this.#heldByOthers.has(chain))
          .map((chain) => [chain, { empty: !this.#staleWithRules.has(chain) }]),
      ),
      missingJumps,
      reached: DISPATCH_CHAINS.nat.some((chain) => this.#heldByOthers.has(chain)),
      missingTargets: this.#perTable((table) => [
        ...new Set(
          missingJumps
            .filter((j) => j.table === table && !this.#wanted[table].has(j.to) && !this.#declared[table].has(j.to))
            .map((j) => j.to),
        ),
      ]),
      found: this.#found,
    };
  }

  #perTable(fn: (table: TableName) => string[]): Record<TableName, string[]> {
    return { filter: fn('filter'), nat: fn('nat') };
  }

  #declare(chain: string): void {
    const table = this.#ruleTable();
    if (!table) return;
    this.#declared[table].add(chain);
    if (this.#wanted[table].has(chain)) this.#found++;
    else if (table === 'nat' && isServiceChain(chain)) {
      this.#found++;
      this.#stale.push(chain);
    }
  }

  #rule(line: string): void {
    const table = this.#ruleTable();
    if (!table) return;
    const end = line.indexOf(' ', 3);
    const chain = end < 0 ? line.slice(3) : line.slice(3, end);
    const rule = end < 0 ? '' : line.slice(end + 1);
    if (chain !== this.#chain) {
      this.#endChain(table);
      this.#chain = chain;
      this.#expected = this.#wanted[table].get(chain);
    }
    if (this.#expected) this.#compare(rule);
    else if (table === 'nat' && isServiceChain(chain)) this.#staleWithRules.add(chain);
    else this.#foreign(table, chain, rule);
  }

  #compare(rule: RuleText): void {
    const wanted = this.#expected?.[this.#lines.length];
    this.#lines.push(rule);
    if (!this.#equal) return;
    if (wanted === undefined) {
      this.#equal = false;
      return;
    }
    const form = savedForm(wanted, this.#family);
    // Another iptables release may print some option in another way; then both are brought to the same form.
    this.#equal = form === rule || form === savedForm(rule, this.#family);
  }

  #foreign(table: TableName, chain: string, rule: RuleText): void {
    const target = /(?:^| )-[jg] (KUBE-\S+)/.exec(rule)?.[1];
    if (target === undefined) return;
    if (this.#jumps.size > 0) this.#jumps.delete(`${table} ${chain} ${savedForm(rule, this.#family)}`);
    if (table === 'nat') this.#heldByOthers.add(target);
  }

  #endChain(table: TableName): void {
    const expected = this.#expected;
    const equal = this.#equal && this.#lines.length === expected?.length;
    if (expected && !equal && !this.#accepts(table, this.#chain, expected, this.#lines)) {
      this.#different[table].set(this.#chain, this.#lines);
    }
    if (expected) this.#seen.add(this.#chain);
    this.#expected = undefined;
    this.#chain = '';
    this.#lines = [];
    this.#equal = true;
  }

  /** Chains of the current table that had rules. */
  #seen = new Set<string>();

  #endTable(): void {
    const table = this.#ruleTable();
    if (table) {
      this.#endChain(table);
      for (const [chain, rules] of this.#wanted[table]) {
        if (rules.length > 0 && this.#declared[table].has(chain) && !this.#seen.has(chain)) {
          this.#different[table].set(chain, []);
        }
      }
    }
    this.#seen = new Set();
    this.#table = undefined;
  }

  #ruleTable(): TableName | undefined {
    return this.#table === 'filter' || this.#table === 'nat' ? this.#table : undefined;
  }
}

/** The words of a jump after `-I FROM `, as restore text. */
export function jumpText(jump: JumpRule): RuleText {
  return jump.rule.map((word) => (word.includes(' ') ? quoteWord(word) : word)).join(' ');
}

/** Every chain that has to exist, with its rules. */
export function wantedChains(desired: DesiredRules): Record<TableName, Map<string, readonly RuleText[]>> {
  const chains = (table: TableName) =>
    new Map<string, readonly RuleText[]>([
      ...DISPATCH_CHAINS[table].map((chain) => [chain, dispatchRules(desired, table, chain)] as const),
      ...desired.static.chains[table],
    ]);
  const [filter, nat] = [chains('filter'), chains('nat')];
  for (const entry of desired.services.values()) for (const [chain, rules] of entry.chains) nat.set(chain, rules);
  return { filter, nat };
}

function knownTable(name: string): AnyTable | undefined {
  return name === 'filter' || name === 'nat' || name === 'mangle' ? name : undefined;
}

/** What to assume when the kernel cannot be read: every chain is to be written; jumps and leftovers are not known. */
export function nothingKnown(wanted: DesiredRules): KernelScan {
  const chains = wantedChains(wanted);
  return {
    missing: { filter: [...chains.filter.keys()], nat: [...chains.nat.keys()] },
    different: { filter: new Map(), nat: new Map() },
    stale: [],
    held: new Map(),
    missingJumps: [],
    reached: true,
    missingTargets: { filter: [], nat: [] },
    found: 0,
  };
}
