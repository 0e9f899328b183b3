import { type Clock, realClock, sleep } from '../clock.ts';
import type { Logger } from '../observe/logger.ts';
import type { KubeClient } from './client.ts';
import { isApiError } from './errors.ts';
import { type Correlation, EventCorrelator } from './events/correlator.ts';
import type { EventFormat } from './events/formats.ts';
import { CORE_EVENTS } from './events/formats.ts';
import type { Occurrence, Reporter } from './events/occurrence.ts';
import { messageOf } from './values.ts';

export { CORE_EVENTS, NEW_EVENTS } from './events/formats.ts';
export type { Occurrence, Reporter } from './events/occurrence.ts';

/** Tells people, through Event objects, what happened to an object. Calls return at once and never throw. */
export interface EventRecorder {
  record(occurrence: Occurrence): void;
  /** Takes no more, and resolves once what was taken is written or was given up. */
  stop(): Promise<void>;
}

export interface EventRecorderOptions {
  client: KubeClient;
  reporter: Reporter;
  /** @default CORE_EVENTS */
  format?: EventFormat;
  logger: Logger;
  clock?: Clock;
}

/** What waits to be written beyond this is dropped; events are best effort (as client-go's). */
const MAX_QUEUED = 1000;
/** A server that is away or busy is tried so often, with this pause. */
const ATTEMPTS = 5;
const PAUSE_MS = 5_000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new QueuedRecorder(options);
}

class QueuedRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #format: EventFormat;
  readonly #clock: Clock;
  readonly #correlator = new EventCorrelator();
  readonly #stopping = new AbortController();
  #queue: { occurrence: Occurrence; at: number }[] = [];
  #working: Promise<void> | undefined;
  #dropped = 0;
  #lastStamp = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#format = options.format ?? CORE_EVENTS;
    this.#clock = options.clock ?? realClock;
  }

  record(occurrence: Occurrence): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#queue.length >= MAX_QUEUED) {
      this.#dropped++;
      return;
    }
    this.#queue.push({ occurrence, at: this.#clock.now() });
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const written = await this.#write(next.occurrence, next.at);
      // On the way out one failure is enough: nobody waits for a server that is away.
      if (!written && this.#stopping.signal.aborted) this.#queue = [];
      if (this.#dropped === 0) continue;
      this.#options.logger.warn(
        { dropped: this.#dropped },
        'events were dropped: they came faster than they could be written',
      );
      this.#dropped = 0;
    }
  }

  /** Never rejects: an event that cannot be written is logged, and false. */
  async #write(occurrence: Occurrence, at: number): Promise<boolean> {
    const correlation = this.#correlator.correlate(occurrence, at);
    const { reason, message, regarding } = occurrence;
    if (correlation.kind === 'drop') {
      this.#options.logger.debug({ reason, message, regarding }, 'event is not written: too many about this object');
      return true;
    }
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#send(occurrence, correlation, at);
        return true;
      } catch (error) {
        if (attempt < ATTEMPTS && isPassing(error) && !this.#stopping.signal.aborted) {
          await sleep(this.#clock, PAUSE_MS, this.#stopping.signal);
          continue;
        }
        this.#options.logger.warn(
          { reason, message, regarding, error: messageOf(error) },
          'event could not be written',
        );
        return false;
      }
    }
  }

  async #send(occurrence: Occurrence, correlation: Exclude<Correlation, { kind: 'drop' }>, now: number): Promise<void> {
    const namespace = occurrence.regarding.namespace || 'default';
    if (correlation.kind === 'repeat') {
      const path = this.#format.path(namespace, correlation.name);
      const body = this.#format.repeat(correlation, now);
      try {
        await this.#options.client.request({ method: 'PATCH', path, patchType: 'strategic', body });
        return;
      } catch (error) {
        // Events expire after an hour; one that is gone is written anew, with its count.
        if (!isApiError(error, 'NOT_FOUND')) throw error;
      }
    }
    const { key, message, count, first } = correlation;
    const { reporter } = this.#options;
    const name = this.#uniqueName(occurrence.regarding.name ?? 'unknown', now);
    const body = this.#format.create({ name, namespace, occurrence, reporter, message, count, first, now });
    await this.#options.client.request({ method: 'POST', path: this.#format.path(namespace), body });
    this.#correlator.written(key, name);
  }

  /** The object's name and a time stamp in hexadecimal nanoseconds, as other components name theirs. */
  #uniqueName(objectName: string, now: number): string {
    const stamp = Math.max(this.#lastStamp + 1, now * 1000);
    this.#lastStamp = stamp;
    const suffix = (BigInt(stamp) * 1000n).toString(16);
    // A name may have 253 characters (DNS subdomain).
    return `${objectName.slice(0, 252 - suffix.length)}.${suffix}`;
  }
}

function isPassing(error: unknown): boolean {
  return (
    isApiError(error, 'UNREACHABLE') ||
    isApiError(error, 'TIMEOUT') ||
    isApiError(error, 'TOO_MANY_REQUESTS') ||
    isApiError(error, 'SERVER_ERROR')
  );
}
