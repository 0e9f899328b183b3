import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { isApiError } from '../kube/errors.ts';
import { wholeResource } from '../kube/projections.ts';
import type { ResourceClient } from '../kube/typed.ts';
import { messageOf } from '../kube/values.ts';
import type { KubeObject, ObjectReference } from '../objects/meta.ts';
import type { Logger } from '../observe/logger.ts';
import type { ProxyEvent } from './events.ts';

/** events.k8s.io/v1 Event, as far as it is written here. Times are RFC 3339 with microseconds. */
export interface EventObject extends KubeObject {
  eventTime: string;
  type: string;
  reason: string;
  action: string;
  regarding: ObjectReference;
  note: string;
  reportingController: string;
  reportingInstance: string;
  /** Only on an event that was repeated. */
  series?: { count: number; lastObservedTime: string };
}

export const EVENTS = wholeResource<EventObject>({
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
});

export interface ProxyEventRecorderOptions {
  readonly events: Pick<ResourceClient<EventObject>, 'create' | 'patch'>;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whoever looks for kube-proxy's events finds ours. */
const CONTROLLER = 'kube-proxy';
/** Events that wait to be sent beyond this number are dropped: they must never hold up the work, nor outgrow it. */
const MAX_WAITING = 100;
/** Validation at the API server allows 1024 bytes. */
const MAX_NOTE = 1000;

/** Sends events one after the other; one that says the same as an earlier one only counts that one up. */
export class ProxyEventRecorder {
  readonly #options: ProxyEventRecorderOptions;
  readonly #sent = new LRUCache<string, { namespace: string; name: string; count: number }>({ max: 256 });
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #serial = 0;

  constructor(options: ProxyEventRecorderOptions) {
    this.#options = options;
  }

  /** Returns at once; a failure to send is logged. */
  record = (event: ProxyEvent): void => {
    const { logger } = this.#options;
    if (this.#waiting >= MAX_WAITING) {
      logger.warn({ event }, 'event dropped: too many are waiting to be sent');
      return;
    }
    this.#waiting++;
    this.#tail = this.#tail
      .then(() => this.#send(event))
      .catch((error: unknown) => logger.warn({ event, err: messageOf(error) }, 'event could not be sent'))
      .finally(() => {
        this.#waiting--;
      });
  };

  /** Resolves when everything recorded so far is sent or has failed. */
  drained(): Promise<void> {
    return this.#tail;
  }

  async #send(event: ProxyEvent): Promise<void> {
    const { events, clock } = this.#options;
    const now = new Date(clock.now()).toISOString().replace('Z', '000Z');
    const key = JSON.stringify(event);
    const before = this.#sent.get(key);
    if (before) {
      const count = before.count + 1;
      try {
        await events.patch(before.namespace, before.name, { series: { count, lastObservedTime: now } }, 'merge');
        this.#sent.set(key, { ...before, count });
        return;
      } catch (error) {
        // The API server keeps events for an hour; then it is told anew.
        if (!isApiError(error, 'NOT_FOUND')) throw error;
      }
    }
    const object = this.#objectOf(event, now);
    await events.create(object);
    const { namespace = '', name } = object.metadata;
    this.#sent.set(key, { namespace, name, count: 1 });
  }

  #objectOf({ note, ...event }: ProxyEvent, now: string): EventObject {
    const { namespace = 'default', name = '' } = event.regarding;
    const unique = BigInt(Math.floor(this.#options.clock.now())) * 1_000_000n + BigInt(this.#serial++);
    return {
      metadata: { namespace, name: `${name}.${unique.toString(16)}` },
      eventTime: now,
      ...event,
      note: note.length > MAX_NOTE ? `${note.slice(0, MAX_NOTE)}...` : note,
      reportingController: CONTROLLER,
      reportingInstance: `${CONTROLLER}-${this.#options.nodeName}`,
    };
  }
}
