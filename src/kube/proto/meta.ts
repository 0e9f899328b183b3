import type { ObjectMeta, OwnerReference } from '../../objects/meta.ts';
import { ProjectionError } from '../errors.ts';
import { intern } from '../projections/intern.ts';
import type { MetaParts } from '../projections/meta.ts';
import { append, type ProtoReader } from './reader.ts';
import { SharedParts } from './shared-parts.ts';

/**
 * Field numbers are those of `generated.proto` in k8s.io/apimachinery. Kubernetes writes every field that is not a pointer, also when it is
 * empty, so an empty string or a zero means "absent" wherever the JSON form would leave it out.
 */

/** meta/v1 ObjectMeta, with the same parts as `projectMeta` keeps of the JSON form. @throws ProjectionError without a name. */
export function readMeta(reader: ProtoReader, end: number, kind: string, parts: MetaParts = {}): ObjectMeta {
  const found: FoundMeta = { name: '', namespace: '', uid: '', resourceVersion: '', generation: 0, labels: '' };
  let rest: Partial<ObjectMeta> | undefined;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        found.name = reader.string();
        break;
      case 3:
        found.namespace = reader.shared();
        break;
      case 5:
        found.uid = reader.string();
        break;
      case 6:
        found.resourceVersion = reader.string();
        break;
      case 7:
        found.generation = reader.int();
        break;
      case 8:
        found.creationTimestamp = readTime(reader, reader.message());
        break;
      case 9: {
        const time = readTime(reader, reader.message());
        if (time !== undefined) rest = { ...rest, deletionTimestamp: time };
        break;
      }
      case 11:
        found.labels += reader.stretch(11, end);
        break;
      case 12:
        if (parts.annotations || parts.whole) {
          rest ??= {};
          readAnnotation(reader, rest, parts);
        } else reader.skip();
        break;
      case 13:
        if (parts.owners || parts.whole) {
          rest ??= {};
          rest.ownerReferences = append(rest.ownerReferences, readOwner(reader, reader.message()));
        } else reader.skip();
        break;
      case 17:
        // `managedFields`, which are the server's.
        reader.skip();
        break;
      default:
        if (parts.whole) rest = readRare(reader, field, rest);
        else reader.skip();
    }
  }
  if (found.name === '') throw new ProjectionError(`${kind} without metadata.name`);
  return rest ? Object.assign(assemble(found), rest) : assemble(found);
}

/** What nearly every object has; empty for absent. */
interface FoundMeta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  creationTimestamp?: string | undefined;
  /** Encoded. */
  labels: string;
}

const LABELS = new SharedParts((reader) => {
  const labels: Record<string, string> = {};
  const { end } = reader;
  while (reader.next(end) !== 0) readEntry(reader, reader.message(), labels);
  return labels;
});

/** The usual fields in one literal make one piece of memory; those added to it later make a second one for each object. */
function assemble(found: FoundMeta): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp } = found;
  const labels = found.labels === '' ? undefined : LABELS.get(found.labels);
  if (namespace !== '' && uid !== '' && resourceVersion !== '' && creationTimestamp !== undefined && labels) {
    return generation === 0
      ? { name, namespace, uid, resourceVersion, creationTimestamp, labels }
      : { name, namespace, uid, resourceVersion, generation, creationTimestamp, labels };
  }
  return {
    name,
    ...(namespace !== '' && { namespace }),
    ...(uid !== '' && { uid }),
    ...(resourceVersion !== '' && { resourceVersion }),
    ...(generation !== 0 && { generation }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(labels && { labels }),
  };
}

/** What only copies that are written back have to keep. */
function readRare(
  reader: ProtoReader,
  field: number,
  rest: Partial<ObjectMeta> | undefined,
): Partial<ObjectMeta> | undefined {
  switch (field) {
    case 2:
    case 4: {
      const text = reader.string();
      return text === '' ? rest : { ...rest, [field === 2 ? 'generateName' : 'selfLink']: text };
    }
    case 10:
      return { ...rest, deletionGracePeriodSeconds: reader.int() };
    case 14:
      return { ...rest, finalizers: append(rest?.finalizers, reader.string()) };
    default:
      reader.unknown();
      return rest;
  }
}

function readAnnotation(reader: ProtoReader, meta: Partial<ObjectMeta>, { whole }: MetaParts): void {
  const annotations = meta.annotations ?? {};
  readEntry(reader, reader.message(), annotations, false);
  // kubectl's copy of the whole manifest; nothing here reads it.
  if (!whole) delete annotations['kubectl.kubernetes.io/last-applied-configuration'];
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
        reader.unknown();
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
