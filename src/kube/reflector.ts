import { type Clock, type Random, realClock, sleep } from '../clock.ts';
import type { KubeObject } from '../objects/meta.ts';
import type { Logger } from '../observe/logger.ts';
import type { KubeClient } from './client.ts';
import { ApiError } from './errors.ts';
import { missingGrant } from './forbidden.ts';
import type { Indexers, Lister, ResourceHandler } from './handler.ts';
import { readListPage } from './list-page.ts';
import { UnknownFieldError } from './proto/reader.ts';
import { ReflectedStore } from './reflected-store.ts';
import { eventInput, toFailure } from './reflector-inputs.ts';
import type { ReflectorObserver } from './reflector-observer.ts';
import {
  type Command,
  type Input,
  initialState,
  type Phase,
  type ReflectorState,
  step,
  type Transition,
} from './reflector-state.ts';
import { type Resource, resourcePath } from './resource.ts';
import { errorFromStatus } from './status.ts';
import { messageOf } from './values.ts';
import type { WatchEvent } from './watch-lines.ts';
import { WatchStream } from './watch-stream.ts';

export interface ReflectorOptions<T extends KubeObject> {
  client: KubeClient;
  resource: Resource<T>;
  /** All namespaces when absent. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  indexers?: Indexers<T>;
  logger: Logger;
  clock?: Clock;
  random?: Random;
  observer?: ReflectorObserver;
  /**
   * A server that does not know the kind (404) counts as one without such objects: `synced` resolves, and it is asked again from time to
   * time. @default false
   */
  absentIsEmpty?: boolean;
  /** False lists page by page from the start. @default true */
  watchList?: boolean;
}

export interface ReflectorStatus {
  phase: Phase['name'];
  synced: boolean;
  objects: number;
  resourceVersion: string | undefined;
  /** Troubles in a row. */
  failures: number;
  /** Milliseconds since anything arrived on the watch, bookmarks included; undefined before the first. */
  lastEventAgeMs: number | undefined;
  lastError: string | undefined;
}

/**
 * Keeps a cache of one kind equal to the API server's state, and tells handlers of every change. Carries out what the state machine in
 * reflector-state.ts decides; whatever fails, it goes on until `stop()`.
 */
export class Reflector<T extends KubeObject> {
  readonly store: Lister<T>;
  /** Resolves once the first full state is in the store and was told to all handlers; rejects when stopped before. */
  readonly synced: Promise<void>;

  readonly #options: ReflectorOptions<T>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #reflected: ReflectedStore<T>;
  readonly #path: string;
  readonly #stopping = new AbortController();
  readonly #resolveSynced: () => void;
  readonly #rejectSynced: (reason: Error) => void;

  #state: ReflectorState;
  #stream: WatchStream | undefined;
  /** Asked for, for as long as nothing would be lost. */
  #protobuf: boolean;
  #lastEventAt: number | undefined;
  #lastError: string | undefined;
  #lastLogged: string | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? Math.random;
    this.#log = options.logger.child({ kind: options.resource.kind });
    const { resource, indexers, observer } = options;
    this.#reflected = new ReflectedStore({ resource, indexers, observer, clock: this.#clock, logger: this.#log });
    this.store = this.#reflected.store;
    this.#path = resourcePath(options.resource, { namespace: options.namespace });
    this.#protobuf = options.resource.decode !== undefined;
    this.#state = initialState({ watchList: options.watchList ?? true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
    this.#rejectSynced = reject;
    // Whoever does not wait for it must not have the process die of it.
    promise.catch(() => {});
  }

  /** Replays what is cached as initial adds, then tells every change. Returns what detaches the handler. */
  addHandler(handler: ResourceHandler<T>): () => void {
    return this.#reflected.store.addHandler(handler);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves once nothing runs any more and no handler will be called. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#rejectSynced(new DOMException(`the ${this.#options.resource.kind} reflector was stopped`, 'AbortError'));
    await this.#running;
  }

  status(): ReflectorStatus {
    const { phase, synced, resourceVersion, failures } = this.#state;
    const lastEventAgeMs = this.#lastEventAt === undefined ? undefined : this.#clock.monotonic() - this.#lastEventAt;
    const objects = this.store.size;
    return {
      phase: phase.name,
      synced,
      objects,
      resourceVersion,
      failures,
      lastEventAgeMs,
      lastError: this.#lastError,
    };
  }

  async #run(): Promise<void> {
    let input: Input = { kind: 'start' };
    for (;;) {
      const before = this.#state;
      const transition = step(before, input, { now: this.#clock.monotonic(), random: this.#random() });
      this.#state = transition.state;
      this.#report(before, transition);
      if (transition.store === 'swap') await this.#swap();
      else this.#reflected.apply(transition.store);
      if (transition.command.do === 'end') break;
      input = await this.#perform(transition.command);
    }
    this.#closeStream();
  }

  async #swap(): Promise<void> {
    // From here the server may have nothing to say for as long as it likes.
    this.#stream?.allowSilence();
    if (!(await this.#reflected.swap(this.#stopping.signal))) return;
    this.#lastError = undefined;
    this.#resolveSynced();
  }

  async #perform(command: Exclude<Command, { do: 'end' }>): Promise<Input> {
    try {
      const input = await this.#attempt(command);
      return this.#stopping.signal.aborted ? { kind: 'stop' } : input;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #attempt(command: Exclude<Command, { do: 'end' }>): Promise<Input> {
    if (command.do !== 'read') this.#closeStream();
    switch (command.do) {
      case 'list':
        return this.#list(command);
      case 'watch':
        return this.#watch(command);
      case 'read':
        return this.#read();
      case 'wait':
        return sleep(this.#clock, command.ms, this.#stopping.signal).then(() => ({ kind: 'waited' }));
    }
  }

  async #list(command: Extract<Command, { do: 'list' }>): Promise<Input> {
    const { client, labelSelector, fieldSelector } = this.#options;
    const page = readListPage({
      client,
      path: this.#path,
      query: { labelSelector, fieldSelector, limit: command.limit, continue: command.continueToken },
      signal: this.#stopping.signal,
      clock: this.#clock,
      protobuf: this.#protobuf,
    });
    for (;;) {
      const { value, done } = await page.next();
      if (done) return { kind: 'page', ...value };
      this.#reflected.take(value);
      this.#reflected.apply('stage');
    }
  }

  async #watch(command: Extract<Command, { do: 'watch' }>): Promise<Input> {
    const { client, labelSelector, fieldSelector, observer } = this.#options;
    this.#stream = await WatchStream.open({
      client,
      path: this.#path,
      query: {
        watch: true,
        allowWatchBookmarks: true,
        timeoutSeconds: command.timeoutSeconds,
        resourceVersion: command.resourceVersion,
        labelSelector,
        fieldSelector,
        ...(command.initialEvents && { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }),
      },
      signal: this.#stopping.signal,
      clock: this.#clock,
      protobuf: this.#protobuf,
      deadlineMs: command.deadlineMs,
      silenceMs: command.silenceMs,
    });
    this.#lastError = undefined;
    observer?.watchOpened?.();
    return { kind: 'opened' };
  }

  async #read(): Promise<Input> {
    const stream = this.#stream;
    if (!stream) throw new Error('read without a stream');
    for (;;) {
      const event = await stream.next();
      if (!event) return { kind: 'closed' };
      this.#lastEventAt = this.#clock.monotonic();
      this.#options.observer?.event?.(event.type);
      const input = this.#toInput(event);
      if (input) return input;
    }
  }

  #toInput({ type, object }: WatchEvent): Input | undefined {
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        return eventInput(type, this.#reflected.take(object) ?? object);
      case 'BOOKMARK':
        return eventInput(type, object);
      case 'ERROR':
        throw errorFromStatus(object, `watch ${this.#path}`);
      default:
        this.#log.warn({ type }, 'watch event of an unknown type is passed over');
        return undefined;
    }
  }

  #failed(error: unknown): Input {
    if (this.#stopping.signal.aborted) return { kind: 'stop' };
    if (this.#stream?.timedOut) return { kind: 'silent' };
    if (error instanceof UnknownFieldError) return this.#failed(this.#withoutProtobuf(error));
    const failure = toFailure(error);
    const message = messageOf(error);
    // The same trouble again and again is one line, not a line every 30 seconds.
    const level = message === this.#lastLogged && this.#state.failures > 0 ? 'debug' : 'warn';
    this.#lastError = this.#lastLogged = message;
    this.#log[level](
      {
        code: failure.code,
        phase: this.#state.phase.name,
        retryAfterMs: failure.retryAfterMs,
        grant: missingGrant(error),
      },
      message,
    );
    this.#options.observer?.failed?.(failure.code);
    if (failure.code === 'NOT_FOUND' && this.#options.absentIsEmpty) this.#resolveSynced();
    return { kind: 'failed', failure };
  }

  /** The server is newer than this code. GONE, so that all is listed anew. */
  #withoutProtobuf(cause: UnknownFieldError): ApiError {
    this.#protobuf = false;
    const { kind } = this.#options.resource;
    const message = `${kind} has what its protobuf decoder does not know (${cause.message}): reading JSON from now on`;
    return new ApiError({ code: 'GONE', message, cause });
  }

  #closeStream(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  #report(before: ReflectorState, { state, relist }: Transition): void {
    const { observer } = this.#options;
    if (relist) observer?.relist?.(relist);
    if (before.watchList && !state.watchList) this.#log.info('the server has no watch-list: listing page by page');
    if (before.phase.name !== state.phase.name) observer?.phase?.(state.phase.name);
  }
}
