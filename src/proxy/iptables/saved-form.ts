import type { IPFamily } from '../../objects/meta.ts';
import type { RuleText } from './rules.ts';
import { splitWords } from './words.ts';

/**
 * How iptables-save prints a rule that was written as `rule`: addresses with their prefix length, `-s -d -i -o -p` before the
 * matches, comments quoted, marks as `--set-xmark`, and so on (measured with iptables 1.8.9, both backends). A rule in that
 * form already comes back unchanged, so two texts mean the same rule iff their saved forms are equal. Options that the
 * proxier does not write are kept as they stand.
 */
export function savedForm(rule: RuleText, family: IPFamily): RuleText {
  const parsed = parse(rule);
  const out: string[] = [];
  for (const flag of HEAD_ORDER) {
    const option = parsed.head.get(flag);
    if (!option) continue;
    const value = flag === '-s' || flag === '-d' ? address(option.value, family) : option.value;
    // The whole address space matches everything and is not printed.
    if (!option.negated && (flag === '-s' || flag === '-d') && value.endsWith('/0')) continue;
    if (flag === '-p' && !option.negated && value === 'all') continue;
    out.push(option.negated ? `! ${flag} ${value}` : `${flag} ${value}`);
  }
  for (const match of parsed.matches) out.push(`-m ${match.name}`, ...printOptions(match, family));
  const { target } = parsed;
  if (target) out.push(`${parsed.jump} ${target.name}`, ...printTarget(target, family));
  return out.join(' ');
}

/** Quotes one word for iptables-restore the way iptables-save does. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_-]+$/.test(word) ? word : `"${word.replace(/["\\']/g, '\\$&')}"`;
}

interface Option {
  flag: string;
  negated: boolean;
  values: string[];
}

interface Extension {
  name: string;
  options: Option[];
}

interface Parsed {
  head: Map<string, { negated: boolean; value: string }>;
  matches: Extension[];
  jump: '-j' | '-g';
  target: Extension | undefined;
}

const HEAD_ORDER = ['-s', '-d', '-i', '-o', '-p'] as const;
const HEAD_ALIASES: Record<string, string> = {
  '--source': '-s',
  '--src': '-s',
  '--destination': '-d',
  '--dst': '-d',
  '--in-interface': '-i',
  '--out-interface': '-o',
  '--protocol': '-p',
  '--proto': '-p',
  '--match': '-m',
  '--jump': '-j',
  '--goto': '-g',
};

function parse(rule: RuleText): Parsed {
  const words = splitWords(rule);
  const parsed: Parsed = { head: new Map(), matches: [], jump: '-j', target: undefined };
  let current: Extension | undefined;
  let negated = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const flag = HEAD_ALIASES[word] ?? word;
    if (flag === '!') {
      negated = true;
      continue;
    }
    if ((HEAD_ORDER as readonly string[]).includes(flag)) {
      parsed.head.set(flag, { negated, value: words[++i] ?? '' });
    } else if (flag === '-m') {
      current = { name: words[++i] ?? '', options: [] };
      parsed.matches.push(current);
    } else if (flag === '-j' || flag === '-g') {
      current = { name: words[++i] ?? '', options: [] };
      parsed.jump = flag;
      parsed.target = current;
    } else {
      const option: Option = { flag, negated, values: [] };
      // A comment is one word whatever it looks like; other values never start like an option.
      if (flag === '--comment') option.values.push(words[++i] ?? '');
      else while (isValue(words[i + 1])) option.values.push(words[++i] ?? '');
      current?.options.push(option);
    }
    negated = false;
  }
  return parsed;
}

function isValue(word: string | undefined): boolean {
  return word !== undefined && word !== '!' && !/^-{1,2}[A-Za-z]/.test(word);
}

function address(value: string, family: IPFamily): string {
  if (value.includes('/')) return value;
  return family === 'IPv4' ? `${value}/32` : `${value}/128`;
}

function printOptions(match: Extension, family: IPFamily): string[] {
  const options = match.name === 'recent' ? recentOptions(match.options, family) : match.options;
  return options.map((option) => printOption(option, matchValue(match.name, option)));
}

function printOption(option: Option, value: string): string {
  const text = value === '' ? option.flag : `${option.flag} ${value}`;
  return option.negated ? `! ${text}` : text;
}

function matchValue(match: string, option: Option): string {
  const value = option.values.join(' ');
  if (option.flag === '--comment') return quoteWord(value);
  if (match === 'mark' && option.flag === '--mark') return mark(value);
  if (match === 'statistic' && option.flag === '--probability') return probability(value);
  if (match === 'conntrack' && option.flag === '--ctstate') return sortStates(value);
  return value;
}

/** The kernel keeps a probability as a 31-bit fraction. */
function probability(value: string): string {
  const scale = 2 ** 31;
  return (Math.round(Number(value) * scale) / scale).toFixed(11);
}

const CT_STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'];

function sortStates(value: string): string {
  return value
    .split(',')
    .sort((a, b) => CT_STATES.indexOf(a) - CT_STATES.indexOf(b))
    .join(',');
}

function hex(value: string): string {
  return `0x${Number(value).toString(16)}`;
}

/** `value/mask`; a full mask is not printed. */
function mark(value: string): string {
  const [bits = '', mask] = value.split('/');
  return mask === undefined || Number(mask) === 0xffffffff ? hex(bits) : `${hex(bits)}/${hex(mask)}`;
}

const FULL_MASK = { IPv4: '255.255.255.255', IPv6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' };
const RECENT_VERBS = ['--set', '--rcheck', '--update', '--remove'];

function recentOptions(options: Option[], family: IPFamily): Option[] {
  const plain = (flag: string, ...values: string[]): Option => ({ flag, negated: false, values });
  const verbs = options.filter((o) => RECENT_VERBS.includes(o.flag));
  const name = options.find((o) => o.flag === '--name') ?? plain('--name', 'DEFAULT');
  const mask = options.find((o) => o.flag === '--mask') ?? plain('--mask', FULL_MASK[family]);
  const side = options.find((o) => o.flag === '--rsource' || o.flag === '--rdest') ?? plain('--rsource');
  const moved = new Set([...verbs, name, mask, side]);
  return [...verbs, ...options.filter((o) => !moved.has(o)), name, mask, side];
}

function printTarget(target: Extension, family: IPFamily): string[] {
  if (target.name === 'REJECT' && target.options.length === 0) {
    return [family === 'IPv4' ? '--reject-with icmp-port-unreachable' : '--reject-with icmp6-port-unreachable'];
  }
  return target.options.map((option) => {
    const value = option.values.join(' ');
    if (target.name !== 'MARK') return printOption(option, value);
    const [bits = '', mask] = value.split('/');
    // Each of these is one operation `mark = (mark & ~mask) ^ bits`, which is what the kernel keeps.
    if (option.flag === '--or-mark') return `--set-xmark ${hex(bits)}/${hex(bits)}`;
    if (option.flag === '--xor-mark') return `--set-xmark ${hex(bits)}/0x0`;
    if (option.flag === '--set-xmark') return `--set-xmark ${hex(bits)}/${hex(mask ?? '0xffffffff')}`;
    return printOption(option, value);
  });
}
