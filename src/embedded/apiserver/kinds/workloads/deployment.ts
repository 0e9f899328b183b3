import { cloneJson, equalJson } from '../../json.ts';
import type { Cause, KindDefinition, RawObject } from '../../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from '../columns.ts';
import { setPodSpecDefaults } from '../pod/defaults.ts';
import { decoderOf } from '../schema/decode.ts';
import { countGeneration, keepSpec, keepStatus, strategyOf } from '../strategy.ts';
import { invalid } from '../validation/causes.ts';
import { templateCells, templateColumns } from './columns.ts';
import { setStrategyDefaults, validateStrategy } from './rolling-update.ts';
import { asWorkload, type Workload, type WorkloadSpec, type WorkloadStatus } from './types.ts';
import { validateCounts, validateNotNegative, validateSameSelector, validateTemplateAndSelector } from './validate.ts';
import { workloadWarnings } from './warnings.ts';

export const deploymentKind: KindDefinition = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  singular: 'deployment',
  kind: 'Deployment',
  namespaced: true,
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: ['status', 'scale'],
  decode: decoderOf('V1Deployment'),
  strategy: strategyOf('V1Deployment', {
    prepareForCreate(object) {
      asWorkload(object).status = {};
      countGeneration(object, undefined);
    },
    setDefaults(object) {
      const { spec } = asWorkload(object);
      spec.replicas ??= 1;
      setStrategyDefaults(spec);
      spec.revisionHistoryLimit ??= 10;
      spec.progressDeadlineSeconds ??= 600;
      setPodSpecDefaults(spec.template.spec);
    },
    validate: (object) => validateSpec(asWorkload(object).spec),
    prepareForUpdate(object, before, subresource) {
      if (subresource === 'status') {
        keepSpec(object, before);
        keepLabels(object, before);
        return;
      }
      keepStatus(object, before);
      const isSame =
        equalJson(object.spec, before.spec) &&
        equalJson(object.metadata.annotations ?? {}, before.metadata.annotations ?? {});
      countGeneration(object, before, !isSame);
    },
    validateUpdate(object, before, subresource) {
      const deployment = asWorkload(object);
      const old = asWorkload(before);
      if (subresource === 'status') return validateStatus(deployment.status, old.status);
      return [...validateSpec(deployment.spec), ...validateSameSelector(deployment, old)];
    },
    warnings: (object) => workloadWarnings(asWorkload(object)),
    columns: [
      nameColumn,
      column('Ready', 'Ready Pods of those wanted.'),
      column('Up-to-date', 'Pods that have the present template.'),
      column('Available', 'Pods that have been ready for minReadySeconds.'),
      ageColumn,
      ...templateColumns,
    ],
    row(object, now) {
      const { spec, status } = asWorkload(object);
      return [
        nameCell(object),
        `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
        status.updatedReplicas ?? 0,
        status.availableReplicas ?? 0,
        ageCell(object, now),
        ...templateCells(spec),
      ];
    },
  }),
};

/** The status of a Deployment is the controller's; the labels stay the user's. */
function keepLabels(object: RawObject, before: RawObject): void {
  if (before.metadata.labels) object.metadata.labels = cloneJson(before.metadata.labels);
  else delete object.metadata.labels;
}

function validateSpec(spec: WorkloadSpec): Cause[] {
  const { replicas, minReadySeconds = 0, revisionHistoryLimit, progressDeadlineSeconds = 0 } = spec;
  const causes = [
    ...validateNotNegative({ replicas }, 'spec'),
    ...validateTemplateAndSelector(spec, 'deployment'),
    ...validateStrategy(spec),
    ...validateNotNegative({ minReadySeconds, revisionHistoryLimit, progressDeadlineSeconds }, 'spec'),
  ];
  if (progressDeadlineSeconds <= minReadySeconds) {
    const why = 'must be greater than minReadySeconds';
    causes.push(invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, why));
  }
  return causes;
}

function validateStatus(status: WorkloadStatus, before: Workload['status']): Cause[] {
  const { observedGeneration, replicas, updatedReplicas, readyReplicas, availableReplicas, unavailableReplicas } =
    status;
  const counts = {
    observedGeneration,
    replicas,
    updatedReplicas,
    readyReplicas,
    availableReplicas,
    unavailableReplicas,
  };
  const causes = [
    ...validateNotNegative({ ...counts, collisionCount: status.collisionCount }, 'status'),
    ...validateCounts(status, ['updatedReplicas', 'readyReplicas', 'availableReplicas']),
  ];
  const { collisionCount } = status;
  if (before.collisionCount !== undefined && (collisionCount ?? -1) < before.collisionCount) {
    causes.push(invalid('status.collisionCount', collisionCount, 'cannot be decremented'));
  }
  return causes;
}
