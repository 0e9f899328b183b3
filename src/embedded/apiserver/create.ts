import type { RawObject } from './kind.ts';
import { fillSystemFields, generateName } from './metadata.ts';
import { checkNamespaceAccepts } from './namespaces.ts';
import type { Registry, ServedKind } from './registry.ts';
import { alreadyExists, badRequest, invalid } from './status.ts';
import { storeKey } from './store.ts';
import type { WriteOptions } from './write-options.ts';

/** The real server retries a generated name that is taken this many times. */
const generateNameAttempts = 8;

/**
 * Creates an object from a decoded body, which is given away. Returns it as stored (or as it would be, with `dryRun`).
 * @throws StatusError
 */
export function createObject(
  registry: Registry,
  kind: ServedKind,
  namespace: string | undefined,
  body: RawObject,
  options: WriteOptions,
): RawObject {
  const { definition, bucket } = kind;
  const { strategy } = definition;
  const context = registry.context();
  const { metadata } = body;
  if (metadata.resourceVersion) {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  checkNamespaceAccepts(registry, kind, namespace, metadata.name ?? '');
  const generated = !metadata.name && metadata.generateName ? metadata.generateName : undefined;
  fillSystemFields(body, namespace, registry);
  if (generated !== undefined) metadata.name = generateName(generated, registry.random);
  strategy.prepareForCreate(body, context);
  strategy.setDefaults(body, context);
  const name = metadata.name ?? '';
  let causes = strategy.validate(body, context);
  if (causes.length === 0) causes = strategy.allocate?.(body, undefined, context) ?? [];
  if (causes.length > 0) throw invalid(definition, name, causes);

  for (let attempt = 1; bucket.get(storeKey(namespace, metadata.name ?? '')); attempt++) {
    if (generated === undefined || attempt >= generateNameAttempts)
      throw alreadyExists(definition, metadata.name ?? '');
    metadata.name = generateName(generated, registry.random);
  }
  const stored = kind.toStorage(body);
  if (options.dryRun) return stored;
  return bucket.put(storeKey(namespace, metadata.name ?? ''), stored);
}
