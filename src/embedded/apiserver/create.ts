import type { RawObject } from './kind.ts';
import { validateMetadata } from './kinds/validation/metadata.ts';
import type { Manager } from './managed/managers.ts';
import { writeManagers } from './managed/managers.ts';
import { trackUpdate } from './managed/track.ts';
import { fillSystemFields, generateName, ordered } from './metadata.ts';
import { checkNamespaceAccepts } from './namespaces.ts';
import type { Registry, ServedKind } from './registry.ts';
import { alreadyExists, invalid, StatusError } from './status.ts';
import { storeKey } from './store.ts';
import type { WriteOptions } from './write-options.ts';

/** The real server tries this many generated names (KEP-4420). */
const generateNameAttempts = 8;

/**
 * Creates an object from a decoded body, which is given away. Returns it as stored (or as it would be, with `dryRun`).
 * @param managers who owns its fields, when a server-side apply has found that out already
 * @throws StatusError
 */
export function createObject(
  registry: Registry,
  kind: ServedKind,
  namespace: string | undefined,
  body: RawObject,
  options: WriteOptions,
  managers?: Manager[],
): RawObject {
  const { definition, bucket } = kind;
  const { strategy } = definition;
  const { metadata } = body;
  if (metadata.resourceVersion && metadata.resourceVersion !== '0') {
    throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  checkNamespaceAccepts(registry, kind, namespace, metadata.name ?? '');
  const context = registry.context();
  const generated = !metadata.name && metadata.generateName ? metadata.generateName : undefined;
  fillSystemFields(body, namespace, registry);
  if (generated !== undefined) metadata.name = generateName(generated, registry.random);
  strategy.setDefaults(body, context);
  if (managers) writeManagers(body, managers, [], registry.timestamp());
  else {
    const writer = { manager: options.fieldManager, subresource: undefined, now: registry.timestamp() };
    trackUpdate(kind, body, undefined, writer);
  }
  strategy.prepareForCreate(body, context);
  let causes = [...validateMetadata(body, definition.nameForm), ...strategy.validate(body, context)];
  if (causes.length === 0) causes = strategy.allocate?.(body, undefined, context) ?? [];
  if (causes.length > 0) throw invalid(definition, metadata.name ?? '', causes);
  const key = freeKey(registry, kind, namespace, metadata, generated);
  // The place of the resourceVersion; the store sets the value.
  if (!options.dryRun) metadata.resourceVersion = '0';
  body.metadata = ordered(metadata);
  const stored = kind.toStorage(body);
  return options.dryRun ? stored : bucket.put(key, stored);
}

function freeKey(
  registry: Registry,
  { bucket, definition }: ServedKind,
  namespace: string | undefined,
  metadata: RawObject['metadata'],
  generated: string | undefined,
): string {
  for (let attempt = 1; ; attempt++) {
    const name = metadata.name ?? '';
    const key = storeKey(namespace, name);
    const taken = bucket.get(key);
    if (!taken) return key;
    if (generated === undefined || attempt >= generateNameAttempts) {
      throw alreadyExists(definition, name, taken.metadata.deletionTimestamp !== undefined);
    }
    metadata.name = generateName(generated, registry.random);
  }
}
