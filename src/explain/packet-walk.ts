import { type Branch, type ChainStep, runChain } from './chain-walk.ts';
import { decodeRule, isLocalAddress, type NodeFacts, type Packet } from './rule-match.ts';
import type { Ruleset } from './ruleset.ts';

/** One thing that may happen to the packet. The probabilities of all outcomes of a walk add up to 1. */
export interface Outcome {
  readonly probability: number;
  readonly verdict: 'ACCEPT' | 'DROP' | 'REJECT';
  /** Where it is delivered, after translation. */
  readonly destination: string;
  readonly destinationPort: number;
  /** A rule translated the destination. */
  readonly translated: boolean;
  /** Its source becomes an address of this node, so that the answer comes back through it. */
  readonly masqueraded: boolean;
  /** Every rule that matched, in order. */
  readonly steps: readonly ChainStep[];
  /** Rules that could not be decided from the packet alone, and were passed over. */
  readonly undecided: readonly ChainStep[];
}

/**
 * Walks the first packet of a connection through nat and filter as the kernel would: PREROUTING or OUTPUT, routing, then INPUT
 * or FORWARD, then POSTROUTING. Every random choice is followed both ways. `ruleset` is what `iptables-save` shows, with the
 * built-in chains. @throws RangeError when a rule jumps to a chain that does not exist, or chains call each other in a circle.
 */
export function walkPacket(ruleset: Ruleset, packet: Packet, facts: NodeFacts): Outcome[] {
  const fromHost = packet.inInterface === undefined;
  const start: Branch = { packet, mark: 0, translated: false, weight: 1, steps: [], undecided: [] };
  const outcomes: Outcome[] = [];
  const enter = (table: string, chain: string, branch: Branch) => runChain(ruleset, table, chain, branch, facts);

  for (const routed of enter('nat', fromHost ? 'OUTPUT' : 'PREROUTING', start)) {
    const { end: first, ...branch } = routed;
    if (first?.verdict === 'DROP') {
      outcomes.push(outcome(branch, 'DROP', false));
      continue;
    }
    const local = isLocalAddress(branch.packet.destination, facts);
    for (const filtered of enter('filter', fromHost ? 'OUTPUT' : local ? 'INPUT' : 'FORWARD', branch)) {
      const { end, ...passed } = filtered;
      const verdict = end?.verdict ?? policyOf(ruleset, fromHost, local);
      if (verdict === 'DROP' || verdict === 'REJECT') outcomes.push(outcome(passed, verdict, false));
      else if (local) outcomes.push(outcome(passed, 'ACCEPT', false));
      else {
        for (const { end: last, ...sent } of enter('nat', 'POSTROUTING', passed)) {
          outcomes.push(outcome(sent, 'ACCEPT', last?.verdict === 'MASQUERADE' || last?.verdict === 'SNAT'));
        }
      }
    }
  }
  return outcomes;
}

/** `ip:port` -> probability, of the outcomes that are delivered; those refused are under their verdict. */
export function distribution(outcomes: readonly Outcome[]): Map<string, number> {
  const shares = new Map<string, number>();
  for (const { verdict, destination, destinationPort, probability } of outcomes) {
    const host = destination.includes(':') ? `[${destination}]` : destination;
    const key = verdict === 'ACCEPT' ? `${host}:${destinationPort}` : verdict;
    shares.set(key, (shares.get(key) ?? 0) + probability);
  }
  return shares;
}

/** Rules whose jump leads nowhere. A kernel never holds one; a restore input with one is refused. */
export function danglingJumps(ruleset: Ruleset): ChainStep[] {
  const dangling: ChainStep[] = [];
  for (const [table, chains] of ruleset) {
    for (const chain of chains.values()) {
      for (const rule of chain.rules) {
        const target = decodeRule(rule).target?.name;
        if (target?.startsWith('KUBE-') && !chains.has(target)) dangling.push({ table, chain: chain.name, rule });
      }
    }
  }
  return dangling;
}

function outcome(branch: Branch, verdict: Outcome['verdict'], masqueraded: boolean): Outcome {
  return {
    probability: branch.weight,
    verdict,
    destination: branch.packet.destination,
    destinationPort: branch.packet.destinationPort,
    translated: branch.translated,
    masqueraded,
    steps: branch.steps,
    undecided: branch.undecided,
  };
}

function policyOf(ruleset: Ruleset, fromHost: boolean, local: boolean): string {
  return ruleset.get('filter')?.get(fromHost ? 'OUTPUT' : local ? 'INPUT' : 'FORWARD')?.policy ?? 'ACCEPT';
}
