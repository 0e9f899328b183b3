import type { Clock } from '../clock.ts';
import { type KubeObject, objectKey } from '../objects/meta.ts';
import type { Logger } from '../observe/logger.ts';
import type { Indexers } from './handler.ts';
import { UnknownFieldError } from './proto/reader.ts';
import type { ReflectorObserver } from './reflector-observer.ts';
import type { StoreAction } from './reflector-state.ts';
import type { Resource } from './resource.ts';
import { type Draft, Store } from './store.ts';
import { turns } from './turns.ts';

export interface ReflectedStoreOptions<T extends KubeObject> {
  resource: Resource<T>;
  indexers: Indexers<T> | undefined;
  observer: ReflectorObserver | undefined;
  clock: Clock;
  logger: Logger;
}

/**
 * What the server sends, on its way into the store: read into the fields that are used, gathered in a draft while all is listed, and told
 * to handlers. What cannot be read costs its object only; what a handler throws costs nothing.
 */
export class ReflectedStore<T extends KubeObject> {
  readonly store: Store<T>;
  readonly #options: ReflectedStoreOptions<T>;
  #draft: Draft<T> | undefined;
  /** The object that the next action is about. */
  #object: T | undefined;
  #everSwapped = false;
  #listStartedAt = 0;

  constructor(options: ReflectedStoreOptions<T>) {
    this.#options = options;
    this.store = new Store(options.indexers, (error, key) => this.#onHandlerError(error, key));
  }

  /**
   * Makes a received object the one at hand: parsed JSON, or the bytes of a protobuf message. Undefined when it cannot be read.
   *
   * @throws UnknownFieldError when only its JSON can be read without loss
   */
  take(raw: unknown): T | undefined {
    const { resource } = this.#options;
    this.#object = undefined;
    try {
      this.#object = Buffer.isBuffer(raw) && resource.decode ? resource.decode(raw) : resource.project(raw);
    } catch (error) {
      if (error instanceof UnknownFieldError) throw error;
      this.#skip(error);
    }
    return this.#object;
  }

  /** Does what a transition asks of the store with the object at hand. What an index function throws costs that object only. */
  apply(action: Exclude<StoreAction, 'swap'>): void {
    const object = this.#object;
    this.#object = undefined;
    if (action === 'begin') {
      this.#draft = this.store.draft();
      this.#listStartedAt = this.#options.clock.monotonic();
    }
    if (!object) return;
    try {
      if (action === 'stage') this.#draft?.set(object);
      if (action === 'unstage') this.#draft?.remove(object);
      if (action === 'apply') this.store.apply(this.#shared(object));
      if (action === 'remove') this.store.remove(object);
    } catch (error) {
      this.#skip(error);
    }
  }

  /**
   * Makes the draft the state, and tells handlers what is different, in turns with whatever else there is to do.
   * Resolves with false when `signal` aborted before all was told.
   */
  async swap(signal: AbortSignal): Promise<boolean> {
    const draft = this.#draft;
    this.#draft = undefined;
    if (!draft) return false;
    const initial = !this.#everSwapped;
    this.#everSwapped = true;
    const { clock, logger, observer } = this.#options;
    const durationMs = clock.monotonic() - this.#listStartedAt;
    let changes = 0;
    for (const _ of this.store.replace(draft, initial)) {
      changes++;
      if (turns.due()) await turns.wait();
      if (signal.aborted) return false;
    }
    observer?.listed?.({ objects: draft.size, durationMs });
    logger.info(
      { objects: draft.size, changes, ms: Math.round(durationMs) },
      initial ? 'cache is filled' : 'cache is listed anew',
    );
    return true;
  }

  #shared(object: T): T {
    const { resource } = this.#options;
    const before = resource.share && this.store.get(objectKey(object.metadata));
    return before && resource.share ? resource.share(before, object) : object;
  }

  #skip(error: unknown): void {
    this.#options.observer?.skipped?.();
    this.#options.logger.error({ err: error }, 'object is skipped');
  }

  #onHandlerError(error: unknown, key: string): void {
    this.#options.observer?.handlerFailed?.();
    this.#options.logger.error({ err: error, key }, 'handler failed');
  }
}
