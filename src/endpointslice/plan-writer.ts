import { isApiError } from '../kube/errors.ts';
import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { ControllerMetrics } from './metrics.ts';
import type { FamilyPlan, Plan, PlannedWrite } from './plan.ts';
import type { SliceClient, WrittenSlice } from './slice-client.ts';
import type { SliceTracker } from './tracker.ts';

/** One write that failed. `message` is upstream's wording; `cause` is the `ApiError`. */
export class SliceWriteError extends Error {
  override readonly name = 'SliceWriteError';
}

/**
 * Makes the writes of a plan. Address types do not depend on each other: a failure ends only the writes of its own, in
 * whose order later writes rely on earlier ones.
 */
export class PlanWriter {
  #client: SliceClient;
  #tracker: SliceTracker;
  #metrics: ControllerMetrics;

  constructor(parts: { client: SliceClient; tracker: SliceTracker; metrics: ControllerMetrics }) {
    this.#client = parts.client;
    this.#tracker = parts.tracker;
    this.#metrics = parts.metrics;
  }

  /** @returns what went wrong; empty when everything is written. */
  async carryOut(service: string, plan: Plan): Promise<SliceWriteError[]> {
    const errors: SliceWriteError[] = [];
    for (const family of plan.families) {
      if (await this.#family(service, family, errors)) this.#metrics.familyWritten(family, plan);
    }
    return [...errors, ...(await this.deleteEach(service, plan.obsolete))];
  }

  /** Deletes slices that the Service has no use for, each by itself. @returns what went wrong. */
  async deleteEach(service: string, slices: readonly EndpointSlice[]): Promise<SliceWriteError[]> {
    const errors: SliceWriteError[] = [];
    for (const slice of slices) {
      try {
        await this.#delete(service, slice);
      } catch (error) {
        errors.push(failure(`error deleting ${slice.metadata.name} EndpointSlice for Service ${service}`, error));
      }
    }
    return errors;
  }

  async #family(service: string, family: FamilyPlan, errors: SliceWriteError[]): Promise<boolean> {
    for (const write of family.writes) {
      try {
        await this.#write(service, write);
      } catch (error) {
        // Nothing can be created in a namespace on its way out, and everything in it goes anyway.
        if (write.op === 'create' && isApiError(error) && error.hasCause('NamespaceTerminating')) return false;
        const which = write.op === 'create' ? '' : `${write.slice.metadata.name} `;
        errors.push(failure(`failed to ${write.op} ${which}EndpointSlice for Service ${service}`, error));
        return false;
      }
    }
    return true;
  }

  async #write(service: string, write: PlannedWrite): Promise<void> {
    if (write.op === 'delete') return this.#delete(service, write.slice);
    if (write.op === 'create') this.#tracker.wrote(service, await this.#client.create(write.slice));
    else this.#tracker.wrote(service, await this.#update(service, write.slice, write.before));
    this.#metrics.wrote(write.op);
  }

  async #update(service: string, slice: EndpointSlice, before: EndpointSlice): Promise<WrittenSlice> {
    try {
      return await this.#client.update(slice);
    } catch (error) {
      // The slice is gone: to go on waiting until the cache shows our last write to it would be to wait for ever.
      if (isApiError(error, 'NOT_FOUND')) this.#tracker.forget(service, before.metadata.uid ?? '');
      throw error;
    }
  }

  async #delete(service: string, slice: EndpointSlice): Promise<void> {
    const takeBack = this.#tracker.expectDeletion(service, slice);
    try {
      await this.#client.delete(slice);
    } catch (error) {
      // Somebody else was faster; the cache has yet to show it, as after a delete of our own.
      if (isApiError(error, 'NOT_FOUND')) return;
      takeBack();
      throw error;
    }
    this.#metrics.wrote('delete');
  }
}

/** The API server's own words where it said any: users read them in Events, where paths and status codes only get in the way. */
function failure(what: string, cause: unknown): SliceWriteError {
  const said = isApiError(cause) ? cause.status?.message : undefined;
  return new SliceWriteError(`${what}: ${said ?? (cause instanceof Error ? cause.message : String(cause))}`, { cause });
}
