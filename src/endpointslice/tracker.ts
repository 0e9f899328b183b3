import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { WrittenSlice } from './slice-client.ts';

interface Entry {
  generation: number;
  name: string;
}

/** In place of a generation: we deleted the slice and the cache has not shown that yet. */
const DELETED = -1;

/** A slice that the cache does not show as we left it. */
export interface UnseenSlice {
  uid: string;
  name: string;
}

/**
 * Remembers what we wrote, by Service key and slice uid, so that two questions can be answered: does the cache show our
 * own last writes yet, and is a change of a slice our own doing or somebody else's? The API server counts
 * `metadata.generation` up with every change of a slice's content or labels.
 */
export class SliceTracker {
  #services = new Map<string, Map<string, Entry>>();

  /** What the API server answered to our create or update. */
  wrote(service: string, slice: WrittenSlice): void {
    this.#entries(service).set(uidOf(slice), { generation: generationOf(slice), name: slice.metadata.name });
  }

  /** Call before the delete is sent, for the event of it may overtake the answer. Returns what takes it back. */
  expectDeletion(service: string, slice: EndpointSlice): () => void {
    const entries = this.#entries(service);
    const uid = uidOf(slice);
    const before = entries.get(uid);
    const expected = { generation: DELETED, name: slice.metadata.name };
    entries.set(uid, expected);
    return () => {
      if (entries.get(uid) !== expected) return;
      if (before === undefined) entries.delete(uid);
      else entries.set(uid, before);
    };
  }

  /** The slice is no longer there, whatever we knew of it. */
  forget(service: string, uid: string): void {
    const entries = this.#services.get(service);
    entries?.delete(uid);
    if (entries?.size === 0) this.#services.delete(service);
  }

  forgetService(service: string): void {
    this.#services.delete(service);
  }

  has(service: string, slice: EndpointSlice): boolean {
    return this.#services.get(service)?.has(uidOf(slice)) ?? false;
  }

  /** Whether a slice seen in the cache holds a change that is not our own. Never written by us counts as such. */
  isForeignChange(service: string, slice: EndpointSlice): boolean {
    const known = this.#services.get(service)?.get(uidOf(slice));
    return known === undefined || generationOf(slice) > known.generation;
  }

  /** The slice was deleted. Returns false when that was our doing. */
  sawDeletion(service: string, slice: EndpointSlice): boolean {
    const ours = this.#services.get(service)?.get(uidOf(slice))?.generation === DELETED;
    this.forget(service, uidOf(slice));
    return !ours;
  }

  /**
   * Where the cached slices of a Service do not yet show our own writes, or undefined when they do: one that we deleted
   * is still there, one is older than what we wrote, or one that we wrote is missing.
   */
  staleness(service: string, slices: readonly EndpointSlice[]): { unseen: UnseenSlice[] } | undefined {
    const entries = this.#services.get(service);
    if (entries === undefined) return undefined;
    const cached = new Map(slices.map((slice) => [uidOf(slice), generationOf(slice)]));
    const unseen: UnseenSlice[] = [];
    for (const [uid, { generation, name }] of entries) {
      const shown = cached.get(uid);
      const asLeft = generation === DELETED ? shown === undefined : shown !== undefined && shown >= generation;
      if (!asLeft) unseen.push({ uid, name });
    }
    return unseen.length > 0 ? { unseen } : undefined;
  }

  /**
   * What the API server says of a slice that the cache does not show as we left it; undefined when it is not there, or
   * somebody else's by now. Our write is forgotten if waiting for it would be in vain: it has been undone, as by a
   * server that was set back to an earlier state.
   */
  checked(service: string, uid: string, actual: EndpointSlice | undefined): void {
    const known = this.#services.get(service)?.get(uid);
    if (known === undefined) return;
    const same = actual !== undefined && uidOf(actual) === uid ? actual : undefined;
    const undone =
      known.generation === DELETED
        ? same !== undefined && same.metadata.deletionTimestamp === undefined
        : same === undefined || generationOf(same) < known.generation;
    if (undone) this.forget(service, uid);
  }

  #entries(service: string): Map<string, Entry> {
    let entries = this.#services.get(service);
    if (entries === undefined) {
      entries = new Map();
      this.#services.set(service, entries);
    }
    return entries;
  }
}

function uidOf(slice: WrittenSlice): string {
  return slice.metadata.uid ?? '';
}

function generationOf(slice: WrittenSlice): number {
  return slice.metadata.generation ?? 0;
}
