import { randomUUID } from 'node:crypto';
import type { Clock, Random } from '../../clock.ts';
import type { KindDefinition, RawObject, StrategyContext } from './kind.ts';
import type { Bucket, HistoryLimits } from './store.ts';
import { Store, storeKey } from './store.ts';

export interface RegistryOptions {
  kinds: readonly KindDefinition[];
  clock: Clock;
  random: Random;
  history?: HistoryLimits;
}

/** One served group, version and kind, with the bucket that holds its objects. */
export class ServedKind {
  readonly definition: KindDefinition;
  readonly bucket: Bucket;
  readonly apiVersion: string;
  /** An object of the kind in which nothing is set, with the fields that are always written. Shared: never mutate it. */
  readonly empty: RawObject;
  readonly #views = new WeakMap<RawObject, RawObject>();

  constructor(definition: KindDefinition, bucket: Bucket) {
    this.definition = definition;
    this.bucket = bucket;
    this.apiVersion = definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
    const { kind: _kind, apiVersion: _apiVersion, ...empty } = definition.decode({}).object;
    this.empty = { ...empty, metadata: {} };
  }

  /** A stored object as this group serves it. Shared: never mutate it. */
  view(stored: RawObject): RawObject {
    const alias = this.definition.aliasOf;
    if (!alias) return stored;
    let view = this.#views.get(stored);
    if (!view) {
      view = alias.fromStorage(stored);
      this.#views.set(stored, view);
    }
    return view;
  }

  toStorage(view: RawObject): RawObject {
    return this.definition.aliasOf ? this.definition.aliasOf.toStorage(view) : view;
  }
}

/** All kinds that are served and the one store under them. */
export class Registry {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly kinds: readonly ServedKind[];
  readonly #byPath = new Map<string, ServedKind>();
  readonly #byKind = new Map<string, ServedKind>();
  readonly #byPlural = new Map<string, ServedKind>();

  constructor(options: RegistryOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.store = new Store(() => this.clock.now(), options.history);
    this.kinds = options.kinds.map((kind) => {
      const served = new ServedKind(kind, this.store.bucket(kind.aliasOf?.plural ?? kind.plural));
      this.#byPath.set(`${kind.group}/${kind.version}/${kind.plural}`, served);
      this.#byKind.set(`${served.apiVersion}/${kind.kind}`, served);
      if (!kind.aliasOf) this.#byPlural.set(kind.plural, served);
      return served;
    });
  }

  find(group: string, version: string, plural: string): ServedKind | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  servesVersion(group: string, version: string): boolean {
    return this.kinds.some(({ definition }) => definition.group === group && definition.version === version);
  }

  findKind(apiVersion: string, kind: string): ServedKind | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  /** The kind that owns the storage of `plural` (never an alias). */
  stored(plural: string): ServedKind | undefined {
    return this.#byPlural.get(plural);
  }

  /** Every kind that owns storage. */
  get storedKinds(): Iterable<ServedKind> {
    return this.#byPlural.values();
  }

  context(): StrategyContext {
    return {
      now: new Date(this.clock.now()),
      lookup: (plural, namespace, name) => this.#byPlural.get(plural)?.bucket.get(storeKey(namespace, name)),
      list: (plural) => this.#byPlural.get(plural)?.bucket.values() ?? [],
      random: this.random,
    };
  }

  newUid(): string {
    return randomUUID();
  }

  /** The present time as metadata carries it: RFC 3339, whole seconds. */
  timestamp(): string {
    return rfc3339(this.clock.now());
  }
}

export function rfc3339(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
