import { type Branch, runChain, type WalkRules } from './chain-walk.ts';
import type { NodeFacts, Packet, RuleOption } from './rule-match.ts';
import { type Ruleset, targetOf } from './ruleset.ts';

export interface Trace {
  /** What ended the walk, joined by `, `: `ip:port` of each possible endpoint, or ACCEPT, DROP, REJECT; empty: nothing did. */
  readonly output: string;
  readonly masquerade: boolean;
}

const FILTER_CHAINS = ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-NODEPORTS', 'KUBE-PROXY-FIREWALL'];
const NEVER = new Set(['--ctstate', '--mark', '--rcheck']);
const EVALUATED = new Set(['-s', '-d', '-p', '--src-type', '--dst-type', '--dport', '--probability']);

/**
 * The simplified walk that kube-proxy's own unit tests make: conntrack state, marks and affinity lists never match, and a
 * translated packet keeps its port for the filter rules. Only for comparing with their expectations; `walkPacket` tells what
 * a kernel does.
 */
export function traceLikeUpstream(ruleset: Ruleset, packet: Packet, facts: NodeFacts): Trace {
  const rules: WalkRules = { override, keepPort: true };
  const start: Branch = { packet, mark: 0, translated: false, weight: 1, steps: [], undecided: [] };
  const nat = runChain(ruleset, 'nat', 'KUBE-SERVICES', start, facts, rules);
  const outputs = nat.flatMap((branch) => (branch.end ? [describe(branch)] : []));
  const destination = nat.find((branch) => branch.end)?.packet.destination ?? packet.destination;
  for (const chain of FILTER_CHAINS) {
    const filtered = runChain(ruleset, 'filter', chain, { ...start, packet: { ...packet, destination } }, facts, rules);
    outputs.push(...filtered.flatMap((branch) => (branch.end ? [branch.end.verdict] : [])));
  }
  return { output: outputs.join(', '), masquerade: nat.some((branch) => branch.mark !== 0) };
}

function override({ flag, negated }: RuleOption): boolean | undefined {
  if (NEVER.has(flag)) return negated;
  return EVALUATED.has(flag) ? undefined : !negated;
}

function describe(branch: Branch & { end?: { verdict: string } }): string {
  const last = branch.steps.at(-1)?.rule;
  if (!last || targetOf(last) !== 'DNAT') return branch.end?.verdict ?? '';
  return last.words[last.words.indexOf('--to-destination') + 1] ?? '';
}
