import { equalJson } from '../../json.ts';
import type { Cause } from '../../kind.ts';
import { eachInvalid, immutableDetail, invalid, required } from '../validation/causes.ts';
import { qualifiedName } from '../validation/names.ts';
import type { CoreEvent } from './types.ts';

const longestName = 128;
const longestMessage = 1024;

/**
 * What both groups check. An event with an `eventTime` is of the new form (KEP-383) and must be complete.
 * @param controllerField what the group calls `reportingComponent`
 */
export function validateEvent(event: CoreEvent, controllerField: string): Cause[] {
  const causes = validateNamespace(event);
  if (event.eventTime === null) return causes;
  const { reportingComponent, reportingInstance, action = '', reason = '', message = '' } = event;
  if (reportingComponent === '') causes.push(required(controllerField));
  causes.push(...eachInvalid(controllerField, reportingComponent, qualifiedName(reportingComponent)));
  for (const [field, value] of Object.entries({ reportingInstance, action, reason })) {
    if (value === '') causes.push(required(field));
    else causes.push(...validateLength(field, value, longestName));
  }
  return [...causes, ...validateLength('message', message, longestMessage)];
}

function validateNamespace({ metadata, involvedObject, eventTime }: CoreEvent): Cause[] {
  const { namespace = '' } = involvedObject;
  const own = metadata.namespace ?? '';
  const isNew = eventTime !== null;
  const forClusterScoped = isNew ? ['', 'default', 'kube-system'] : ['', 'default'];
  if (namespace === '' ? forClusterScoped.includes(own) : isNew || namespace === own) return [];
  return [invalid('involvedObject.namespace', namespace, 'does not match event.namespace')];
}

function validateLength(field: string, value: string, most: number): Cause[] {
  return value.length > most ? [invalid(field, '', `can have at most ${most} characters`)] : [];
}

/** What events.k8s.io asks for beyond that. */
export function validateNewEvent(event: CoreEvent): Cause[] {
  const causes = validateEvent(event, 'reportingController');
  const { eventTime, type = '', series, firstTimestamp, lastTimestamp, count, source } = event;
  if (eventTime === null) causes.push(required('eventTime'));
  if (type !== 'Normal' && type !== 'Warning') causes.push(invalid('type', '', `has invalid value: ${type}`));
  const unset: [string, boolean][] = [
    ['firstTimestamp', firstTimestamp === null],
    ['lastTimestamp', lastTimestamp === null],
    ['count', count === undefined],
    ['source', Object.keys(source).length === 0],
  ];
  for (const [field, isUnset] of unset) if (!isUnset) causes.push(invalid(field, '', 'needs to be unset'));
  return [...causes, ...validateSeries(series)];
}

function validateSeries(series: CoreEvent['series']): Cause[] {
  if (!series) return [];
  const causes: Cause[] = [];
  if ((series.count ?? 0) < 2) causes.push(invalid('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) causes.push(required('series.lastObservedTime'));
  return causes;
}

/** Through events.k8s.io, an event may change in nothing but its series. */
export function validateEventChange(event: CoreEvent, before: CoreEvent): Cause[] {
  const shown = { Kind: '', Namespace: '', Name: '', UID: '', APIVersion: '', ResourceVersion: '', FieldPath: '' };
  const { kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath } = event.involvedObject;
  const given = [kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath];
  const involved = Object.fromEntries(Object.keys(shown).map((key, i) => [key, given[i] ?? '']));
  const fixed: [string, unknown, unknown, unknown][] = [
    ['involvedObject', event.involvedObject, before.involvedObject, involved],
    ...(
      [
        'reason',
        'message',
        'reason',
        'count',
        'firstTimestamp',
        'lastTimestamp',
        'type',
        'eventTime',
        'action',
      ] as const
    ).map((field): [string, unknown, unknown, unknown] => [field, event[field], before[field], event[field]]),
    ['related', event.related, before.related, event.related],
    ['reportingController', event.reportingComponent, before.reportingComponent, event.reportingComponent],
    ['reportingInstance', event.reportingInstance, before.reportingInstance, event.reportingInstance],
  ];
  const causes = fixed.flatMap(([field, now, then, value]) =>
    equalJson(now ?? null, then ?? null) ? [] : [invalid(field, value, immutableDetail)],
  );
  return [...causes, ...validateSeries(event.series)];
}
