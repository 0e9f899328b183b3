import { isApiError } from '../kube/errors.ts';
import type { Lister } from '../kube/handler.ts';
import type { EndpointSlice } from '../objects/endpointslice.ts';
import { type ObjectKey, splitObjectKey } from '../objects/meta.ts';
import type { Node } from '../objects/node.ts';
import type { Service } from '../objects/service.ts';
import type { Confirmations } from './confirmations.ts';
import { hintMode } from './hints/apply.ts';
import type { HintMemory } from './hints/memory.ts';
import type { ZoneShares } from './hints/zone-shares.ts';
import type { ControllerMetrics } from './metrics.ts';
import type { ControllerOptions } from './options.ts';
import type { Plan, PlanMemory } from './plan.ts';
import type { PlanWriter } from './plan-writer.ts';
import { planService } from './planner.ts';
import type { ServiceEvents } from './recorder.ts';
import type { SelectorIndex } from './selector-index.ts';
import type { SliceClient } from './slice-client.ts';
import type { SliceWatch } from './slice-watch.ts';
import { StaleCacheError, SyncError } from './sync-errors.ts';
import type { SliceTracker, UnseenSlice } from './tracker.ts';
import { type TriggerState, triggerTime } from './trigger-time.ts';
import { isOurs, serviceOfSlice } from './triggers.ts';

/** Stale syncs in a row after which the API server is asked what became of the slices the cache does not show as we left them. */
const PATIENCE = 2;

export interface ServiceSyncParts {
  services: Lister<Service>;
  nodes: Lister<Node>;
  /** The slices managed by us that are labelled as this Service's. */
  slicesOf: (service: ObjectKey) => Iterable<EndpointSlice>;
  index: SelectorIndex;
  shares: () => ZoneShares;
  tracker: SliceTracker;
  watch: SliceWatch;
  confirmations: Pick<Confirmations, 'wrote' | 'holdBack' | 'letGo' | 'look'>;
  client: SliceClient;
  writer: PlanWriter;
  events: ServiceEvents;
  metrics: ControllerMetrics;
  options: ControllerOptions;
}

/** What is remembered of a Service from sync to sync; lost with the process, and with the Service's uid. */
interface ServiceState {
  uid: string | undefined;
  trigger: TriggerState | undefined;
  memory: PlanMemory | undefined;
  staleInARow: number;
}

/** Brings the slices of one Service in line with its Pods. */
export class ServiceSync {
  #parts: ServiceSyncParts;
  #states = new Map<ObjectKey, ServiceState>();

  constructor(parts: ServiceSyncParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the plan that was carried out; undefined when there was nothing to plan.
   *
   * @throws StaleCacheError when the cache does not show our own writes yet, SyncError when something could not be
   * written or had to be left out. Both mean: try again later.
   */
  async sync(key: ObjectKey): Promise<Plan | undefined> {
    const { metrics } = this.#parts;
    try {
      const plan = await this.#sync(key);
      metrics.synced('success');
      return plan;
    } catch (error) {
      metrics.synced(error instanceof StaleCacheError ? 'stale' : 'error');
      throw error;
    }
  }

  /** Whether the cache does not show our own writes yet. */
  isStale(key: ObjectKey): boolean {
    return this.#parts.tracker.staleness(key, this.#liveSlices(key)) !== undefined;
  }

  /** The Services that have, or would have, hints `Auto`. */
  *hintMemories(): Iterable<[ObjectKey, HintMemory]> {
    for (const [key, { memory }] of this.#states) {
      if (memory && Object.keys(memory.hints).length > 0) yield [key, memory.hints];
    }
  }

  async #sync(key: ObjectKey): Promise<Plan | undefined> {
    const { services, tracker, confirmations, options } = this.#parts;
    const service = services.get(key);
    if (service === undefined) {
      this.#forget(key);
      return undefined;
    }
    const slices = this.#liveSlices(key);
    const selector = effectiveSelector(service);
    if (selector === undefined) {
      if (options.removeAbandoned && slices.length > 0) await this.#abandon(key, service, slices);
      return undefined;
    }
    const state = this.#stateOf(key, service);
    const stale = tracker.staleness(key, slices);
    if (stale) {
      // The event that is waited for sets the next sync off; the delay of a failure is for the case that none comes.
      confirmations.holdBack(key);
      if (state.staleInARow++ >= PATIENCE) {
        await this.#verify(key, stale.unseen);
        confirmations.look(key);
      }
      throw new StaleCacheError();
    }
    confirmations.letGo(key);
    state.staleInARow = 0;
    return this.#bringInLine(key, service, slices, state);
  }

  async #bringInLine(key: ObjectKey, service: Service, slices: EndpointSlice[], state: ServiceState): Promise<Plan> {
    const { index, nodes, shares, options, metrics, events } = this.#parts;
    const { namespace, name } = splitObjectKey(key);
    // After a relist the cache may show a new selector before its handlers have told the index.
    index.setService(namespace, name, effectiveSelector(service));
    const pods = index.podsOf(namespace, name);
    const trigger = triggerTime(state.trigger, service, pods);
    const plan = planService({
      service,
      pods,
      slices,
      node: (nodeName) => nodes.get(nodeName),
      shares: hintMode(service) === 'auto' ? shares() : undefined,
      triggerTime: trigger.time,
      ...(state.memory ? { memory: state.memory } : {}),
      options: options.plan,
    });
    state.memory = plan.memory;
    metrics.planned(key, plan);
    const failed = await this.#write(key, plan);
    for (const event of plan.events) events.record(service, event);
    // Only once everything is written: what failed is written later, and was still set in motion then.
    if (failed.length === 0) state.trigger = trigger.state;
    const errors = [...plan.errors.map((message) => new Error(message)), ...failed];
    if (errors.length > 0) throw this.#report(service, key, errors);
    return plan;
  }

  async #write(key: ObjectKey, plan: Plan): Promise<Error[]> {
    if (plan.obsolete.length === 0 && plan.families.every((family) => family.writes.length === 0)) {
      for (const family of plan.families) this.#parts.metrics.familyWritten(family, plan);
      return [];
    }
    return this.#watched(key, () => this.#parts.writer.carryOut(key, plan));
  }

  async #abandon(key: ObjectKey, service: Service, slices: EndpointSlice[]): Promise<void> {
    const errors = await this.#watched(key, () => this.#parts.writer.deleteEach(key, slices));
    if (errors.length > 0) throw this.#report(service, key, errors);
    this.#forget(key);
  }

  async #watched<T>(key: ObjectKey, work: () => Promise<T>): Promise<T> {
    this.#parts.watch.beginSync(key);
    try {
      return await work();
    } finally {
      this.#parts.watch.endSync(key);
      this.#parts.confirmations.wrote(key);
    }
  }

  /** Those that a finalizer holds are as good as gone. */
  #liveSlices(key: ObjectKey): EndpointSlice[] {
    return [...this.#parts.slicesOf(key)].filter((slice) => slice.metadata.deletionTimestamp === undefined);
  }

  #report(service: Service, key: ObjectKey, errors: Error[]): SyncError {
    const error = new SyncError(errors);
    const message = `Error updating Endpoint Slices for Service ${key}: ${error.message}`;
    this.#parts.events.record(service, { type: 'Warning', reason: 'FailedToUpdateEndpointSlices', message });
    return error;
  }

  /**
   * A slice may have come and gone without the cache ever showing it, collected as garbage because its owner was
   * replaced meanwhile. Waiting for it would never end, so ask.
   */
  async #verify(key: ObjectKey, unseen: readonly UnseenSlice[]): Promise<void> {
    const { namespace } = splitObjectKey(key);
    for (const { uid, name } of unseen) {
      const slice = await this.#ask(namespace, name);
      const isStillOurs = slice !== undefined && isOurs(slice) && serviceOfSlice(slice) === key;
      this.#parts.tracker.checked(key, uid, isStillOurs ? slice : undefined);
    }
  }

  async #ask(namespace: string, name: string): Promise<EndpointSlice | undefined> {
    try {
      return await this.#parts.client.get(namespace, name);
    } catch (error) {
      if (isApiError(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  }

  #stateOf(key: ObjectKey, service: Service): ServiceState {
    const { uid } = service.metadata;
    const known = this.#states.get(key);
    if (known?.uid === uid && known !== undefined) return known;
    // Another Service of the same name: what we wrote for the one before is not ours to wait for.
    if (known !== undefined) this.#forget(key);
    const state: ServiceState = { uid, trigger: undefined, memory: undefined, staleInARow: 0 };
    this.#states.set(key, state);
    return state;
  }

  #forget(key: ObjectKey): void {
    this.#states.delete(key);
    this.#parts.tracker.forgetService(key);
    this.#parts.confirmations.letGo(key);
    this.#parts.metrics.forget(key);
  }
}

/** Undefined when the Service selects no Pods. The API server never stores an empty selector; one that is empty counts as none. */
export function effectiveSelector({ spec: { type, selector } }: Service): Record<string, string> | undefined {
  return type === 'ExternalName' || Object.keys(selector ?? {}).length === 0 ? undefined : selector;
}
