import type { ObjectMeta, OwnerReference } from '../../objects/meta.ts';
import { ProjectionError } from '../errors.ts';
import { intern } from '../projections/intern.ts';
import type { MetaParts } from '../projections/meta.ts';
import { append, type ProtoReader } from './reader.ts';

/**
 * Field numbers are those of `generated.proto` in k8s.io/apimachinery. Kubernetes writes every field that is not a pointer, also when it is
 * empty, so an empty string or a zero means "absent" wherever the JSON form would leave it out.
 */

/** meta/v1 ObjectMeta, with the same parts as `projectMeta` keeps of the JSON form. @throws ProjectionError without a name. */
export function readMeta(reader: ProtoReader, end: number, kind: string, parts: MetaParts = {}): ObjectMeta {
  const meta: ObjectMeta = { name: '' };
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        meta.name = reader.string();
        break;
      case 3: {
        const namespace = reader.shared();
        if (namespace !== '') meta.namespace = namespace;
        break;
      }
      case 5:
        meta.uid = reader.string();
        break;
      case 6:
        meta.resourceVersion = reader.string();
        break;
      case 7: {
        const generation = reader.int();
        if (generation !== 0) meta.generation = generation;
        break;
      }
      case 8: {
        const time = readTime(reader, reader.message());
        if (time !== undefined) meta.creationTimestamp = time;
        break;
      }
      case 9: {
        const time = readTime(reader, reader.message());
        if (time !== undefined) meta.deletionTimestamp = time;
        break;
      }
      case 11:
        meta.labels ??= {};
        readEntry(reader, reader.message(), meta.labels);
        break;
      case 12:
        if (parts.annotations) readAnnotation(reader, meta);
        else reader.skip();
        break;
      case 13:
        if (parts.owners) meta.ownerReferences = append(meta.ownerReferences, readOwner(reader, reader.message()));
        else reader.skip();
        break;
      default:
        reader.skip();
    }
  }
  if (meta.name === '') throw new ProjectionError(`${kind} without metadata.name`);
  return meta;
}

function readAnnotation(reader: ProtoReader, meta: ObjectMeta): void {
  const annotations = meta.annotations ?? {};
  readEntry(reader, reader.message(), annotations, false);
  // kubectl's copy of the whole manifest; nothing here reads it.
  delete annotations['kubectl.kubernetes.io/last-applied-configuration'];
  if (Object.keys(annotations).length > 0) meta.annotations = annotations;
}

/** One entry of a map<string, string>. `shareValue`: the same values are expected in many objects. */
export function readEntry(reader: ProtoReader, end: number, into: Record<string, string>, shareValue = true): void {
  let key = '';
  let value = '';
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) key = reader.shared();
    else if (field === 2) value = shareValue ? reader.shared() : reader.string();
    else reader.skip();
  }
  into[key] = value;
}

function readOwner(reader: ProtoReader, end: number): OwnerReference {
  const owner: OwnerReference = { apiVersion: '', kind: '', name: '', uid: '' };
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        owner.kind = reader.shared();
        break;
      case 3:
        owner.name = reader.shared();
        break;
      case 4:
        owner.uid = reader.shared();
        break;
      case 5:
        owner.apiVersion = reader.shared();
        break;
      case 6:
        owner.controller = reader.bool();
        break;
      case 7:
        owner.blockOwnerDeletion = reader.bool();
        break;
      default:
        reader.skip();
    }
  }
  return owner;
}

/** meta/v1 Time as RFC 3339 with seconds, as the JSON form prints it; the zero time, an empty message, is undefined. */
export function readTime(reader: ProtoReader, end: number): string | undefined {
  let seconds = 0;
  let any = false;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    any = true;
    if (field === 1) seconds = reader.int();
    else reader.skip();
  }
  return any && Math.abs(seconds) <= MAX_SECONDS ? rfc3339(seconds) : undefined;
}

/** The last second that a Date can hold. */
const MAX_SECONDS = 8.64e12;

/** Pods of one rollout share their times: the last one is often the next one as well. */
let lastSeconds = Number.NaN;
let lastText = '';

function rfc3339(seconds: number): string {
  if (seconds !== lastSeconds) {
    lastText = intern(new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
    lastSeconds = seconds;
  }
  return lastText;
}

/** What a bookmark and the metadata of any object have in common. */
export interface BareMeta {
  resourceVersion: string | undefined;
  annotations: Record<string, string>;
}

/** The metadata, field 1, of an object of any kind. */
export function readBareMeta(reader: ProtoReader): BareMeta {
  const bare: BareMeta = { resourceVersion: undefined, annotations: {} };
  const { end } = reader;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field !== 1) {
      reader.skip();
      continue;
    }
    const metaEnd = reader.message();
    for (let inner = reader.next(metaEnd); inner !== 0; inner = reader.next(metaEnd)) {
      if (inner === 6) bare.resourceVersion = reader.string();
      else if (inner === 12) readEntry(reader, reader.message(), bare.annotations);
      else reader.skip();
    }
  }
  return bare;
}

export interface ListMeta {
  resourceVersion: string | undefined;
  continueToken: string | undefined;
}

export function readListMeta(reader: ProtoReader, end: number): ListMeta {
  const meta: ListMeta = { resourceVersion: undefined, continueToken: undefined };
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 2) meta.resourceVersion = reader.string() || undefined;
    else if (field === 3) meta.continueToken = reader.string() || undefined;
    else reader.skip();
  }
  return meta;
}
