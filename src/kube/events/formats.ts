import type { Correlation } from './correlator.ts';
import { MAX_MESSAGE_BYTES, type Occurrence, type Reporter } from './occurrence.ts';

/** One of the two APIs that serve the same Event objects. */
export interface EventFormat {
  /** Path of an Event, or of the collection. */
  path(namespace: string, name?: string): string;
  create(event: NewEvent): object;
  /** Strategic merge patch that tells of a repetition. */
  repeat(correlation: Extract<Correlation, { kind: 'repeat' }>, now: number): object;
}

export interface NewEvent {
  name: string;
  namespace: string;
  occurrence: Occurrence;
  reporter: Reporter;
  message: string;
  count: number;
  /** Epoch milliseconds. */
  first: number;
  now: number;
}

/** core/v1, which `kubectl describe` shows and kube-controller-manager writes. */
export const CORE_EVENTS: EventFormat = {
  path: (namespace, name) => pathOf('/api/v1', namespace, name),
  create: ({ name, namespace, occurrence, reporter, message, count, first, now }) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: occurrence.regarding,
    ...(occurrence.related && { related: occurrence.related }),
    reason: occurrence.reason,
    message: cut(message),
    type: occurrence.type,
    source: { component: reporter.component, host: reporter.host },
    firstTimestamp: seconds(first),
    lastTimestamp: seconds(now),
    count,
    reportingComponent: reporter.component,
    reportingInstance: reporter.host,
  }),
  repeat: ({ count, message }, now) => ({ count, message: cut(message), lastTimestamp: seconds(now) }),
};

/** events.k8s.io/v1, which kube-proxy writes. */
export const NEW_EVENTS: EventFormat = {
  path: (namespace, name) => pathOf('/apis/events.k8s.io/v1', namespace, name),
  create: ({ name, namespace, occurrence, reporter, message, count, first, now }) => ({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace },
    eventTime: micros(first),
    reportingController: reporter.component,
    reportingInstance: reporter.host,
    action: occurrence.action ?? occurrence.reason,
    reason: occurrence.reason,
    regarding: occurrence.regarding,
    ...(occurrence.related && { related: occurrence.related }),
    note: cut(message),
    type: occurrence.type,
    ...(count > 1 && { series: { count, lastObservedTime: micros(now) } }),
  }),
  repeat: ({ count }, now) => ({ series: { count, lastObservedTime: micros(now) } }),
};

function pathOf(base: string, namespace: string, name: string | undefined): string {
  const collection = `${base}/namespaces/${encodeURIComponent(namespace)}/events`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

function cut(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MAX_MESSAGE_BYTES) return message;
  let end = MAX_MESSAGE_BYTES - 3;
  // Not in the middle of a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}...`;
}

/** meta/v1 Time. */
function seconds(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** meta/v1 MicroTime: always six digits. */
function micros(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');
}
