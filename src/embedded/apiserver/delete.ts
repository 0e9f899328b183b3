import type { RawObject } from './kind.ts';
import type { Registry, ServedKind } from './registry.ts';
import { rfc3339 } from './registry.ts';
import { conflict, notFound } from './status.ts';
import { storeKey } from './store.ts';

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

/**
 * Asks for the deletion of an object: removes it, or marks it with `deletionTimestamp` when something must happen first.
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
  const { metadata } = stored;
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`;
    throw conflict(definition, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`;
    throw conflict(definition, name, why);
  }
  const grace = graceSeconds(registry, kind, stored, options);
  const finalizers = metadata.finalizers ?? [];
  if (grace === 0 && finalizers.length === 0) {
    if (!options.dryRun) bucket.remove(key);
    return { object: stored, gone: true };
  }
  if (metadata.deletionTimestamp !== undefined && grace >= (metadata.deletionGracePeriodSeconds ?? 0)) {
    return { object: stored, gone: false };
  }
  const { strategy } = definition;
  void strategy;
  const marked: RawObject = {
    ...stored,
    metadata: {
      ...metadata,
      deletionTimestamp: rfc3339(registry.clock.now() + grace * 1000),
      deletionGracePeriodSeconds: grace,
      ...(metadata.generation ? { generation: metadata.generation + 1 } : {}),
    },
  };
  return { object: options.dryRun ? marked : bucket.put(key, marked), gone: false };
}

function graceSeconds(registry: Registry, kind: ServedKind, object: RawObject, options: DeleteOptions): number {
  const { strategy } = kind.definition;
  if (!strategy.defaultGraceSeconds) return 0;
  if (strategy.skipsGrace?.(object)) return 0;
  return options.gracePeriodSeconds ?? strategy.defaultGraceSeconds(object, registry.context());
}
