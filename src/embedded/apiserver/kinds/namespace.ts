import { cloneJson } from '../json.ts';
import type { KindDefinition, RawObject } from '../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from './columns.ts';
import { decoderOf } from './schema/decode.ts';
import { keepSpec, keepStatus, strategyOf } from './strategy.ts';
import { invalid } from './validation/causes.ts';

interface NamespaceObject extends RawObject {
  spec: { finalizers?: string[] };
  status: { phase?: string };
}

/** Selectors find a namespace by it (KEP-2161); the server keeps it equal to the name. */
const nameLabel = 'kubernetes.io/metadata.name';

export const namespaceKind: KindDefinition = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  singular: 'namespace',
  kind: 'Namespace',
  namespaced: false,
  shortNames: ['ns'],
  categories: [],
  subresources: ['status'],
  nameForm: 'label',
  decode: decoderOf('V1Namespace'),
  strategy: strategyOf('V1Namespace', {
    prepareForCreate(object) {
      const asked = asNamespace(object).spec?.finalizers ?? [];
      object.spec = { finalizers: asked.includes('kubernetes') ? asked : [...asked, 'kubernetes'] };
      object.status = { phase: 'Active' };
    },
    setDefaults({ metadata }) {
      if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
    },
    validate: (object) => validateFinalizers(asNamespace(object)),
    prepareForUpdate(object, before, subresource) {
      keepSpec(object, before);
      if (subresource !== 'status') keepStatus(object, before);
      else if (object.status === undefined) object.status = cloneJson(before.status);
    },
    validateUpdate(object, _before, subresource) {
      if (subresource !== 'status') return [];
      const { metadata, status } = asNamespace(object);
      const isLeaving = metadata.deletionTimestamp !== undefined;
      const wanted = isLeaving ? 'Terminating' : 'Active';
      if (status.phase === wanted) return [];
      const why = `may only be '${wanted}' if \`deletionTimestamp\` is ${isLeaving ? 'not empty' : 'empty'}`;
      return [invalid('status.Phase', status.phase ?? '', why)];
    },
    columns: [nameColumn, column('Status', 'Active or Terminating.'), ageColumn],
    row: (object, now) => [nameCell(object), asNamespace(object).status.phase ?? '', ageCell(object, now)],
    selectableFields: { 'status.phase': (object) => asNamespace(object).status.phase ?? '' },
  }),
};

function asNamespace(object: RawObject): NamespaceObject {
  return object as NamespaceObject;
}

function validateFinalizers({ spec }: NamespaceObject): ReturnType<typeof invalid>[] {
  return (spec.finalizers ?? [])
    .filter((finalizer) => finalizer !== 'kubernetes' && finalizer.split('/').length !== 2)
    .map((finalizer) => {
      const why = 'name is neither a standard finalizer name nor is it fully qualified';
      return invalid('spec.finalizers', finalizer, why);
    });
}
