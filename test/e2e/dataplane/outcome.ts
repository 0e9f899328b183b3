import type { Tally } from './agent-protocol.ts';
import { placeAt } from './places.ts';

/**
 * What came of sending packets somewhere. An object: who answered (a Pod, or a node for what runs in its own network), and for
 * each which place it saw asking: the asker itself, or the node that masqueraded.
 * - `refused`: told so at once, by a TCP reset or an ICMP "port unreachable"
 * - `dropped`: silence
 * - `untouched`: no rule of the node did anything, so that the wire answered in place of the next router
 */
export type Outcome = Readonly<Record<string, string>> | 'refused' | 'dropped' | 'untouched';

const WORDS: Readonly<Record<string, Exclude<Outcome, object>>> = {
  ECONNREFUSED: 'refused',
  SILENCE: 'dropped',
};

/** One outcome of many questions; a mixed one is an object that names every part, so that it equals no expectation. */
export function outcomeOf(tally: Tally): Outcome {
  const words = new Set<string>();
  const seen = new Map<string, Set<string>>();
  for (const { reply } of tally) {
    if ('code' in reply) words.add(WORDS[reply.code] ?? reply.code);
    else if (reply.by === 'wire') words.add('untouched');
    else seen.set(reply.by, (seen.get(reply.by) ?? new Set()).add(placeAt(reply.source)));
  }
  const [word] = words;
  if (seen.size === 0 && words.size === 1 && word !== undefined) return word as Outcome;
  const parts = [...seen].map(([by, sources]) => [by, [...sources].sort().join(' or ')]);
  if (words.size > 0) parts.push(['failures', [...words].sort().join(' or ')]);
  return Object.fromEntries(parts.sort());
}

/** The chance to miss one of the expected endpoints, taken at random each time, is to be less than this. */
const MISS = 1e-10;

/** How many questions it takes to see every endpoint that should answer. */
export function attempts(expected: Outcome): number {
  const endpoints = typeof expected === 'string' ? 1 : Object.keys(expected).length;
  return endpoints < 2 ? 1 : Math.ceil(Math.log(MISS / endpoints) / Math.log(1 - 1 / endpoints));
}
