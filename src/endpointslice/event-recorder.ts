import { LRUCache } from 'lru-cache';
import PQueue from 'p-queue';
import type { Clock } from '../clock.ts';
import { isApiError } from '../kube/errors.ts';
import type { ResourceClient } from '../kube/typed.ts';
import type { KubeObject } from '../objects/meta.ts';
import type { Service } from '../objects/service.ts';
import type { Logger } from '../observe/logger.ts';
import { TokenBucket } from '../workqueue/rate-limit.ts';
import type { PlannedEvent } from './plan.ts';
import type { ServiceEvents } from './recorder.ts';

/** core/v1 Event, as far as it is written here. Times are RFC 3339. */
export interface CoreEvent extends KubeObject {
  involvedObject: Record<string, string>;
  reason: string;
  message: string;
  type: string;
  source: { component: string };
  reportingComponent: string;
  reportingInstance: string;
  firstTimestamp: string;
  lastTimestamp: string;
  count: number;
}

export interface EventRecorderOptions {
  events: Pick<ResourceClient<CoreEvent>, 'create' | 'patch'>;
  /** Who speaks: upstream's controller is `endpoint-slice-controller`. */
  component: string;
  clock: Clock;
  logger: Logger;
}

/** Events waiting to be sent beyond this number are dropped: they must never hold up or outgrow the work itself. */
const MAX_WAITING = 1000;
/** As client-go limits them: for each object 25 at once, then one in five minutes. */
const BURST = 25;
const PER_SECOND = 1 / 300;

/** Sends events one after the other. An event that says the same as one before only counts that one up. */
export class EventRecorder implements ServiceEvents {
  #options: EventRecorderOptions;
  #queue = new PQueue({ concurrency: 1 });
  #sent = new LRUCache<string, CoreEvent>({ max: 4096 });
  #limits = new LRUCache<string, TokenBucket>({ max: 4096 });
  #serial = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(service: Service, event: PlannedEvent): void {
    const { logger, component } = this.#options;
    const { namespace = 'default', name, uid = '' } = service.metadata;
    const { reason, message, type } = event;
    logger.debug({ service: `${namespace}/${name}`, reason, message, component }, 'event');
    if (!this.#mayTell(uid)) return;
    if (this.#queue.size >= MAX_WAITING) return;
    void this.#queue
      .add(() => this.#send(service, event))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        logger.warn({ service: `${namespace}/${name}`, reason, type, err: why }, 'event could not be sent');
      });
  }

  /** Resolves when everything recorded so far is sent or has failed. */
  async drained(): Promise<void> {
    await this.#queue.onIdle();
  }

  #mayTell(uid: string): boolean {
    let limit = this.#limits.get(uid);
    if (limit === undefined) {
      limit = new TokenBucket(this.#options.clock, PER_SECOND, BURST);
      this.#limits.set(uid, limit);
    }
    return limit.tryTake();
  }

  async #send(service: Service, { type, reason, message }: PlannedEvent): Promise<void> {
    const { events, clock } = this.#options;
    const key = [service.metadata.uid, type, reason, message].join('\n');
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
    const before = this.#sent.get(key);
    if (before !== undefined) {
      const again = { count: before.count + 1, lastTimestamp: now };
      try {
        const { namespace, name } = before.metadata;
        this.#sent.set(key, await events.patch(namespace, name, again, 'strategic'));
        return;
      } catch (error) {
        // Events live for an hour; then it is told anew.
        if (!isApiError(error, 'NOT_FOUND')) throw error;
      }
    }
    this.#sent.set(key, await events.create(this.#newEvent(service, { type, reason, message }, now)));
  }

  #newEvent({ metadata }: Service, { type, reason, message }: PlannedEvent, now: string): CoreEvent {
    const { component, clock } = this.#options;
    const { namespace = 'default', name, uid = '', resourceVersion } = metadata;
    const unique = BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(this.#serial++);
    return {
      metadata: { namespace, name: `${name}.${unique.toString(16)}` },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Service',
        namespace,
        name,
        uid,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type,
      reason,
      // Validation of events allows 1024 bytes.
      message: message.length > 1000 ? `${message.slice(0, 1000)}...` : message,
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
  }
}
