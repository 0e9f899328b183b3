import { isDeepStrictEqual } from 'node:util';
import { type EndpointSlice, TRIGGER_TIME_ANNOTATION } from '../objects/endpointslice.ts';
import { type EndpointReader, type EndpointsMap, endpointsOfService, serviceOfSlice } from './endpoints.ts';
import type { ServiceKey } from './names.ts';

/** The endpoints that a Service had at the last sync, and those it has now. The two may well be equal. */
export interface EndpointChange {
  readonly before: EndpointsMap;
  readonly after: EndpointsMap;
}

export interface TakenEndpoints {
  readonly changes: ReadonlyMap<ServiceKey, EndpointChange>;
  /** When the changes were triggered, as the EndpointSlice controller noted it; milliseconds since the Unix epoch. */
  readonly triggerTimes: ReadonlyMap<ServiceKey, readonly number[]>;
  /** Some changed Service has, or had, endpoints of a UDP port: stale UDP flows may have to be deleted. */
  readonly conntrackCleanupRequired: boolean;
}

/** A slice as it will be after the next sync; `undefined`: gone. */
type PendingSlices = Map<string, EndpointSlice | undefined>;

interface TrackedService {
  readonly applied: Map<string, EndpointSlice>;
  readonly pending: PendingSlices;
  /** The endpoints of the `applied` slices. */
  endpoints: EndpointsMap;
  /** What `before` has to be when taken changes came back. */
  returned: EndpointsMap | undefined;
}

export interface EndpointChangesOptions extends EndpointReader {
  /** Trigger times up to this moment are ignored: they tell of changes that an earlier proxier saw. Unix milliseconds. */
  readonly startTime: number;
  /** Receives one line for each part of a slice that is left out. */
  readonly report?: (problem: string) => void;
}

const NO_ENDPOINTS: EndpointsMap = new Map();

/** RFC 3339 with optional fractions of a second, which `Date.parse` reads to the millisecond. */
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Collects what happened to the EndpointSlices of one family since the last sync, by Service. */
export class EndpointChanges {
  readonly #options: EndpointChangesOptions;
  readonly #services = new Map<ServiceKey, TrackedService>();
  /** The Services that `take` has to look at. */
  readonly #changed = new Set<ServiceKey>();
  #triggerTimes = new Map<ServiceKey, number[]>();
  #conntrackCleanupRequired = false;
  #pending = 0;
  #events = 0;

  constructor(options: EndpointChangesOptions) {
    this.#options = options;
  }

  /** How many events changed a slice since the last `take`. */
  get pending(): number {
    return this.#pending;
  }

  /** How many events of this family came in, including those that changed nothing. */
  get events(): number {
    return this.#events;
  }

  /**
   * @param before the slice before the event, `undefined` when it was added
   * @param after the slice after the event, `undefined` when it was deleted
   * @returns whether this event changed a slice that counts for this family
   */
  onSlice(before: EndpointSlice | undefined, after: EndpointSlice | undefined): boolean {
    const from = before && serviceOfSlice(before, this.#options.ipFamily);
    const to = after && serviceOfSlice(after, this.#options.ipFamily);
    if (!from && !to) return false;
    this.#events++;
    let changed = false;
    if (before && from && from !== to) changed = this.#note(from, before.metadata.name, undefined);
    if (after && to) changed = this.#note(to, after.metadata.name, after) || changed;
    if (changed) this.#pending++;
    return changed;
  }

  /** Hands over all pending changes; from then on they are the taker's, who may `putBack` them. */
  take(): TakenEndpoints {
    const changes = new Map<ServiceKey, EndpointChange>();
    let conntrackCleanupRequired = this.#conntrackCleanupRequired;
    for (const key of this.#changed) {
      const tracked = this.#services.get(key);
      if (!tracked) continue;
      const change = { before: tracked.returned ?? tracked.endpoints, after: this.#apply(tracked) };
      changes.set(key, change);
      conntrackCleanupRequired ||= hasUDP(change.before) || hasUDP(change.after);
      if (tracked.applied.size === 0) this.#services.delete(key);
    }
    const taken = { changes, triggerTimes: this.#triggerTimes, conntrackCleanupRequired };
    this.#changed.clear();
    this.#triggerTimes = new Map();
    this.#conntrackCleanupRequired = false;
    this.#pending = 0;
    return taken;
  }

  /** Makes taken changes pending again, joined with what happened in the meantime. */
  putBack(taken: TakenEndpoints): void {
    for (const [key, { before }] of taken.changes) {
      this.#tracked(key).returned = before;
      this.#changed.add(key);
    }
    for (const [key, times] of taken.triggerTimes) {
      this.#triggerTimes.set(key, [...times, ...(this.#triggerTimes.get(key) ?? [])]);
    }
    this.#conntrackCleanupRequired ||= taken.conntrackCleanupRequired;
    this.#pending += taken.changes.size;
  }

  /** Records that a slice of `service` is `next` from now on; false when that is no news. */
  #note(service: ServiceKey, name: string, next: EndpointSlice | undefined): boolean {
    const tracked = this.#tracked(service);
    const known = tracked.pending.has(name) ? tracked.pending.get(name) : tracked.applied.get(name);
    if (sameSlice(known, next)) {
      if (!tracked.returned && tracked.applied.size + tracked.pending.size === 0) this.#services.delete(service);
      return false;
    }
    tracked.pending.set(name, next);
    this.#changed.add(service);
    if (!next) {
      // The Service may be going away: a time noted before would only distort the latency.
      this.#triggerTimes.delete(service);
      return true;
    }
    const time = triggerTime(next);
    if (time > this.#options.startTime) {
      this.#triggerTimes.set(service, [...(this.#triggerTimes.get(service) ?? []), time]);
    }
    return true;
  }

  #apply(tracked: TrackedService): EndpointsMap {
    for (const [name, slice] of tracked.pending) {
      if (slice) tracked.applied.set(name, slice);
      else tracked.applied.delete(name);
    }
    if (tracked.pending.size > 0) {
      const { endpoints, problems } = endpointsOfService(tracked.applied.values(), this.#options);
      for (const problem of problems) this.#options.report?.(problem);
      tracked.endpoints = endpoints;
    }
    tracked.pending.clear();
    tracked.returned = undefined;
    return tracked.endpoints;
  }

  #tracked(key: ServiceKey): TrackedService {
    let tracked = this.#services.get(key);
    if (!tracked) {
      tracked = { applied: new Map(), pending: new Map(), endpoints: NO_ENDPOINTS, returned: undefined };
      this.#services.set(key, tracked);
    }
    return tracked;
  }
}

function sameSlice(a: EndpointSlice | undefined, b: EndpointSlice | undefined): boolean {
  if (a === b || !a || !b) return a === b;
  const version = a.metadata.resourceVersion;
  return version !== undefined && version === b.metadata.resourceVersion ? true : isDeepStrictEqual(a, b);
}

function hasUDP(endpoints: EndpointsMap): boolean {
  return endpoints.keys().some((name) => name.endsWith('/UDP'));
}

/** Unix milliseconds; NaN when the annotation is absent or no RFC 3339 time. */
function triggerTime(slice: EndpointSlice): number {
  const text = slice.metadata.annotations?.[TRIGGER_TIME_ANNOTATION] ?? '';
  return RFC3339.test(text) ? Date.parse(text) : Number.NaN;
}
