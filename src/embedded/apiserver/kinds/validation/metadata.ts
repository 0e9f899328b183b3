import type { Cause, KindDefinition, RawMeta, RawObject } from '../../kind.ts';
import { eachInvalid, forbidden, invalid, required, tooLong } from './causes.ts';
import { dns1123Label, dns1123Subdomain, labelValue, pathSegment, qualifiedName } from './names.ts';

const mostAnnotationBytes = 256 * 1024;
const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

type NameForm = NonNullable<KindDefinition['nameForm']>;

const nameForms: Record<NameForm, (name: string) => string[]> = {
  subdomain: dns1123Subdomain,
  label: dns1123Label,
  segment: pathSegment,
  any: () => [],
};

/** What is wrong with the metadata of a new object, once its name is filled in. */
export function validateMetadata({ metadata }: RawObject, nameForm: NameForm = 'subdomain'): Cause[] {
  const nameSyntax = nameForms[nameForm];
  const causes: Cause[] = [];
  const { name, generateName } = metadata;
  if (generateName) {
    // The server appends letters and digits, so a trailing dash does no harm.
    const base = generateName.endsWith('-') ? `${generateName.slice(0, -1)}a` : generateName;
    causes.push(...eachInvalid('metadata.generateName', generateName, nameSyntax(base)));
  }
  if (name) causes.push(...eachInvalid('metadata.name', name, nameSyntax(name)));
  else causes.push(required('metadata.name', 'name or generateName is required'));
  causes.push(
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations),
    ...validateOwners(metadata),
    ...validateFinalizers(metadata.finalizers ?? []),
  );
  return causes;
}

/** What an update may not do to metadata, besides everything that `validateMetadata` checks. */
export function validateMetadataUpdate(object: RawObject, before: RawObject): Cause[] {
  const { metadata } = object;
  const causes: Cause[] = [];
  if (before.metadata.deletionTimestamp !== undefined) {
    const old = new Set(before.metadata.finalizers ?? []);
    const added = (metadata.finalizers ?? []).filter((finalizer) => !old.has(finalizer));
    if (added.length > 0) {
      const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`;
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      causes.push(forbidden('metadata.finalizers', why));
    }
  }
  causes.push(
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations),
    ...validateOwners(metadata),
    ...validateFinalizers(metadata.finalizers ?? []),
  );
  return causes;
}

export function validateLabels(labels: Record<string, string> | undefined, field: string): Cause[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...eachInvalid(field, key, qualifiedName(key)),
    ...eachInvalid(field, value, labelValue(value)),
  ]);
}

function validateAnnotations(annotations: Record<string, string> | undefined, field = 'metadata.annotations'): Cause[] {
  let size = 0;
  const causes: Cause[] = [];
  for (const [key, value] of Object.entries(annotations ?? {})) {
    causes.push(...eachInvalid(field, key, qualifiedName(key.toLowerCase())));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > mostAnnotationBytes) causes.push(tooLong(field, mostAnnotationBytes));
  return causes;
}

function validateOwners({ ownerReferences = [] }: RawMeta): Cause[] {
  const field = 'metadata.ownerReferences';
  const causes: Cause[] = [];
  let controller: string | undefined;
  for (const owner of ownerReferences) {
    const { apiVersion, kind, name, uid } = owner;
    const parts = apiVersion.split('/');
    if (apiVersion === '' || parts.length > 2 || parts.at(-1) === '') {
      causes.push(invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'));
    }
    if (kind === '') causes.push(invalid(`${field}.kind`, kind, 'must not be empty'));
    if (name === '') causes.push(invalid(`${field}.name`, name, 'must not be empty'));
    if (uid === '') causes.push(invalid(`${field}.uid`, uid, 'must not be empty'));
    if (apiVersion === 'v1' && kind === 'Event') {
      causes.push(invalid(field, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (owner.controller !== true) continue;
    const found = `${kind}/${name}`;
    if (controller !== undefined) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${found}`;
      causes.push(invalid(field, ownerReferences, why));
    }
    controller ??= found;
  }
  return causes;
}

function validateFinalizers(finalizers: string[]): Cause[] {
  const field = 'metadata.finalizers';
  const causes = finalizers.flatMap((finalizer) => eachInvalid(field, finalizer, qualifiedName(finalizer)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const why = 'finalizer orphan and foregroundDeletion cannot be both set';
    causes.push(invalid(field, finalizers, why));
  }
  finalizers.forEach((finalizer, i) => {
    if (!standardFinalizers.has(finalizer) && finalizer.split('/').length !== 2) {
      const why = 'name is neither a standard finalizer name nor is it fully qualified';
      causes.push(invalid(`${field}[${i}]`, finalizer, why));
    }
  });
  return causes;
}
