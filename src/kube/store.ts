import { type KubeObject, objectKey } from '../objects/meta.ts';
import type { Indexers, Lister, ResourceHandler } from './handler.ts';

/** Told about an exception that a handler threw; the store goes on. */
export type HandlerErrorSink = (error: unknown, key: string) => void;

/** One set of objects with its indexes. */
class Generation<T extends KubeObject> {
  readonly objects = new Map<string, T>();
  readonly #indexers: Indexers<T>;
  /** Index name -> value -> key -> object. */
  readonly #indexes = new Map<string, Map<string, Map<string, T>>>();

  constructor(indexers: Indexers<T>) {
    this.#indexers = indexers;
    for (const name of Object.keys(indexers)) this.#indexes.set(name, new Map());
  }

  set(key: string, object: T): void {
    // An index function that throws must leave everything as it was, so all are asked before anything moves.
    const values = [...this.#indexes].map(([name, index]) => ({ index, found: this.#valuesOf(name, object) }));
    this.delete(key);
    this.objects.set(key, object);
    for (const { index, found } of values) {
      for (const value of found) {
        const members = index.get(value);
        if (members) members.set(key, object);
        else index.set(value, new Map([[key, object]]));
      }
    }
  }

  delete(key: string): T | undefined {
    const before = this.objects.get(key);
    if (!before) return undefined;
    this.#unindex(key, before);
    this.objects.delete(key);
    return before;
  }

  byIndex(name: string, value: string): Iterable<T> {
    const index = this.#indexes.get(name);
    if (!index) throw new RangeError(`no index "${name}" (known: ${[...this.#indexes.keys()].join(', ') || 'none'})`);
    return index.get(value)?.values() ?? [];
  }

  #valuesOf(name: string, object: T): Iterable<string> {
    return this.#indexers[name]?.(object) ?? [];
  }

  #unindex(key: string, object: T): void {
    for (const [name, index] of this.#indexes) {
      for (const value of this.#valuesOf(name, object)) {
        const members = index.get(value);
        members?.delete(key);
        if (members?.size === 0) index.delete(value);
      }
    }
  }
}

/** The next full state of a store, filled aside while readers still see the current one. */
export interface Draft<T extends KubeObject> {
  set(object: T): void;
  remove(object: T): void;
  readonly size: number;
}

class GenerationDraft<T extends KubeObject> implements Draft<T> {
  readonly generation: Generation<T>;
  readonly #current: Generation<T>;

  constructor(indexers: Indexers<T>, current: Generation<T>) {
    this.generation = new Generation(indexers);
    this.#current = current;
  }

  set(object: T): void {
    const key = objectKey(object.metadata);
    const cached = this.#current.objects.get(key);
    // The same version need not be held twice, and stays the same object for whoever compares by identity.
    this.generation.set(key, cached && sameVersion(cached, object) ? cached : object);
  }

  remove(object: T): void {
    this.generation.delete(objectKey(object.metadata));
  }

  get size(): number {
    return this.generation.objects.size;
  }
}

/**
 * All objects of one kind, by key and by index, and those who want to hear of changes. Handlers hear of a change after readers can see
 * it. Everything is synchronous; one writer (a reflector, or a test in its place).
 */
export class Store<T extends KubeObject> implements Lister<T> {
  #indexers: Indexers<T>;
  #current: Generation<T>;
  #handlers = new Set<ResourceHandler<T>>();
  #onHandlerError: HandlerErrorSink;

  constructor(indexers: Indexers<T> = {}, onHandlerError: HandlerErrorSink = rethrowLater) {
    this.#indexers = indexers;
    this.#current = new Generation(indexers);
    this.#onHandlerError = onHandlerError;
  }

  get size(): number {
    return this.#current.objects.size;
  }

  get(key: string): T | undefined {
    return this.#current.objects.get(key);
  }

  list(): Iterable<T> {
    return this.#current.objects.values();
  }

  byIndex(index: string, value: string): Iterable<T> {
    return this.#current.byIndex(index, value);
  }

  /** Replays the present objects to `handler` as initial adds, then every change. Returns what detaches it again. */
  addHandler(handler: ResourceHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const [key, object] of this.#current.objects) this.#call(handler, key, () => handler.onAdd(object, true));
    return () => {
      this.#handlers.delete(handler);
    };
  }

  /** An object that was created or changed. The version that is cached already is no news. */
  apply(object: T): 'added' | 'updated' | 'unchanged' {
    const key = objectKey(object.metadata);
    const before = this.#current.objects.get(key);
    if (before && sameVersion(before, object)) return 'unchanged';
    this.#current.set(key, object);
    this.#tell(this.#handlers, key, before, object, false);
    return before ? 'updated' : 'added';
  }

  /** An object that was deleted, in its final state. False when it was not cached. */
  remove(object: T): boolean {
    const key = objectKey(object.metadata);
    const before = this.#current.delete(key);
    if (!before) return false;
    for (const handler of this.#handlers) this.#call(handler, key, () => handler.onDelete(object, false));
    return true;
  }

  draft(): Draft<T> {
    return new GenerationDraft(this.#indexers, this.#current);
  }

  /**
   * Makes a draft the current state, at once and completely, and then tells the difference to those handlers that are attached now, one
   * object a step; the caller decides how many steps to take in one go, and must take them all before the next write. Objects that
   * are gone are told first, with the last state known.
   */
  *replace(draft: Draft<T>, initial: boolean): Generator<void, void, void> {
    if (!(draft instanceof GenerationDraft)) throw new TypeError('a draft of another store');
    const before = this.#current;
    const after: Generation<T> = draft.generation;
    this.#current = after;
    const handlers = new Set(this.#handlers);
    for (const [key, object] of before.objects) {
      if (after.objects.has(key)) continue;
      for (const handler of handlers) this.#call(handler, key, () => handler.onDelete(object, true));
      yield;
    }
    for (const [key, object] of after.objects) {
      const old = before.objects.get(key);
      if (old === object) continue;
      this.#tell(handlers, key, old, object, initial);
      yield;
    }
  }

  /** A recreated object is not the same one: whoever tracks by uid must hear that the old one is gone. */
  #tell(handlers: Iterable<ResourceHandler<T>>, key: string, before: T | undefined, after: T, initial: boolean): void {
    const replaced = before !== undefined && isReplaced(before, after);
    for (const handler of handlers) {
      if (replaced) this.#call(handler, key, () => handler.onDelete(before, true));
      if (before && !replaced) this.#call(handler, key, () => handler.onUpdate(before, after));
      else this.#call(handler, key, () => handler.onAdd(after, initial));
    }
  }

  #call(handler: ResourceHandler<T>, key: string, tell: () => void): void {
    // Detached by an earlier call of the same round.
    if (!this.#handlers.has(handler)) return;
    try {
      tell();
    } catch (error) {
      this.#onHandlerError(error, key);
    }
  }
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  return (
    a.metadata.resourceVersion !== undefined &&
    a.metadata.resourceVersion === b.metadata.resourceVersion &&
    a.metadata.uid === b.metadata.uid
  );
}

function isReplaced(before: KubeObject, after: KubeObject): boolean {
  const { uid } = before.metadata;
  return uid !== undefined && after.metadata.uid !== undefined && uid !== after.metadata.uid;
}

/** Without a sink an exception must still not pass unseen: it surfaces as an uncaught one, after the store is consistent. */
function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
