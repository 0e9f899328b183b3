import type { KubeObject } from '../objects/meta.ts';

/**
 * Receives every change of a watched kind, in order, one call at a time. Calls are synchronous and must be quick:
 * put a key on a queue and return. An exception is logged and does not stop the reflector.
 */
export interface ResourceHandler<T extends KubeObject> {
  /** `initial` is true while the first list of this reflector is being delivered. */
  onAdd(object: T, initial: boolean): void;
  onUpdate(before: T, after: T): void;
  /**
   * `last` is the final state from a DELETED event, or, when `stateUnknown`, the last state the cache knew because the
   * deletion itself was missed and only noticed by a relist.
   */
  onDelete(last: T, stateUnknown: boolean): void;
}

/** Read side of a reflector's cache. Objects are shared: never mutate them. */
export interface Lister<T extends KubeObject> {
  /** `key` is `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): T | undefined;
  list(): Iterable<T>;
  /** Objects for which the named index function yielded `value`. @throws RangeError on an unknown index name. */
  byIndex(index: string, value: string): Iterable<T>;
  readonly size: number;
}

/** Index name -> function that yields the values under which an object is found. */
export type Indexers<T extends KubeObject> = Record<string, (object: T) => Iterable<string>>;
