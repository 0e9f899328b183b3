import { isRecord } from './json.ts';
import type { Cause, RawObject } from './kind.ts';
import { invalid as invalidValue, notSupported } from './kinds/validation/causes.ts';
import { checkNamespaceMortal, isNamespaceKind, isNamespaceReleased, terminatingNamespace } from './namespaces.ts';
import type { Registry, ServedKind } from './registry.ts';
import { rfc3339 } from './registry.ts';
import { badRequest, conflict, invalid, notFound } from './status.ts';
import { storeKey } from './store.ts';
import { dryRunCauses } from './write-options.ts';

/** `DeleteOptions` of meta/v1, checked. */
export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  dryRun: boolean;
}

export interface DeleteResult {
  object: RawObject;
  /** False while finalizers or a grace period keep the object. */
  gone: boolean;
}

const policies = ['Foreground', 'Background', 'Orphan'] as const;

/**
 * Reads `DeleteOptions` from the body, or from the query when there is none.
 * @throws StatusError 400 or 422
 */
export function parseDeleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const given = body === undefined ? optionsOfQuery(query) : body;
  if (!isRecord(given)) throw badRequest('the delete options are not an object');
  const { kind = 'DeleteOptions', apiVersion = 'v1' } = given;
  if (kind !== 'DeleteOptions') throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  const { gracePeriodSeconds, preconditions, propagationPolicy, orphanDependents, dryRun } = given;
  const causes: Cause[] = [];
  const policy = policies.find((known) => known === propagationPolicy);
  if (propagationPolicy && !policy) {
    causes.push(notSupported('propagationPolicy', propagationPolicy, [...policies, 'nil']));
  }
  if (propagationPolicy && typeof orphanDependents === 'boolean') {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    causes.push(invalidValue('propagationPolicy', propagationPolicy, why));
  }
  const dryRunValues = Array.isArray(dryRun) ? dryRun.map(String) : [];
  causes.push(...dryRunCauses(dryRunValues));
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', causes);
  const legacy = typeof orphanDependents === 'boolean' ? (orphanDependents ? 'Orphan' : 'Background') : undefined;
  const chosen = policy ?? legacy;
  return {
    ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
    ...(isRecord(preconditions) ? { preconditions: preconditionsOf(preconditions) } : {}),
    ...(chosen ? { propagationPolicy: chosen } : {}),
    dryRun: dryRunValues.length > 0,
  };
}

function optionsOfQuery(query: URLSearchParams): Record<string, unknown> {
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^-?\d+$/.test(grace)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  }
  const orphan = query.get('orphanDependents');
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(orphan === null ? {} : { orphanDependents: orphan !== 'false' }),
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    dryRun: query.getAll('dryRun'),
  };
}

function preconditionsOf({ uid, resourceVersion }: Record<string, unknown>): {
  uid?: string;
  resourceVersion?: string;
} {
  return {
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  };
}

/**
 * Asks for the deletion of an object: removes it, or marks it with `deletionTimestamp` when something must happen first (a grace period,
 * finalizers). A kind with grace periods is marked even when it is removed at once, as the real server does.
 * @throws StatusError
 */
export function deleteObject(
  registry: Registry,
  kind: ServedKind,
  namespace: string | undefined,
  name: string,
  options: DeleteOptions,
): DeleteResult {
  const { definition, bucket } = kind;
  const key = storeKey(namespace, name);
  const stored = bucket.get(key);
  if (!stored) throw notFound(definition, name);
  if (isNamespaceKind(kind)) checkNamespaceMortal(kind, name);
  checkPreconditions(kind, stored, options);
  if (isNamespaceKind(kind)) return deleteNamespace(registry, kind, stored, options);
  const graceful = definition.strategy.defaultGraceSeconds !== undefined;
  const { metadata } = stored;
  const finalizers = finalizersFor(metadata.finalizers ?? [], options.propagationPolicy);
  const held = finalizers.length > 0;
  const deleting = metadata.deletionTimestamp !== undefined;
  const grace = graceSeconds(registry, kind, stored, options);
  if (!graceful && !held) return gone(stored);
  const sameFinalizers = finalizers.join('\0') === (metadata.finalizers ?? []).join('\0');
  const shorter = !deleting || grace < (metadata.deletionGracePeriodSeconds ?? 0);
  if (!shorter && sameFinalizers) return grace === 0 && !held ? gone(stored) : { object: stored, gone: false };
  const marked = markDeleted(registry, stored, finalizers, shorter ? grace : undefined, deleting);
  const object = options.dryRun ? marked : bucket.put(key, marked);
  return (marked.metadata.deletionGracePeriodSeconds ?? 0) === 0 && !held ? gone(object) : { object, gone: false };

  function gone(object: RawObject): DeleteResult {
    return { object: (options.dryRun ? undefined : bucket.remove(key)) ?? object, gone: true };
  }
}

/** A namespace goes when its contents and finalizers are gone, which is the namespace controller's business. */
function deleteNamespace(
  registry: Registry,
  { bucket }: ServedKind,
  stored: RawObject,
  { dryRun }: DeleteOptions,
): DeleteResult {
  const key = storeKey(undefined, stored.metadata.name ?? '');
  const deleting = stored.metadata.deletionTimestamp !== undefined;
  const marked = deleting ? stored : terminatingNamespace(stored, registry.timestamp());
  if (isNamespaceReleased(marked)) return { object: (dryRun ? undefined : bucket.remove(key)) ?? stored, gone: true };
  return { object: deleting || dryRun ? marked : bucket.put(key, marked), gone: false };
}

function checkPreconditions({ definition }: ServedKind, { metadata }: RawObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  // The real server names the kind here where it names the resource everywhere else.
  const named = { ...definition, plural: definition.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(named, metadata.name ?? '', why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(named, metadata.name ?? '', why);
  }
}

/** Orphan and foreground deletion are finalizers, which the garbage collector takes off again. */
function finalizersFor(present: string[], policy: DeleteOptions['propagationPolicy']): string[] {
  if (policy === undefined) return present;
  const own = { Orphan: 'orphan', Foreground: 'foregroundDeletion', Background: undefined }[policy];
  const others = present.filter((finalizer) => finalizer !== 'orphan' && finalizer !== 'foregroundDeletion');
  if (own === undefined) return others;
  return present.includes(own)
    ? present.filter((finalizer) => others.includes(finalizer) || finalizer === own)
    : [...others, own];
}

/** @param grace seconds; undefined leaves the time of deletion as it is */
function markDeleted(
  registry: Registry,
  stored: RawObject,
  finalizers: string[],
  grace: number | undefined,
  deleting: boolean,
): RawObject {
  const metadata = { ...stored.metadata };
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  if (grace !== undefined) {
    metadata.deletionTimestamp = rfc3339(registry.clock.now() + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
  }
  if (!deleting && metadata.generation) metadata.generation++;
  return { ...stored, metadata };
}

function graceSeconds(registry: Registry, kind: ServedKind, object: RawObject, options: DeleteOptions): number {
  const { strategy } = kind.definition;
  const asked = options.gracePeriodSeconds;
  if (!strategy.defaultGraceSeconds || strategy.skipsGrace?.(object)) return 0;
  if (asked !== undefined) return asked < 0 ? 1 : asked;
  const { deletionGracePeriodSeconds } = object.metadata;
  return deletionGracePeriodSeconds ?? strategy.defaultGraceSeconds(object, registry.context());
}
