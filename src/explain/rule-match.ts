import type { Protocol } from '../objects/meta.ts';
import { isLoopback, networkContains, parseAddress, parseNetwork } from '../proxy/addresses.ts';
import type { Rule } from './ruleset.ts';

/** The packet under test: the first of a connection. Addresses are canonical. */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: Protocol;
  readonly destinationPort: number;
  /** The interface on which it came in; absent: this host sends it. */
  readonly inInterface?: string;
}

/** What is known of the node besides its rules. */
export interface NodeFacts {
  /** Addresses of the node's interfaces; loopback needs no mention. */
  readonly localAddresses: ReadonlySet<string>;
  /** Names of the `recent` lists that hold the packet's source address. */
  readonly recentLists?: ReadonlySet<string>;
}

/** A packet on its way through the rules. */
export interface PacketState {
  readonly packet: Packet;
  readonly mark: number;
  /** Its destination has been translated. */
  readonly translated: boolean;
}

export interface RuleOption {
  readonly flag: string;
  readonly negated: boolean;
  readonly value: string;
}

export interface DecodedRule {
  readonly matches: readonly RuleOption[];
  readonly target:
    | { readonly name: string; readonly goto: boolean; readonly options: readonly RuleOption[] }
    | undefined;
}

/** Whether a rule matches: certainly, never, with a probability strictly between, or not to be told from here. */
export type Match = boolean | number | 'unknown';

/** Decides one option; `undefined` leaves it to the usual meaning. */
export type OptionOverride = (option: RuleOption) => boolean | undefined;

const decoded = new WeakMap<Rule, DecodedRule>();

export function decodeRule(rule: Rule): DecodedRule {
  let known = decoded.get(rule);
  if (!known) {
    known = decode(rule.words);
    decoded.set(rule, known);
  }
  return known;
}

/** Of all options of a rule the weakest decides; several probabilities multiply. */
export function matchRule(rule: DecodedRule, state: PacketState, facts: NodeFacts, override?: OptionOverride): Match {
  let chance = 1;
  let unknown = false;
  const value = (flag: string) => rule.matches.find((option) => option.flag === flag)?.value;
  for (const option of rule.matches) {
    const plain = override?.(option) ?? matchOption(option, state, facts, value);
    if (plain === 'unknown') unknown = true;
    else if (typeof plain === 'number') chance *= option.negated ? 1 - plain : plain;
    else if (plain === option.negated) return false;
  }
  if (unknown) return 'unknown';
  return chance === 1 ? true : chance === 0 ? false : chance;
}

/** LOCAL in the sense of `-m addrtype`. */
export function isLocalAddress(ip: string, facts: NodeFacts): boolean {
  return isLoopback(ip) || facts.localAddresses.has(ip);
}

const ALIASES: Record<string, string> = {
  '--source': '-s',
  '--src': '-s',
  '--destination': '-d',
  '--dst': '-d',
  '--in-interface': '-i',
  '--out-interface': '-o',
  '--protocol': '-p',
  '--match': '-m',
  '--jump': '-j',
  '--goto': '-g',
  '--destination-port': '--dport',
};

/** Options that only say how or what to record, and match every packet. */
const PASSIVE = new Set([
  '-m',
  '--comment',
  '--mode',
  '--name',
  '--seconds',
  '--reap',
  '--mask',
  '--rsource',
  '--nfacct-name',
  '--set',
]);

const PROTOCOL_NUMBERS: Record<string, string> = { '6': 'tcp', '17': 'udp', '132': 'sctp', '0': 'all' };

function matchOption(
  { flag, value }: RuleOption,
  { packet, mark, translated }: PacketState,
  facts: NodeFacts,
  other: (flag: string) => string | undefined,
): Match {
  if (PASSIVE.has(flag)) return true;
  switch (flag) {
    case '-s':
      return inNetwork(packet.source, value);
    case '-d':
      return inNetwork(packet.destination, value);
    case '-p': {
      const name = PROTOCOL_NUMBERS[value] ?? value;
      return name === 'all' || name === packet.protocol.toLowerCase();
    }
    case '-i':
      if (packet.inInterface === undefined) return false;
      return value.endsWith('+') ? packet.inInterface.startsWith(value.slice(0, -1)) : packet.inInterface === value;
    case '--dport': {
      const [low, high = low] = value.split(':').map(Number);
      return low !== undefined && high !== undefined && low <= packet.destinationPort && packet.destinationPort <= high;
    }
    case '--src-type':
      return value === 'LOCAL' ? isLocalAddress(packet.source, facts) : 'unknown';
    case '--dst-type':
      return value === 'LOCAL' ? isLocalAddress(packet.destination, facts) : 'unknown';
    case '--ctstate':
      return value.split(',').some((state) => state === 'NEW' || (state === 'DNAT' && translated));
    case '--mark': {
      const [bits = 0, mask = 0xffffffff] = value.split('/').map(Number);
      return (mark & mask) >>> 0 === bits >>> 0;
    }
    case '--probability':
      return Number(value);
    case '--rcheck':
    case '--update':
      return facts.recentLists?.has(other('--name') ?? 'DEFAULT') ?? false;
    default:
      return 'unknown';
  }
}

function inNetwork(ip: string, text: string): Match {
  const address = parseAddress(text);
  if (address) return address.ip === ip;
  const net = parseNetwork(text);
  return net ? networkContains(net, ip) : 'unknown';
}

/** Values never look like an option, except a comment, which may look like anything. */
function decode(words: readonly string[]): DecodedRule {
  const matches: RuleOption[] = [];
  const options: RuleOption[] = [];
  let target: { name: string; goto: boolean } | undefined;
  let negated = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const flag = ALIASES[word] ?? word;
    if (flag === '!') {
      negated = true;
      continue;
    }
    const values: string[] = [];
    const isValue = (next: string | undefined) => next !== undefined && next !== '!' && !/^--?[A-Za-z]/.test(next);
    if (flag === '--comment') values.push(words[++i] ?? '');
    else while (isValue(words[i + 1])) values.push(words[++i] ?? '');
    const value = values.join(' ');
    if (flag === '-j' || flag === '-g') target = { name: value, goto: flag === '-g' };
    else (target ? options : matches).push({ flag, negated, value });
    negated = false;
  }
  return { matches, target: target && { ...target, options } };
}
