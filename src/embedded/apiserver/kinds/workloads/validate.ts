import { equalJson } from '../../json.ts';
import type { Cause } from '../../kind.ts';
import { validateGates, validatePodSpec } from '../pod/validate-spec.ts';
import { eachInvalid, forbidden, immutableDetail, invalid, notSupported, required } from '../validation/causes.ts';
import { validateLabels } from '../validation/metadata.ts';
import { qualifiedName } from '../validation/names.ts';
import { isEmptySelector, selectorMatches, validateSelector } from '../validation/selectors.ts';
import type { Workload, WorkloadSpec, WorkloadStatus } from './types.ts';

export const notNegative = 'must be greater than or equal to 0';

/** What Deployments and ReplicaSets have in common: selector and template. `kind` as the messages spell it. */
export function validateTemplateAndSelector({ selector, template }: WorkloadSpec, kind: string): Cause[] {
  const causes: Cause[] = [];
  const field = 'spec.selector';
  const syntax = validateSelector(selector, field);
  if (selector === null) causes.push(required(field));
  else {
    causes.push(...syntax);
    if (isEmptySelector(selector)) causes.push(invalid(field, selector, `empty selector is invalid for ${kind}`));
  }
  if (syntax.length > 0) return [...causes, invalid(field, selector, 'invalid label selector')];
  return [...causes, ...validateTemplate(selector, template)];
}

function validateTemplate(selector: WorkloadSpec['selector'], { metadata, spec }: WorkloadSpec['template']): Cause[] {
  const { labels, annotations = {} } = metadata;
  const causes: Cause[] = [];
  const isEmpty = selector !== null && isEmptySelector(selector);
  if (!isEmpty && !(selector && selectorMatches(selector, labels ?? {}))) {
    const why = '`selector` does not match template `labels`';
    causes.push(invalid('spec.template.metadata.labels', labels, why));
  }
  causes.push(...validateLabels(labels, 'spec.template.labels'));
  for (const key of Object.keys(annotations)) {
    causes.push(...eachInvalid('spec.template.annotations', key, qualifiedName(key.toLowerCase())));
  }
  for (const cause of [...validatePodSpec(spec), ...validateGates(spec)]) {
    causes.push({ ...cause, field: `spec.template.${cause.field}` });
  }
  if (spec.ephemeralContainers?.length) {
    const why = 'ephemeral containers not allowed in pod template';
    causes.push(forbidden('spec.template.spec.ephemeralContainers', why));
  }
  if (spec.restartPolicy !== 'Always') {
    causes.push(notSupported('spec.template.spec.restartPolicy', spec.restartPolicy, ['Always']));
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    const why = 'activeDeadlineSeconds in ReplicaSet is not Supported';
    causes.push(forbidden('spec.template.spec.activeDeadlineSeconds', why));
  }
  return causes;
}

export function validateNotNegative(values: Record<string, number | undefined>, prefix: string): Cause[] {
  return Object.entries(values).flatMap(([name, value = 0]) =>
    value < 0 ? [invalid(`${prefix}.${name}`, value, notNegative)] : [],
  );
}

export function validateSameSelector(object: Workload, before: Workload): Cause[] {
  const { selector } = object.spec;
  return equalJson(selector, before.spec.selector) ? [] : [invalid('spec.selector', selector, immutableDetail)];
}

/** No part of the replicas can be more than all of them. */
export function validateCounts(status: WorkloadStatus, parts: readonly (keyof WorkloadStatus)[]): Cause[] {
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const causes = parts.flatMap((part) => {
    const value = Number(status[part] ?? 0);
    return value > replicas ? [invalid(`status.${part}`, value, 'cannot be greater than status.replicas')] : [];
  });
  if (availableReplicas > readyReplicas) {
    causes.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'));
  }
  return causes;
}
