import { equalJson } from './json.ts';
import type { Cause, RawObject } from './kind.ts';
import { invalid as invalidValue } from './kinds/validation/causes.ts';
import { validateMetadataUpdate } from './kinds/validation/metadata.ts';
import { type Manager, parseManagers, writeManagers } from './managed/managers.ts';
import { trackUpdate } from './managed/track.ts';
import { keepSystemFields } from './metadata.ts';
import type { Registry, ServedKind } from './registry.ts';
import { conflict, invalid, modifiedMessage, notFound, StatusError } from './status.ts';
import { storeKey } from './store.ts';
import type { WriteOptions } from './write-options.ts';

export interface UpdateTarget {
  namespace: string | undefined;
  name: string;
  subresource: string | undefined;
}

/** What an update wants the object to be. */
export interface Change {
  /** Decoded and fresh: it is given away. */
  object: RawObject;
  /** Who owns its fields, when a server-side apply has found that out already. */
  managers?: Manager[];
  /** A PUT, which replaces the whole object and may be asked to name the revision that it replaces. */
  replaces?: boolean;
}

/**
 * Replaces a stored object by what `change` makes of it. An update that changes nothing is no write: the resourceVersion stays and no
 * watcher hears of it. One that removes the last thing that a deletion waited for removes the object.
 * @param change gets the object as it is and must not mutate it
 * @throws StatusError
 */
export function updateObject(
  registry: Registry,
  kind: ServedKind,
  target: UpdateTarget,
  change: (before: RawObject) => Change,
  options: WriteOptions,
): RawObject {
  const { definition, bucket } = kind;
  const { strategy } = definition;
  const key = storeKey(target.namespace, target.name);
  const stored = bucket.get(key);
  if (!stored) throw notFound(definition, target.name);
  const before = kind.view(stored);
  const { object, managers, replaces = false } = change(before);
  checkPreconditions(kind, target.name, object, before, replaces);
  const causes = immutableCauses(object, before, replaces);
  // A scale is an update of the whole object by its own rules; only ownership tells the two apart.
  const subresource = target.subresource === 'scale' ? undefined : target.subresource;
  const context = registry.context();
  const now = registry.timestamp();
  keepSystemFields(object, before);
  const noteOwners = () => {
    const writer = { manager: options.fieldManager, subresource: target.subresource, now };
    if (managers) writeManagers(object, managers, parseManagers(before.metadata.managedFields) ?? [], now);
    else trackUpdate(kind, object, before, writer);
  };
  strategy.setDefaults(object, context);
  // What the kind itself drops or keeps is nobody's change, but what a status update may not touch has to be put back first.
  if (subresource === undefined) noteOwners();
  strategy.prepareForUpdate(object, before, subresource, context);
  if (subresource !== undefined) noteOwners();
  causes.push(...validateMetadataUpdate(object, before));
  causes.push(...strategy.validateUpdate(object, before, subresource, context));
  if (causes.length === 0) causes.push(...(strategy.allocate?.(object, before, context) ?? []));
  if (causes.length > 0) throw invalid(definition, target.name, causes);
  object.metadata.resourceVersion = before.metadata.resourceVersion ?? '';
  if (equalJson(object, before)) return stored;
  const next = kind.toStorage(object);
  if (options.dryRun) return next;
  if (isReleased(next)) {
    bucket.remove(key);
    return next;
  }
  return bucket.put(key, next);
}

function checkPreconditions(
  kind: ServedKind,
  name: string,
  { metadata }: RawObject,
  before: RawObject,
  replaces: boolean,
): void {
  const { definition } = kind;
  const revision = metadata.resourceVersion ?? '';
  if (revision !== '' && !/^\d+$/.test(revision)) {
    throw new StatusError(500, '', `strconv.ParseUint: parsing ${JSON.stringify(revision)}: invalid syntax`);
  }
  if (revision === '' || revision === '0') {
    if (replaces && definition.needsResourceVersion) {
      const cause = { ...invalidValue('metadata.resourceVersion', 0, 'must be specified for an update') };
      throw invalid({ group: definition.group, kind: definition.plural }, name, [cause]);
    }
  } else if (revision !== before.metadata.resourceVersion) throw conflict(definition, name, modifiedMessage);
  if (!replaces || !metadata.uid || metadata.uid === before.metadata.uid) return;
  const target = { namespace: before.metadata.namespace, name };
  throw conflict(definition, name, uidPreconditionMessage(kind, target, metadata.uid, before.metadata.uid ?? ''));
}

/** What the real server's storage layer says about a PUT with another object's uid. */
export function uidPreconditionMessage(
  { definition }: ServedKind,
  { namespace, name }: { namespace: string | undefined; name: string },
  wanted: string,
  found: string,
): string {
  const key = `/registry/${definition.plural}/${storeKey(namespace, name)}`;
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`;
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
}

/** Metadata that a client may repeat but not change (a PUT's uid is a precondition instead, see above). */
function immutableCauses({ metadata }: RawObject, before: RawObject, replaces: boolean): Cause[] {
  const causes: Cause[] = [];
  const fields = ['deletionTimestamp', 'deletionGracePeriodSeconds', ...(replaces ? [] : ['uid'])];
  for (const field of fields) {
    const value = metadata[field];
    if (value === undefined || value === '' || equalJson(value, before.metadata[field])) continue;
    causes.push(invalidValue(`metadata.${field}`, value, 'field is immutable'));
  }
  return causes;
}

/** Whether an object whose deletion was asked for has nothing left to wait for. */
function isReleased({ metadata }: RawObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    metadata.deletionGracePeriodSeconds === 0 &&
    (metadata.finalizers?.length ?? 0) === 0
  );
}
