import { LRUCache } from 'lru-cache';
import type { ObjectReference } from '../../objects/meta.ts';
import type { Occurrence } from './occurrence.ts';

/** What is to be written for an occurrence. `count` is how often it was seen, this time included. */
export type Correlation =
  | { kind: 'create'; key: string; message: string; count: number; first: number }
  | { kind: 'repeat'; key: string; message: string; count: number; first: number; name: string }
  | { kind: 'drop'; reason: 'too many about this object' };

interface Seen {
  count: number;
  /** Epoch milliseconds. */
  first: number;
  last: number;
  /** Name of the Event object, once it was written. */
  name: string | undefined;
}

/** The figures of client-go's correlator, so that clusters see as many events from us as from upstream's components. */
const MAX_REMEMBERED = 4096;
/** Within this time like occurrences count as one event. */
const WINDOW_MS = 600_000;
/** More different messages than this for one reason and object are told as one event. */
const MAX_MESSAGES = 10;
/** Events an object may get at once, and after which time it gets one more. */
const BURST = 25;
const REFILL_MS = 300_000;
const COMBINED = '(combined from similar events): ';

/**
 * Decides what becomes a new Event, what raises the count of one, and what is too much. All memory is bounded; what falls out of it costs
 * an extra Event at most.
 */
export class EventCorrelator {
  readonly #seen = new LRUCache<string, Seen>({ max: MAX_REMEMBERED });
  /** Subject and reason -> the different messages seen lately. */
  readonly #messages = new LRUCache<string, { texts: Set<string>; last: number }>({ max: MAX_REMEMBERED });
  readonly #budgets = new LRUCache<string, { left: number; at: number }>({ max: MAX_REMEMBERED });

  /** `now`: epoch milliseconds. */
  correlate(occurrence: Occurrence, now: number): Correlation {
    const { message, combined } = this.#combine(occurrence, now);
    const key = combined ? groupKey(occurrence) : JSON.stringify([groupKey(occurrence), occurrence.message]);
    const seen = this.#observe(key, now);
    if (!this.#spend(referenceKey(occurrence.regarding), now))
      return { kind: 'drop', reason: 'too many about this object' };
    const { count, first, name } = seen;
    return name === undefined
      ? { kind: 'create', key, message, count, first }
      : { kind: 'repeat', key, message, count, first, name };
  }

  /** The Event was written under this name (or, with undefined, is gone). */
  written(key: string, name: string | undefined): void {
    const seen = this.#seen.get(key);
    if (seen) seen.name = name;
  }

  #combine(occurrence: Occurrence, now: number): { message: string; combined: boolean } {
    const group = groupKey(occurrence);
    const known = this.#messages.get(group);
    const recent = known && now - known.last <= WINDOW_MS ? known : { texts: new Set<string>(), last: now };
    recent.last = now;
    const combined = recent.texts.size >= MAX_MESSAGES && !recent.texts.has(occurrence.message);
    if (!combined) recent.texts.add(occurrence.message);
    this.#messages.set(group, recent);
    return { message: combined ? `${COMBINED}${occurrence.message}` : occurrence.message, combined };
  }

  #observe(key: string, now: number): Seen {
    const known = this.#seen.get(key);
    if (known && now - known.last <= WINDOW_MS) {
      known.count++;
      known.last = now;
      return known;
    }
    const seen: Seen = { count: 1, first: now, last: now, name: undefined };
    this.#seen.set(key, seen);
    return seen;
  }

  #spend(subject: string, now: number): boolean {
    const budget = this.#budgets.get(subject) ?? { left: BURST, at: now };
    // The wall clock may have been set back: that is not time that has passed, nor time to wait for.
    const passed = Math.max(0, now - budget.at);
    const left = Math.min(BURST, budget.left + passed / REFILL_MS);
    const enough = left >= 1;
    this.#budgets.set(subject, { left: enough ? left - 1 : left, at: now });
    return enough;
  }
}

function groupKey({ regarding, related, type, reason, action }: Occurrence): string {
  return JSON.stringify([referenceKey(regarding), related ? referenceKey(related) : '', type, reason, action ?? '']);
}

function referenceKey({ apiVersion, kind, namespace, name, uid, fieldPath }: ObjectReference): string {
  return [apiVersion, kind, namespace, name, uid, fieldPath].join('|');
}
