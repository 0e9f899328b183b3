import { equalJson } from '../../json.ts';
import type { Cause, KindDefinition, TableColumn } from '../../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from '../columns.ts';
import { setPodSpecDefaults } from '../pod/defaults.ts';
import { decoderOf } from '../schema/decode.ts';
import { countGeneration, keepSpec, keepStatus, strategyOf } from '../strategy.ts';
import { templateCells, templateColumns } from './columns.ts';
import { asWorkload, type WorkloadSpec, type WorkloadStatus } from './types.ts';
import { validateCounts, validateNotNegative, validateSameSelector, validateTemplateAndSelector } from './validate.ts';
import { workloadWarnings } from './warnings.ts';

const integerColumn = (name: string, description: string): TableColumn => ({
  ...column(name, description),
  type: 'integer',
});

export const replicaSetKind: KindDefinition = {
  group: 'apps',
  version: 'v1',
  plural: 'replicasets',
  singular: 'replicaset',
  kind: 'ReplicaSet',
  namespaced: true,
  shortNames: ['rs'],
  categories: ['all'],
  subresources: ['status', 'scale'],
  decode: decoderOf('V1ReplicaSet'),
  strategy: strategyOf('V1ReplicaSet', {
    prepareForCreate(object) {
      asWorkload(object).status = { replicas: 0 };
      countGeneration(object, undefined);
    },
    setDefaults(object) {
      const { spec } = asWorkload(object);
      spec.replicas ??= 1;
      setPodSpecDefaults(spec.template.spec);
    },
    validate: (object) => validateSpec(asWorkload(object).spec),
    prepareForUpdate(object, before, subresource) {
      if (subresource === 'status') keepSpec(object, before);
      else {
        keepStatus(object, before);
        countGeneration(object, before, !equalJson(object.spec, before.spec));
      }
    },
    validateUpdate(object, before, subresource) {
      const replicaSet = asWorkload(object);
      if (subresource === 'status') return validateStatus(replicaSet.status);
      return [...validateSpec(replicaSet.spec), ...validateSameSelector(replicaSet, asWorkload(before))];
    },
    warnings: (object) => workloadWarnings(asWorkload(object)),
    columns: [
      nameColumn,
      integerColumn('Desired', 'Pods that are wanted.'),
      integerColumn('Current', 'Pods that exist.'),
      integerColumn('Ready', 'Pods that are ready.'),
      ageColumn,
      ...templateColumns,
    ],
    row(object, now) {
      const { spec, status } = asWorkload(object);
      return [
        nameCell(object),
        spec.replicas ?? 0,
        status.replicas ?? 0,
        status.readyReplicas ?? 0,
        ageCell(object, now),
        ...templateCells(spec),
      ];
    },
  }),
};

function validateSpec(spec: WorkloadSpec): Cause[] {
  const { replicas, minReadySeconds } = spec;
  return [
    ...validateNotNegative({ replicas, minReadySeconds }, 'spec'),
    ...validateTemplateAndSelector(spec, 'deployment'),
  ];
}

function validateStatus(status: WorkloadStatus): Cause[] {
  const { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration } = status;
  return [
    ...validateNotNegative(
      { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, observedGeneration },
      'status',
    ),
    ...validateCounts(status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']),
  ];
}
