/** What the generic half of the embedded API server must know about one kind. The kinds themselves stand in `kinds/`. */

/** A decoded API object; nothing about its shape is certain until validation has passed. */
export type RawObject = Record<string, unknown> & { metadata: RawMeta };

export interface RawMeta extends Record<string, unknown> {
  name?: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
}

/** One entry of `Status.details.causes`. `reason` is a CauseType of meta/v1: `FieldValueInvalid`, `FieldValueRequired`, ... */
export interface Cause {
  reason: string;
  /** Without the path, as upstream prints it: `Invalid value: 0: must be between 1 and 65535, inclusive`. */
  message: string;
  /** JSON path as upstream prints it: `spec.ports[0].port`. */
  field: string;
}

/** What decoding a request body into one kind gave. */
export interface Decoded {
  /** A fresh object of the kind's shape: unknown fields gone, and zero values left out where the real server leaves them out. */
  object: RawObject;
  /** JSON paths of fields the kind does not have (`spec.ports[0].foo`): errors or warnings by `fieldValidation`. */
  unknownFields: string[];
  /** Why the body cannot be this kind at all, in the real server's words (400 BadRequest). `object` is then not usable. */
  error?: string;
}

/** Turns parsed JSON into a kind's shape. */
export interface Decoder {
  (body: Record<string, unknown>): Decoded;
  /** What @kubernetes/client-node calls the kind's type (`V1Service`). */
  readonly className: string;
}

export interface TableColumn {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean' | 'number';
  format?: string;
  description: string;
  /** 0 shows always; 1 only with `-o wide`. */
  priority: 0 | 1;
}

/** What a strategy may look at besides the object itself. */
export interface StrategyContext {
  now: Date;
  /** Reads another stored object; undefined when absent. Never mutate the result. */
  lookup(plural: string, namespace: string | undefined, name: string): RawObject | undefined;
  /** All stored objects of a kind. Never mutate them. */
  list(plural: string): Iterable<RawObject>;
  random(): number;
}

/**
 * The per-kind rules, in the order in which the server calls them.
 * Create: metadata filled in -> `setDefaults` -> ownership noted -> `prepareForCreate` -> `validate` -> `allocate` -> store.
 * Update: `setDefaults` -> `prepareForUpdate` -> `validateUpdate` -> `allocate` -> store.
 * All but the validators mutate the object that they are given; none may mutate `before`.
 */
export interface Strategy {
  /** Drops what clients may not set on create (`status`), sets `metadata.generation` where the kind counts one. */
  prepareForCreate(object: RawObject, context: StrategyContext): void;
  setDefaults(object: RawObject, context: StrategyContext): void;
  validate(object: RawObject, context: StrategyContext): Cause[];
  /** Keeps `status` from `before` (or, for the status subresource, everything but status), bumps `metadata.generation`. */
  prepareForUpdate(
    object: RawObject,
    before: RawObject,
    subresource: string | undefined,
    context: StrategyContext,
  ): void;
  validateUpdate(
    object: RawObject,
    before: RawObject,
    subresource: string | undefined,
    context: StrategyContext,
  ): Cause[];
  /**
   * Fills in what the server hands out (ClusterIPs, node ports), or returns causes when a requested value cannot be had.
   * Allocation state is derived from the stored objects, so there is nothing to release.
   */
  allocate?(object: RawObject, before: RawObject | undefined, context: StrategyContext): Cause[];
  /** What a client should know about an object it has just written, sent as `Warning` headers. */
  warnings?(object: RawObject): string[];
  /** Seconds that a delete without `gracePeriodSeconds` waits; 0 or absent deletes at once. */
  defaultGraceSeconds?(object: RawObject, context: StrategyContext): number;
  /** Whether an object at this moment can be deleted at once although the caller asked for grace (an unscheduled Pod). */
  skipsGrace?(object: RawObject): boolean;
  columns: TableColumn[];
  /** Cells in the order of `columns`. */
  row(object: RawObject, now: Date): (string | number | boolean | null)[];
  /** Field selectors beyond `metadata.name` and `metadata.namespace`: label -> value at this object. */
  selectableFields?: Record<string, (object: RawObject) => string>;
  /**
   * Strategic merge patch: path of a list (with `[]` for "any element": `spec.template.spec.containers[].ports`) -> its merge
   * key, or `''` for a list of primitives that is merged as a set (`metadata.finalizers`). Lists not named are replaced.
   */
  mergeKeys: Record<string, string>;
  /**
   * Server-side apply, where it differs from `mergeKeys`: path of a list of maps -> its keys (`spec.ports` -> `['port',
   * 'protocol']`), `['']` for a list of primitives owned as a set, `[]` for a list or map that is atomic (owned as a whole).
   */
  applyKeys?: Record<string, string[]>;
}

export interface KindDefinition {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  subresources: ('status' | 'scale' | 'finalizers' | 'binding')[];
  strategy: Strategy;
  /**
   * Comes before every other step of a create, update or patch result. All strategies may rely on the types of known fields
   * after it.
   */
  decode: Decoder;
  /** Sent as a `Warning` header with every use of the kind (`v1 Endpoints is deprecated ...`). */
  deprecation?: string;
  /**
   * The form of `metadata.name`, which the server checks together with the rest of the metadata (labels, annotations, owner
   * references, finalizers; `kinds/validation/metadata.ts` has the checks): strategies validate what stands outside
   * `metadata`. `subdomain` (RFC 1123) when absent; `label` (Namespace, Service), `segment` (a path segment: the RBAC kinds),
   * `any` (core Event).
   */
  nameForm?: 'subdomain' | 'label' | 'segment' | 'any';
  /** A PUT to an absent name creates the object (Service, Endpoints, Event, Lease, the RBAC kinds). */
  createOnUpdate?: boolean;
  /** A PUT must name the resourceVersion that it replaces (Lease). */
  needsResourceVersion?: boolean;
  /** An immediate delete answers with the deleted object, not with a `Status` (Pod, Service, ServiceAccount). */
  returnsDeleted?: boolean;
  /** The same stored objects served under another group (Event: core and events.k8s.io); converts from and to storage. */
  aliasOf?: { plural: string; group: string; fromStorage(o: RawObject): RawObject; toStorage(o: RawObject): RawObject };
}
