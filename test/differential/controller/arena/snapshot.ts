import type { Precision, Scenario, Step } from '../scenario.ts';
import { gaps } from './gaps.ts';
import type { ApiObject, Change } from './watch-log.ts';
import { asSlice, type World } from './world.ts';

/** What one side looks like after a step, in a form in which sides that agree are equal. */
export interface Snapshot {
  slices: unknown;
  writes: unknown;
  events: unknown;
  needless?: 'none' | 'some' | 'not compared';
  /** Pods that were ready before and after, but for a moment stood in no slice. For the test to judge. */
  gaps: string[];
}

/** What the API server adds to make a name out of `generateName`. */
const CHANCE = /[a-z0-9]{5}$/;
const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

type Json = Record<string, unknown>;

interface PlainSlice extends Json {
  endpoints: Json[];
}

/** @param since the slices at the snapshot before this one, and how many changes of slices there had been by then. */
export function takeSnapshot(
  world: World,
  step: Step,
  since: { slices: readonly ApiObject[]; count: number },
  scenario: Scenario,
): Snapshot {
  const precision = step.compare ?? 'slices';
  const { side, namespace } = world;
  const slices = side.slices.current(namespace).map((slice) => plainSlice(slice, world));
  const changes = side.slices.changes(namespace).slice(since.count);
  const events = eventsOfControllers(world)
    .map((event) => plainEvent(event, world, step.countEvents ?? false))
    .map((text) => (scenario.anyFamily ? text.replace(/IPv[46]$/, 'one of the two') : text));
  return {
    slices: {
      ...(step.countHints ? { hints: hintCounts(slices) } : {}),
      ...compared(step.countHints ? slices.map(withoutHints) : slices, precision),
    },
    writes:
      precision === 'endpoints' && !step.countWrites
        ? 'not compared'
        : countWrites(changes.filter((change) => !world.isByHand(change))),
    events: sorted(new Set(events)),
    gaps: gaps(since.slices, changes),
  };
}

/** Creates, updates and deletes among changes. A delete that a finalizer holds up counts when it is asked for. */
export function countWrites(changes: readonly Change[]): Record<'create' | 'update' | 'delete', number> {
  const count = { create: 0, update: 0, delete: 0 };
  for (const { type, object, before } of changes) {
    const wasGoing = before?.metadata.deletionTimestamp !== undefined;
    if (type === 'ADDED') count.create++;
    else if (type === 'DELETED') count.delete += wasGoing ? 0 : 1;
    else if (object.metadata.deletionTimestamp !== undefined && !wasGoing) count.delete++;
    else count.update++;
  }
  return count;
}

/** All of a slice but what no two API servers could have in common. */
function plainSlice(object: ApiObject, world: World): PlainSlice {
  const { metadata, addressType, endpoints, ports, ...rest } = asSlice(object);
  const { uid, resourceVersion, creationTimestamp, generation, managedFields, name, ...meta } =
    metadata as ApiObject['metadata'] & Json;
  return {
    ...rest,
    name: name.replace(CHANCE, '*****'),
    metadata: {
      ...meta,
      ...(meta.deletionTimestamp ? { deletionTimestamp: 'set' } : {}),
      ...(meta.annotations ? { annotations: plainAnnotations(meta.annotations) } : {}),
      ownerReferences: (meta.ownerReferences ?? []).map((owner) => ({ ...owner, uid: world.uids.get(owner.uid) })),
    },
    addressType,
    ports: sorted(ports ?? []),
    endpoints: sorted((endpoints ?? []).map((endpoint) => plainEndpoint(endpoint, world))),
  };
}

function plainEndpoint(endpoint: Json, world: World): Json {
  const targetRef = endpoint.targetRef as { uid?: string } | undefined;
  return {
    ...endpoint,
    addresses: [...(endpoint.addresses as string[])].sort(),
    ...(targetRef?.uid ? { targetRef: { ...targetRef, uid: world.uids.get(targetRef.uid) } } : {}),
  };
}

/** Times of Pods are the scenario's own and compare as they are; other ones are those of API servers. */
function plainAnnotations(annotations: Record<string, string>): Json {
  const time = annotations[TRIGGER_TIME];
  if (time === undefined) return annotations;
  const whole = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time);
  return { ...annotations, [TRIGGER_TIME]: !whole || time.startsWith('2030-') ? time : 'a creation' };
}

/** Texts in order, one a line when a difference is shown: what a slice is like, and each endpoint in it. */
function compared(slices: readonly PlainSlice[], precision: Precision): Json {
  const together = slices.flatMap(({ addressType, ports, metadata, endpoints }) => {
    const { labels } = metadata as { labels: Json };
    return endpoints.map((endpoint) => canonical({ addressType, ports, labels, ...endpoint }));
  });
  if (precision === 'endpoints') return { endpoints: together.sort() };
  const each = slices.map(({ endpoints, ...rest }) => ({
    head: canonical(rest),
    size: endpoints.length,
    ...(precision === 'dealt' ? {} : { endpoints: endpoints.map(canonical) }),
  }));
  return { slices: sorted(each), ...(precision === 'dealt' ? { endpoints: together.sort() } : {}) };
}

function withoutHints(slice: PlainSlice): PlainSlice {
  return { ...slice, endpoints: sorted(slice.endpoints.map(({ hints: _, ...endpoint }) => endpoint)) };
}

/** `IPv4: z1 -> z2` -> number of endpoints in z1 that are hinted to z2. */
function hintCounts(slices: readonly PlainSlice[]): Json {
  const counts = new Map<string, number>();
  for (const { addressType, endpoints } of slices) {
    for (const { zone, hints } of endpoints) {
      const key = `${addressType}: ${zone} -> ${JSON.stringify(hints)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return Object.fromEntries([...counts].sort());
}

interface ApiEvent extends ApiObject {
  type: string;
  reason: string;
  message: string;
  source: { component?: string };
  reportingComponent: string;
  involvedObject: Record<string, unknown> & { uid: string };
  count: number;
}

/** The API server has things to tell about Services too. */
function eventsOfControllers({ side, namespace }: World): ApiEvent[] {
  const events = side.events.current(namespace) as ApiEvent[];
  return events.filter((event) => event.reportingComponent !== 'ipallocator-repair-controller');
}

/** `Warning Failed by the-controller on v1 Service web (its uid is services/web#1): message`. */
function plainEvent(event: ApiEvent, world: World, countEvents: boolean): string {
  const { type, reason, message, source, reportingComponent, involvedObject, count } = event;
  const { uid, resourceVersion, apiVersion, kind, namespace, name, ...more } = involvedObject;
  const by = `${source.component}, that is ${reportingComponent},`;
  const about = `${apiVersion} ${kind} ${namespace}/${name} (${world.uids.get(uid)}${resourceVersion ? '' : ', no version'})`;
  const times = countEvents ? (count > 1 ? ' several times' : ' once') : '';
  const rest = Object.keys(more).length === 0 ? '' : ` ${canonical(more)}`;
  return `${type} ${reason} by ${by} on ${about}${rest}${times}: ${plainMessage(message, world)}`;
}

/** Without names of slices and places in them that are a matter of chance; what several things are said in, in one order. */
function plainMessage(message: string, { side, namespace }: World): string {
  const names = new Set(side.slices.changes(namespace).map(({ object }) => object.metadata.name));
  let text = message
    .replaceAll(/"([a-z0-9.-]+-)[a-z0-9]{5}"/g, '"$1*****"')
    .replaceAll(/endpoints\[\d+\]/g, 'endpoints.*');
  for (const name of names) text = text.replaceAll(name, name.replace(CHANCE, '*****'));
  const parts = text.split(/[:,] \[?(?=failed to |skipping |endpoints\.\*)/).map((part) => part.replace(/\]+$/, ''));
  return [...new Set(parts)].sort().join(' + ');
}

/** In the order of their JSON, keys in order too, so that equal things compare equal. */
function sorted<T>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
