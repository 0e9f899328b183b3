import { parseAddress } from '../proxy/addresses.ts';
import {
  decodeRule,
  matchRule,
  type NodeFacts,
  type OptionOverride,
  type PacketState,
  type RuleOption,
} from './rule-match.ts';
import type { Rule, Ruleset } from './ruleset.ts';

export interface ChainStep {
  readonly table: string;
  readonly chain: string;
  readonly rule: Rule;
}

/** One way that random choices may have gone so far. */
export interface Branch extends PacketState {
  /** Probability of this way, 0 to 1. */
  readonly weight: number;
  readonly steps: readonly ChainStep[];
  readonly undecided: readonly ChainStep[];
}

/** A branch at the end of a chain; `end` tells which rule's target ended the table's walk, its absence that none did. */
export interface FinishedBranch extends Branch {
  readonly end?: { readonly verdict: 'ACCEPT' | 'DROP' | 'REJECT' | 'DNAT' | 'MASQUERADE' | 'SNAT' };
}

export interface WalkRules {
  readonly override?: OptionOverride;
  /** A translation leaves the port alone (upstream's test tracer does). */
  readonly keepPort?: boolean;
}

/** The kernel's own limit for calls within calls is of this order; deeper can only be a circle. */
const MAX_DEPTH = 64;

/**
 * Follows one branch through a chain and all chains that it calls, splitting it at every random choice. A chain that does not
 * exist is empty when it is the first one. The branches come in the order in which the rules end them.
 */
export function runChain(
  ruleset: Ruleset,
  table: string,
  name: string,
  entering: Branch,
  facts: NodeFacts,
  rules: WalkRules = {},
  depth = 0,
): FinishedBranch[] {
  if (depth > MAX_DEPTH) throw new RangeError(`${table} ${name}: chains call each other in a circle`);
  const chain = ruleset.get(table)?.get(name);
  if (!chain && depth > 0) throw new RangeError(`${table} ${name}: a rule jumps to this chain, which does not exist`);
  const finished: FinishedBranch[] = [];
  const returned: Branch[] = [];
  let live: Branch[] = [entering];

  for (const rule of chain?.rules ?? []) {
    const decoded = decodeRule(rule);
    const step = { table, chain: name, rule };
    const next: Branch[] = [];
    for (const branch of live) {
      const match = matchRule(decoded, branch, facts, rules.override);
      if (match === 'unknown') next.push({ ...branch, undecided: [...branch.undecided, step] });
      if (match === false) next.push(branch);
      if (match === false || match === 'unknown') continue;
      const chance = match === true ? 1 : match;
      take({ ...branch, weight: branch.weight * chance, steps: [...branch.steps, step] });
      if (chance < 1) next.push({ ...branch, weight: branch.weight * (1 - chance) });
    }
    live = next;
    if (live.length === 0) break;

    function take(branch: Branch): void {
      const { target } = decoded;
      if (!target) return void next.push(branch);
      switch (target.name) {
        case 'ACCEPT':
        case 'DROP':
        case 'REJECT':
        case 'MASQUERADE':
        case 'SNAT':
          return void finished.push({ ...branch, end: { verdict: target.name } });
        case 'DNAT': {
          const translated = translate(branch, target.options, rules);
          if (translated) return void finished.push({ ...translated, end: { verdict: 'DNAT' } });
          return void next.push({ ...branch, undecided: [...branch.undecided, step] });
        }
        case 'RETURN':
          return void returned.push(branch);
        case 'MARK':
          return void next.push({ ...branch, mark: remark(branch.mark, target.options) });
      }
      if (!ruleset.get(table)?.has(target.name) && !target.name.startsWith('KUBE-')) {
        // An extension such as LOG: it lets the packet pass.
        return void next.push({ ...branch, undecided: [...branch.undecided, step] });
      }
      for (const back of runChain(ruleset, table, target.name, branch, facts, rules, depth + 1)) {
        if (back.end) finished.push(back);
        else (target.goto ? returned : next).push(back);
      }
    }
  }
  return [...finished, ...returned, ...live];
}

/** `undefined` where the destination is not one address and port (Services' always are). */
function translate(branch: Branch, options: readonly RuleOption[], rules: WalkRules): Branch | undefined {
  const to = options.find((option) => option.flag === '--to-destination')?.value ?? '';
  const [, six, four = six ?? '', port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(to) ?? [];
  const address = parseAddress(four) ?? parseAddress(to);
  if (!address) return undefined;
  const { packet } = branch;
  const destinationPort = port === undefined || rules.keepPort ? packet.destinationPort : Number(port);
  return { ...branch, translated: true, packet: { ...packet, destination: address.ip, destinationPort } };
}

function remark(mark: number, options: readonly RuleOption[]): number {
  const [option] = options;
  const [bits = 0, mask = 0xffffffff] = (option?.value ?? '0').split('/').map(Number);
  switch (option?.flag) {
    case '--or-mark':
      return (mark | bits) >>> 0;
    case '--and-mark':
      return (mark & bits) >>> 0;
    case '--xor-mark':
      return (mark ^ bits) >>> 0;
    case '--set-xmark':
      return ((mark & ~mask) ^ bits) >>> 0;
    default:
      return ((mark & ~mask) | bits) >>> 0;
  }
}
