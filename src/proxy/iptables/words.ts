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
