import { cloneJson } from '../../json.ts';
import type { KindDefinition, RawObject } from '../../kind.ts';
import { decoderOf } from '../schema/decode.ts';
import { strategyOf } from '../strategy.ts';
import { eventColumns, eventRow } from './columns.ts';
import { toCoreForm, toEventsForm } from './convert.ts';
import { asEvent } from './types.ts';
import { validateEvent, validateEventChange, validateNewEvent } from './validate.ts';

const shared = {
  version: 'v1',
  plural: 'events',
  singular: 'event',
  kind: 'Event',
  namespaced: true,
  nameForm: 'any',
  createOnUpdate: true,
} as const;

const referenceFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;

type Field = (object: RawObject) => string;

/** The selectable fields of a reference to the object that an event is about. @param read gives the event in the core form */
function selectable(
  reference: string,
  controller: string,
  read: (object: RawObject) => RawObject,
): Record<string, Field> {
  const fields: Record<string, Field> = {
    reason: (object) => asEvent(read(object)).reason ?? '',
    [controller]: (object) => asEvent(read(object)).reportingComponent,
    type: (object) => asEvent(read(object)).type ?? '',
  };
  for (const name of referenceFields) {
    fields[`${reference}.${name}`] = (object) => asEvent(read(object)).involvedObject[name] ?? '';
  }
  return fields;
}

export const coreEventKind: KindDefinition = {
  ...shared,
  group: '',
  shortNames: ['ev'],
  categories: [],
  subresources: [],
  decode: decoderOf('CoreV1Event'),
  strategy: strategyOf('CoreV1Event', {
    validate: (object) => validateEvent(asEvent(object), 'reportingComponent'),
    validateUpdate: (object) => validateEvent(asEvent(object), 'reportingComponent'),
    columns: eventColumns,
    row: eventRow,
    selectableFields: {
      ...selectable('involvedObject', 'reportingComponent', (object) => object),
      source: (object) => asEvent(object).source.component || asEvent(object).reportingComponent,
    },
  }),
};

/** The same stored events in the form of KEP-383. */
export const eventsEventKind: KindDefinition = {
  ...shared,
  group: 'events.k8s.io',
  shortNames: ['ev'],
  categories: [],
  subresources: [],
  decode: decoderOf('EventsV1Event'),
  strategy: strategyOf('EventsV1Event', {
    validate: (object) => validateNewEvent(asEvent(toCoreForm(object))),
    validateUpdate: (object, before) =>
      validateEventChange(asEvent(toCoreForm(object)), asEvent(toCoreForm(cloneJson(before)))),
    columns: eventColumns,
    row: (object, now) => eventRow(toCoreForm(object), now),
    selectableFields: selectable('regarding', 'reportingController', toCoreForm),
  }),
  aliasOf: { plural: 'events', group: '', fromStorage: toEventsForm, toStorage: toCoreForm },
};
