import { type Clock, realClock } from '../../clock.ts';
import { type ApiError, isApiError } from '../../kube/errors.ts';
import type { ResourceHandler } from '../../kube/handler.ts';
import { messageOf } from '../../kube/values.ts';
import { type KubeObject, objectKey } from '../../objects/meta.ts';
import type { Logger } from '../../observe/logger.ts';
import { DelayingQueue, type WorkQueue } from '../../workqueue/queue.ts';
import { RetryLimiter } from '../../workqueue/rate-limit.ts';
import { Runner } from '../../workqueue/runner.ts';

export interface ControlLoopOptions {
  name: string;
  logger: Logger;
  clock?: Clock;
  /** Keys worked on at the same time. */
  concurrency: number;
  /** Brings the object of this key to where it should be; a rejection is logged and tried again. */
  work(key: string): Promise<void>;
}

/** Retries sooner than upstream's controllers do: here a failure is most often a moment's conflict in a young cluster. */
const RETRY_LIMITS = { baseMs: 50, maxMs: 10_000, perSecond: 100, burst: 500 };

/** A queue of keys and the worker that takes them off: what every controller of this folder is made of. */
export class ControlLoop {
  readonly queue: WorkQueue;
  readonly #runner: Runner;

  constructor(options: ControlLoopOptions) {
    const { name, logger, clock = realClock, concurrency, work } = options;
    this.queue = new DelayingQueue({ clock, limiter: new RetryLimiter(clock, RETRY_LIMITS) });
    this.#runner = new Runner({
      queue: this.queue,
      concurrency,
      work,
      retryAfterMs: (error) => (isApiError(error) ? (error satisfies ApiError).retryAfterMs : undefined),
      onFailure: ({ key, error, retryInMs }) => {
        logger.warn({ loop: name, key, error: messageOf(error), retryInMs }, 'will be tried again');
      },
    });
  }

  add(key: string, delayMs = 0): void {
    this.queue.add(key, { delayMs });
  }

  start(): void {
    this.#runner.start();
  }

  /** Resolves once no work is under way. */
  stop(): Promise<void> {
    return this.#runner.stop();
  }
}

/** A handler that does the same with every object that changes, before and after included. */
export function onEveryChange<T extends KubeObject>(tell: (object: T) => void): ResourceHandler<T> {
  return {
    onAdd: (object) => tell(object),
    onUpdate: (_, after) => tell(after),
    onDelete: (last) => tell(last),
  };
}

export function keyOf(object: KubeObject): string {
  return objectKey(object.metadata);
}

/** Key of the controlling owner of this kind, in the object's own namespace. */
export function ownerKey(object: KubeObject, kind: string): string | undefined {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller && reference.kind === kind);
  return owner && objectKey({ ...object.metadata, name: owner.name });
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A merge patch that turns one status into another: what is gone must be named to go (RFC 7386). */
export function statusPatch(before: object | undefined, after: object): { status: Record<string, unknown> } {
  const gone = Object.keys(before ?? {}).filter((key) => Reflect.get(after, key) === undefined);
  return { status: { ...Object.fromEntries(gone.map((key) => [key, null])), ...after } };
}
