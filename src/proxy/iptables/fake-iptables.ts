import type { IPFamily } from '../../objects/meta.ts';
import type { IptablesInfo } from './backend.ts';
import { type AnyTable, type Iptables, IptablesError, type SaveOptions } from './runner.ts';
import { savedForm } from './saved-form.ts';
import { splitWords } from './words.ts';

/** Chain name -> rules in the form iptables-save prints, without `-A CHAIN `. */
type Chains = Map<string, string[]>;

const BUILT_IN: Record<AnyTable, readonly string[]> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
};

/** Targets that are not chains. */
const TARGETS = new Set(['ACCEPT', 'DROP', 'RETURN', 'REJECT', 'MARK', 'MASQUERADE', 'DNAT', 'SNAT', 'LOG', 'QUEUE']);

const MAX_CHAIN_NAME = 28;

export interface FakeIptablesOptions {
  family?: IPFamily;
  info?: IptablesInfo;
  /** Sections with more lines are refused, as iptables-nft has to do in a user namespace. */
  maxSectionLines?: number;
}

/**
 * iptables without a kernel: keeps tables in memory, applies restore text with `--noflush`, prints what iptables-save prints,
 * and refuses what the real programs refuse with the same exit status and kind of message. Rules are kept, not evaluated.
 */
export class FakeIptables implements Iptables {
  readonly family: IPFamily;
  readonly info: IptablesInfo;
  /** Every restore text and command so far, failed ones too; tests read and clear it. */
  readonly calls: string[] = [];
  #tables: Record<AnyTable, Chains>;
  #failures: IptablesError[] = [];
  #lockHeld = false;
  readonly #maxSectionLines: number;

  constructor(options: FakeIptablesOptions = {}) {
    this.family = options.family ?? 'IPv4';
    this.info = options.info ?? { backend: 'nft', version: '1.8.9' };
    this.#maxSectionLines = options.maxSectionLines ?? Number.POSITIVE_INFINITY;
    this.#tables = emptyTables();
  }

  /** The next call fails with this error and changes nothing; several wait in line. */
  failNext(
    error: IptablesError = new IptablesError('iptables-restore', 'made to fail', { exitCode: 1, stderr: '' }),
  ): void {
    this.#failures.push(error);
  }

  /** While held, every command fails as it does after waiting in vain for the xtables lock. */
  holdLock(held: boolean): void {
    this.#lockHeld = held;
  }

  async restore(text: Iterable<string>): Promise<void> {
    const whole = [...text].join('');
    this.calls.push(whole);
    this.#refuse(this.#program('restore'));
    this.#apply(whole);
  }

  async save(onLine: (line: string) => void, { table }: SaveOptions = {}): Promise<void> {
    this.calls.push(table === undefined ? 'save' : `save ${table}`);
    this.#refuse(this.#program('save'));
    for (const line of this.dump(table).split('\n').slice(0, -1)) onLine(line);
  }

  async command(args: readonly string[]): Promise<string> {
    this.calls.push(args.join(' '));
    this.#refuse(this.#program());
    const [verb = '', chain = '', ...rest] = args;
    const at = rest.indexOf('-t');
    const table = (at < 0 ? 'filter' : rest[at + 1]) as AnyTable;
    const spec = at < 0 ? rest : [...rest.slice(0, at), ...rest.slice(at + 2)];
    const chains = this.#tables[table];
    const rules = chains.get(chain);
    const rule = savedForm(spec.map((word) => (/[\s"\\]/.test(word) ? `"${word}"` : word)).join(' '), this.family);
    switch (verb) {
      case '-N':
        if (rules) throw this.#error(undefined, 1, 'Chain already exists.');
        checkName(chain, (message) => this.#error(undefined, 2, message));
        chains.set(chain, []);
        return '';
      case '-S':
        if (!rules) throw this.#error(undefined, 1, NO_CHAIN);
        return [`-N ${chain}`, ...rules.map((r) => `-A ${chain} ${r}`), ''].join('\n');
      case '-C':
        if (!rules?.includes(rule)) throw this.#error(undefined, 1, rules ? BAD_RULE : NO_CHAIN);
        return '';
      case '-F':
        for (const name of chain === '' || chain === '-t' ? [...chains.keys()] : [chain]) {
          if (!chains.has(name)) throw this.#error(undefined, 1, NO_CHAIN);
          chains.set(name, []);
        }
        return '';
      default: {
        const draft = copyChains(chains);
        this.#line(draft, `${verb} ${chain} ${rule}`.trim(), (exitCode, message) =>
          this.#error(undefined, exitCode, message),
        );
        this.#check(draft);
        this.#tables[table] = draft;
        return '';
      }
    }
  }

  /** As `iptables-save` prints it, without the comment lines. Tables that hold nothing of anyone's are left out. */
  dump(only?: AnyTable): string {
    const out: string[] = [];
    for (const table of ['filter', 'mangle', 'nat'] as const) {
      const chains = this.#tables[table];
      if (only !== undefined && table !== only) continue;
      if ([...chains].every(([name, rules]) => BUILT_IN[table].includes(name) && rules.length === 0)) continue;
      const own = [...chains.keys()].filter((name) => !BUILT_IN[table].includes(name)).sort(byteOrder);
      const names = [...BUILT_IN[table], ...own];
      out.push(`*${table}`);
      for (const name of names) out.push(`:${name} ${BUILT_IN[table].includes(name) ? 'ACCEPT' : '-'} [0:0]`);
      for (const name of names) for (const rule of chains.get(name) ?? []) out.push(`-A ${name} ${rule}`.trimEnd());
      out.push('COMMIT');
    }
    return out.map((line) => `${line}\n`).join('');
  }

  /** Replaces everything with what a dump (or hand-written restore text) says; the inverse of `dump`. */
  parse(text: string): void {
    this.#tables = emptyTables();
    this.#apply(text);
  }

  /** Rules of one chain as iptables-save prints them, or undefined when there is no such chain. */
  rules(table: AnyTable, chain: string): readonly string[] | undefined {
    return this.#tables[table].get(chain);
  }

  #program(kind?: 'save' | 'restore'): string {
    const base = this.family === 'IPv4' ? 'iptables' : 'ip6tables';
    return kind === undefined ? base : `${base}-${kind}`;
  }

  #refuse(program: string): void {
    const failure = this.#failures.shift();
    if (failure) throw failure;
    if (this.#lockHeld && !program.endsWith('save')) {
      const stderr = 'Another app is currently holding the xtables lock. Stopped waiting after 5s.';
      throw new IptablesError(program, `${program} ended with status 4: ${stderr}`, { exitCode: 4, stderr });
    }
  }

  #error(line: number | undefined, exitCode: number, message: string): IptablesError {
    const program = this.#program(line === undefined ? undefined : 'restore');
    const stderr =
      line === undefined
        ? message
        : exitCode === 2
          ? `${message}\nError occurred at line: ${line}`
          : `line ${line} failed: ${message}`;
    return new IptablesError(program, `${program} ended with status ${exitCode}: ${stderr}`, { exitCode, stderr });
  }

  #apply(text: string): void {
    let table: AnyTable | undefined;
    let draft: Chains = new Map();
    let start = 0;
    const lines = text.split('\n');
    for (const [index, line] of lines.entries()) {
      const fail = (exitCode: number, message: string) => this.#error(index + 1, exitCode, message);
      if (line === '' || line.startsWith('#')) continue;
      if (line.startsWith('*')) {
        if (!(line.slice(1) in BUILT_IN)) throw fail(2, `unable to initialize table '${line.slice(1)}'`);
        table = line.slice(1) as AnyTable;
        draft = copyChains(this.#tables[table]);
        start = index;
      } else if (table === undefined) {
        throw fail(1, 'no table yet');
      } else if (line === 'COMMIT') {
        if (index - start > this.#maxSectionLines) throw fail(1, 'Message too long.');
        this.#check(draft);
        this.#tables[table] = draft;
        table = undefined;
      } else if (line.startsWith(':')) {
        const name = line.slice(1).split(' ')[0] ?? '';
        checkName(name, (message) => fail(2, message));
        // With --noflush a chain line empties a chain of ours; for a built-in chain it only sets the policy.
        if (!BUILT_IN[table].includes(name)) draft.set(name, []);
      } else {
        this.#line(draft, line, fail);
      }
    }
    if (table !== undefined) throw this.#error(lines.length, 1, 'COMMIT expected');
  }

  /** One `-A`, `-I`, `-D` or `-X` line. */
  #line(chains: Chains, line: string, fail: (exitCode: number, message: string) => IptablesError): void {
    const found = /^(-[AIDX]) (\S+)(?: (\d+)(?= |$))?(?: (.*))?$/.exec(line);
    if (!found) throw fail(2, `unknown option "${line}"`);
    const [, verb, chain = '', index, text = ''] = found;
    const rules = chains.get(chain);
    if (!rules) throw fail(1, NO_CHAIN);
    const rule = savedForm(text, this.family);
    const target = targetOf(rule);
    if (verb !== '-X' && target !== undefined && !TARGETS.has(target) && !chains.has(target)) {
      throw fail(
        2,
        this.info.backend === 'nft' ? `Chain '${target}' does not exist` : `Couldn't load target \`${target}'`,
      );
    }
    if (verb === '-A') rules.push(rule);
    else if (verb === '-I') {
      const position = index === undefined ? 1 : Number(index);
      if (position < 1 || position > rules.length + 1) throw fail(1, 'Index of insertion too big.');
      rules.splice(position - 1, 0, rule);
    } else if (verb === '-D') {
      const position = index === undefined ? rules.indexOf(rule) : Number(index) - 1;
      if (position < 0) throw fail(1, BAD_RULE);
      if (position >= rules.length) throw fail(1, 'Index of deletion too big.');
      rules.splice(position, 1);
    } else {
      if (rules.length > 0) throw fail(this.#busy, `CHAIN_DEL failed (Directory not empty): chain ${chain}`);
      const referenced = [...chains].some(([name, list]) => name !== chain && list.some((r) => targetOf(r) === chain));
      if (referenced) throw fail(this.#busy, `CHAIN_DEL failed (Device or resource busy): chain ${chain}`);
      chains.delete(chain);
    }
  }

  get #busy(): number {
    return this.info.backend === 'nft' ? 4 : 1;
  }

  /** The invariant of a table: every jump has its chain. */
  #check(chains: Chains): void {
    for (const [name, rules] of chains) {
      for (const rule of rules) {
        const target = targetOf(rule);
        if (target !== undefined && !TARGETS.has(target) && !chains.has(target)) {
          throw this.#error(undefined, 1, `chain ${name} jumps to ${target}, which does not exist`);
        }
      }
    }
  }
}

const NO_CHAIN = 'No chain/target/match by that name.';
const BAD_RULE = 'Bad rule (does a matching rule exist in that chain?).';

function emptyTables(): Record<AnyTable, Chains> {
  const empty = (table: AnyTable): Chains => new Map(BUILT_IN[table].map((name) => [name, []]));
  return { filter: empty('filter'), mangle: empty('mangle'), nat: empty('nat') };
}

function copyChains(chains: Chains): Chains {
  return new Map([...chains].map(([name, rules]) => [name, [...rules]]));
}

function checkName(name: string, fail: (message: string) => IptablesError): void {
  if (name.length > MAX_CHAIN_NAME) throw fail(`chain name \`${name}' too long (must be under 29 chars)`);
}

function targetOf(rule: string): string | undefined {
  const words = splitWords(rule);
  const at = words.findLastIndex((word) => word === '-j' || word === '-g');
  return at < 0 ? undefined : words[at + 1];
}

function byteOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
