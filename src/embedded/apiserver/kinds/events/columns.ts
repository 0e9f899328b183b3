import type { RawObject, TableColumn } from '../../kind.ts';
import { column, nameCell, nameColumn, since } from '../columns.ts';
import { asEvent, type CoreEvent } from './types.ts';

export const eventColumns: TableColumn[] = [
  column('Last Seen', 'Time since the last occurrence.'),
  column('Type', 'Normal or Warning.'),
  column('Reason', 'Why, in a word that machines can read.'),
  column('Object', 'What the event is about.'),
  column('Subobject', 'Which part of the object.', 1),
  column('Source', 'Who reported it.', 1),
  column('Message', 'What happened.'),
  column('First Seen', 'Time since the first occurrence.', 1),
  column('Count', 'Number of occurrences.', 1),
  { ...nameColumn, priority: 1 },
];

/** @param object in the core form */
export function eventRow(object: RawObject, now: Date): (string | number)[] {
  const event = asEvent(object);
  const { involvedObject, series } = event;
  const first = since(event.firstTimestamp ?? event.eventTime ?? undefined, now);
  const last = event.lastTimestamp === null ? first : since(event.lastTimestamp, now);
  const kind = (involvedObject.kind ?? '').toLowerCase();
  return [
    series ? since(series.lastObservedTime ?? undefined, now) : last,
    event.type ?? '',
    event.reason ?? '',
    involvedObject.name ? `${kind}/${involvedObject.name}` : kind,
    involvedObject.fieldPath ?? '',
    sourceCell(event),
    (event.message ?? '').trim(),
    first,
    series ? (series.count ?? 0) : event.count || 1,
    nameCell(object),
  ];
}

function sourceCell({ source, reportingComponent, reportingInstance }: CoreEvent): string {
  const component = source.component || reportingComponent;
  const host = source.host || reportingInstance;
  return host ? `${component}, ${host}` : component;
}
