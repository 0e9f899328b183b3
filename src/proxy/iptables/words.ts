import type { Protocol } from '../../objects/meta.ts';
import type { RuleText } from './rules.ts';

/** Joins the parts that are not empty by one space. */
export function rule(...parts: readonly string[]): RuleText {
  return parts.filter((part) => part !== '').join(' ');
}

/** A comment match; quoted when it has a space in it, as kube-proxy writes it. Callers vouch that it holds no quote. */
export function comment(text: string): string {
  return text.includes(' ') ? `-m comment --comment "${text}"` : `-m comment --comment ${text}`;
}

/** kube-proxy names the match module before the protocol. */
export function protocolMatch(protocol: Protocol): string {
  const name = protocol.toLowerCase();
  return `-m ${name} -p ${name}`;
}

export function jump(chain: string): string {
  return `-j ${chain}`;
}

/**
 * Splits a line into words as iptables-restore does: at blanks; double quotes group, and inside them a backslash takes the next
 * character as it is. @throws SyntaxError when a quote is left open.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (char === '"') {
      quoted = !quoted;
      word ??= '';
    } else if (quoted && char === '\\') {
      word = (word ?? '') + line.charAt(++i);
    } else if (!quoted && (char === ' ' || char === '\t')) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quoted) throw new SyntaxError(`quote left open in ${JSON.stringify(line)}`);
  if (word !== undefined) words.push(word);
  return words;
}
