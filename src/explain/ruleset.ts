import { splitWords } from '../proxy/iptables/words.ts';

/** One rule of a chain. */
export interface Rule {
  /** As it stands after `-A CHAIN `, quotes and all. */
  readonly text: string;
  /** `text` in words, quotes taken off. */
  readonly words: readonly string[];
  /** Packets and bytes it has seen, where they were printed (`iptables-save -c`). */
  readonly counters?: Counters;
}

export interface Counters {
  readonly packets: number;
  readonly bytes: number;
}

export interface Chain {
  readonly name: string;
  /** `ACCEPT` or `DROP` for a built-in chain, `-` for any other. */
  policy: string;
  rules: Rule[];
}

/** Chain name -> chain, in the order in which they were declared. */
export type Table = Map<string, Chain>;

/** Table name -> table: what one `iptables-save` shows. */
export type Ruleset = Map<string, Table>;

/** A line that iptables-restore would refuse. */
export class RulesetError extends Error {
  override readonly name = 'RulesetError';
  /** From 1. */
  readonly line: number;

  constructor(line: number, text: string, why: string) {
    super(`line ${line}: ${why}: ${JSON.stringify(text)}`);
    this.line = line;
  }
}

/** Reads the output of `iptables-save`, or a restore input as if it were loaded into empty tables. @throws RulesetError */
export function parseRuleset(text: string): Ruleset {
  return applyRestore(new Map(), text);
}

/**
 * What a kernel holds after `iptables-restore --noflush` of `text`: a chain line creates a chain or empties it, chains not named
 * stay as they are. As in a kernel, a section takes effect as a whole or not at all, but sections before a bad one do.
 * `ruleset` itself is not changed. @throws RulesetError
 */
export function applyRestore(ruleset: Ruleset, text: string): Ruleset {
  const result: Ruleset = new Map(ruleset);
  let section: { name: string; table: Table } | undefined;
  let number = 0;
  for (const raw of text.split('\n')) {
    number++;
    const line = raw.trim();
    const fail = (why: string): never => {
      throw new RulesetError(number, line, why);
    };
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('*')) {
      if (section) fail('the section before has no COMMIT');
      const name = line.slice(1);
      section = { name, table: copyTable(result.get(name) ?? new Map()) };
    } else if (!section) {
      fail('outside of any table');
    } else if (line === 'COMMIT') {
      result.set(section.name, section.table);
      section = undefined;
    } else {
      applyLine(section.table, line, fail);
    }
  }
  if (section) throw new RulesetError(number, `*${section.name}`, 'no COMMIT');
  return result;
}

/** The inverse of `parseRuleset`, in the layout of `iptables-save`. */
export function printRuleset(ruleset: Ruleset): string {
  const lines: string[] = [];
  for (const [name, table] of ruleset) {
    lines.push(`*${name}`);
    for (const chain of table.values()) lines.push(`:${chain.name} ${chain.policy} [0:0]`);
    for (const chain of table.values()) {
      for (const { text, counters } of chain.rules) {
        const seen = counters ? `[${counters.packets}:${counters.bytes}] ` : '';
        lines.push(`${seen}-A ${chain.name} ${text}`.trimEnd());
      }
    }
    lines.push('COMMIT');
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** The chain that a rule jumps or goes to, or its target; `undefined` for a rule without one. */
export function targetOf(rule: Rule): string | undefined {
  const at = rule.words.findIndex((word) => word === '-j' || word === '-g' || word === '--jump' || word === '--goto');
  return at < 0 ? undefined : rule.words[at + 1];
}

type Fail = (why: string) => never;

function applyLine(table: Table, line: string, fail: Fail): void {
  if (line.startsWith(':')) {
    const [name = '', policy = ''] = line.slice(1).split(/\s+/);
    if (name === '' || policy === '') fail('a chain line needs a name and a policy');
    const known = table.get(name);
    if (known) Object.assign(known, { policy, rules: [] });
    else table.set(name, { name, policy, rules: [] });
    return;
  }
  const [, packets, bytes, verb = '', name = '', text = ''] =
    /^(?:\[(\d+):(\d+)\] )?(-[A-Z]) (\S+)(?: (.*))?$/.exec(line) ?? [];
  if (verb === '') fail('not a chain line, a rule or COMMIT');
  if (verb === '-N') {
    if (table.has(name)) fail('the chain exists already');
    table.set(name, { name, policy: '-', rules: [] });
    return;
  }
  const chain = table.get(name) ?? fail('there is no such chain');
  const counters = packets === undefined ? {} : { counters: { packets: Number(packets), bytes: Number(bytes) } };
  const ruleFrom = (source: string): Rule => ({ text: source, words: wordsOf(source, fail), ...counters });
  switch (verb) {
    case '-A':
      chain.rules.push(ruleFrom(text));
      return;
    case '-I': {
      const [, position = '1', rest = ''] = /^(?:(\d+) )?(.*)$/.exec(text) ?? [];
      chain.rules.splice(Number(position) - 1, 0, ruleFrom(rest));
      return;
    }
    case '-D': {
      const words = wordsOf(text, fail).join('\0');
      const at = /^\d+$/.test(text) ? Number(text) - 1 : chain.rules.findIndex((r) => r.words.join('\0') === words);
      if (chain.rules.splice(at < 0 ? chain.rules.length : at, 1).length === 0) fail('there is no such rule');
      return;
    }
    case '-F':
      chain.rules = [];
      return;
    case '-X':
      if (chain.rules.length > 0) fail('the chain is not empty');
      for (const other of table.values()) {
        if (other.rules.some((rule) => targetOf(rule) === name)) fail(`the chain is used by ${other.name}`);
      }
      table.delete(name);
      return;
    default:
      fail(`${verb} is not known here`);
  }
}

function wordsOf(text: string, fail: Fail): string[] {
  try {
    return splitWords(text);
  } catch (error) {
    return fail(error instanceof SyntaxError ? error.message : String(error));
  }
}

function copyTable(table: Table): Table {
  return new Map([...table].map(([name, chain]) => [name, { ...chain, rules: [...chain.rules] }]));
}
