import { equalJson } from './json.ts';
import type { RawObject } from './kind.ts';
import { keepSystemFields } from './metadata.ts';
import type { Registry, ServedKind } from './registry.ts';
import { conflict, invalid, modifiedMessage, notFound } from './status.ts';
import { storeKey } from './store.ts';
import type { WriteOptions } from './write-options.ts';

/**
 * Replaces a stored object by what `change` makes of it (`change` must not mutate its argument).
 * An update that changes nothing is no write: the resourceVersion stays and no watcher hears of it.
 * @throws StatusError
 */
export function updateObject(
  registry: Registry,
  kind: ServedKind,
  target: { namespace: string | undefined; name: string; subresource: string | undefined },
  change: (before: RawObject) => RawObject,
  options: WriteOptions,
): RawObject {
  const { definition, bucket } = kind;
  const { strategy } = definition;
  const key = storeKey(target.namespace, target.name);
  const stored = bucket.get(key);
  if (!stored) throw notFound(definition, target.name);
  const before = kind.view(stored);
  const object = change(before);
  const { metadata } = object;
  if (metadata.uid && metadata.uid !== before.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${before.metadata.uid}`;
    throw conflict(definition, target.name, why);
  }
  if (metadata.resourceVersion && metadata.resourceVersion !== before.metadata.resourceVersion) {
    throw conflict(definition, target.name, modifiedMessage);
  }
  const context = registry.context();
  keepSystemFields(object, before);
  strategy.setDefaults(object, context);
  strategy.prepareForUpdate(object, before, target.subresource, context);
  let causes = strategy.validateUpdate(object, before, target.subresource, context);
  if (causes.length === 0) causes = strategy.allocate?.(object, before, context) ?? [];
  if (causes.length > 0) throw invalid(definition, target.name, causes);
  metadata.resourceVersion = before.metadata.resourceVersion ?? '';
  if (equalJson(object, before)) return stored;
  const next = kind.toStorage(object);
  if (options.dryRun) return next;
  if (isReleased(next)) {
    bucket.remove(key);
    return next;
  }
  return bucket.put(key, next);
}

/** Whether an object whose deletion was asked for has nothing left to wait for. */
function isReleased({ metadata }: RawObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers?.length ?? 0) === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0
  );
}
