import type { Random } from '../../clock.ts';
import type { RawMeta, RawObject } from './kind.ts';
import type { Registry } from './registry.ts';

/** No vowels and no look-alikes, so that no word or number appears by chance. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const longestGeneratedBase = 63 - suffixLength;

export function generateName(base: string, random: Random): string {
  let name = base.slice(0, longestGeneratedBase);
  for (let i = 0; i < suffixLength; i++) name += suffixAlphabet[Math.floor(random() * suffixAlphabet.length)];
  return name;
}

/** Sets what only the server may set on a new object, over anything the client sent. */
export function fillSystemFields(object: RawObject, namespace: string | undefined, registry: Registry): void {
  const { metadata } = object;
  if (namespace === undefined) delete metadata.namespace;
  else metadata.namespace = namespace;
  metadata.uid = registry.newUid();
  metadata.creationTimestamp = registry.timestamp();
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.resourceVersion;
  delete metadata.selfLink;
}

const keptFields = [
  'uid',
  'creationTimestamp',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** Carries over from the stored object what no update may change. */
export function keepSystemFields(object: RawObject, before: RawObject): void {
  object.metadata.name = before.metadata.name ?? '';
  if (before.metadata.namespace !== undefined) object.metadata.namespace = before.metadata.namespace;
  for (const field of keptFields) {
    if (before.metadata[field] === undefined) delete object.metadata[field];
    else Object.assign(object.metadata, { [field]: before.metadata[field] });
  }
  delete object.metadata.selfLink;
}

/** The order in which the real server writes the members of `metadata`. */
const order = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/** Metadata with its members in the usual order, so that what people read is where they look for it. */
export function ordered(metadata: RawMeta): RawMeta {
  const result: RawMeta = {};
  for (const field of order) if (metadata[field] !== undefined) result[field] = metadata[field];
  return Object.assign(result, metadata);
}
