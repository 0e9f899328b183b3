import type { RawObject } from '../../kind.ts';

/** The same field under its name in core/v1 and in events.k8s.io/v1. */
const names: [core: string, events: string][] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];

/** events.k8s.io leaves these out when they are empty; core always has them. */
const alwaysInCore = ['reportingComponent', 'reportingInstance'];

const toEventsName = new Map(names);
const toCoreName = new Map(names.map(([core, events]) => [events, core]));

export function toEventsForm(event: RawObject): RawObject {
  const view = renamed(event, toEventsName);
  for (const name of ['reportingController', 'reportingInstance']) if (view[name] === '') delete view[name];
  return view;
}

export function toCoreForm(event: RawObject): RawObject {
  const stored = renamed(event, toCoreName);
  for (const name of alwaysInCore) stored[name] ??= '';
  return stored;
}

function renamed(event: RawObject, to: ReadonlyMap<string, string>): RawObject {
  const { metadata, ...fields } = event;
  const entries = Object.entries(fields).map(([name, value]) => [to.get(name) ?? name, value]);
  return { metadata, ...Object.fromEntries(entries) };
}
