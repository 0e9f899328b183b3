import type { ObjectMeta, OwnerReference } from '../../objects/meta.ts';
import { ProjectionError } from '../errors.ts';
import { isRecord, type JsonRecord } from '../values.ts';
import { intern, internMap } from './intern.ts';

/**
 * Readers that cut decoded API objects down to plain data. A field that is absent, null or of another type than the API documents is
 * left out, as if the server had not sent it: one odd object must not cost the others.
 */

/** The `metadata` every object has. @throws ProjectionError when there is no name to know the object by. */
export function rawMeta(raw: unknown, kind: string): JsonRecord & { name: string } {
  const metadata = isRecord(raw) ? raw.metadata : undefined;
  if (!isRecord(metadata) || typeof metadata.name !== 'string' || metadata.name === '') {
    throw new ProjectionError(`${kind} without metadata.name`);
  }
  return metadata as JsonRecord & { name: string };
}

export interface MetaParts {
  annotations?: boolean;
  owners?: boolean;
  /** Everything but `managedFields`. Of what is read from protobuf. */
  whole?: boolean;
}

/** Identity, versions, times and labels; annotations, finalizers and owners only where a kind's readers use them. */
export function projectMeta(raw: unknown, kind: string, parts: MetaParts = {}): ObjectMeta {
  const from = rawMeta(raw, kind);
  const meta: ObjectMeta = { name: from.name };
  if (typeof from.namespace === 'string' && from.namespace !== '') meta.namespace = intern(from.namespace);
  if (typeof from.uid === 'string') meta.uid = from.uid;
  if (typeof from.resourceVersion === 'string') meta.resourceVersion = from.resourceVersion;
  if (typeof from.generation === 'number') meta.generation = from.generation;
  if (typeof from.creationTimestamp === 'string') meta.creationTimestamp = intern(from.creationTimestamp);
  if (typeof from.deletionTimestamp === 'string') meta.deletionTimestamp = from.deletionTimestamp;
  const labels = internMap(from.labels);
  if (labels) meta.labels = labels;
  if (parts.annotations) {
    const annotations = stringMap(from.annotations);
    // kubectl's copy of the whole manifest; nothing here reads it.
    if (annotations) delete annotations['kubectl.kubernetes.io/last-applied-configuration'];
    if (annotations && Object.keys(annotations).length > 0) meta.annotations = annotations;
  }
  if (parts.owners) {
    const owners = list(from.ownerReferences).flatMap(ownerReference);
    if (owners.length > 0) meta.ownerReferences = owners;
  }
  return meta;
}

function ownerReference(raw: unknown): OwnerReference[] {
  if (!isRecord(raw)) return [];
  const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = raw;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return [];
  if (typeof name !== 'string' || typeof uid !== 'string') return [];
  return [
    {
      apiVersion: intern(apiVersion),
      kind: intern(kind),
      name: intern(name),
      uid: intern(uid),
      ...(typeof controller === 'boolean' && { controller }),
      ...(typeof blockOwnerDeletion === 'boolean' && { blockOwnerDeletion }),
    },
  ];
}

export function record(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The string entries of a list; undefined when there is none. */
export function strings(value: unknown): string[] | undefined {
  const found = list(value).filter((item) => typeof item === 'string');
  return found.length > 0 ? found : undefined;
}

/** A map with only its string values; undefined when it is empty. */
export function stringMap(value: unknown): Record<string, string> | undefined {
  if (!isRecord(value)) return undefined;
  const found: Record<string, string> = {};
  let size = 0;
  for (const key in value) {
    const item = value[key];
    if (typeof item !== 'string') continue;
    found[key] = item;
    size++;
  }
  return size > 0 ? found : undefined;
}
