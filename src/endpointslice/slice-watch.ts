import { isDeepStrictEqual } from 'node:util';
import type { ResourceHandler } from '../kube/handler.ts';
import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { ObjectKey } from '../objects/meta.ts';
import type { SliceTracker } from './tracker.ts';
import { isOurs, serviceOfSlice } from './triggers.ts';

export interface SliceWatchOptions {
  tracker: SliceTracker;
  /** A slice of this Service was changed by somebody else. */
  onForeignChange: (service: ObjectKey) => void;
  /** A slice of ours that does not say whose it is. */
  onUnlabelled?: (slice: EndpointSlice) => void;
  /** Also notice that a slice was deleted which this process has never written, or lost its owner. */
  repairUnknown: boolean;
}

/**
 * Watches the slices for changes that are not our own doing. The event of a write may arrive before the answer to it,
 * when the tracker cannot yet know it for ours; so what happens to a Service's slices during a sync of that Service is
 * judged when the sync is over.
 */
export class SliceWatch implements ResourceHandler<EndpointSlice> {
  #options: SliceWatchOptions;
  #postponed = new Map<ObjectKey, (() => boolean)[]>();

  constructor(options: SliceWatchOptions) {
    this.#options = options;
  }

  /** Postpones judgement on slices of this Service until `endSync`. */
  beginSync(service: ObjectKey): void {
    this.#postponed.set(service, []);
  }

  endSync(service: ObjectKey): void {
    const judgements = this.#postponed.get(service) ?? [];
    this.#postponed.delete(service);
    // All of them: judging a deletion also makes the tracker forget the slice.
    if (judgements.map((isForeign) => isForeign()).includes(true)) this.#options.onForeignChange(service);
  }

  onAdd(slice: EndpointSlice): void {
    if (isOurs(slice)) this.#judgeOwn(slice, (service) => this.#options.tracker.isForeignChange(service, slice));
  }

  onUpdate(before: EndpointSlice, after: EndpointSlice): void {
    const [from, to] = [serviceOfSlice(before), serviceOfSlice(after)];
    if (from === to && isOurs(before) === isOurs(after)) {
      if (!isOurs(after)) return;
      // Owners are metadata and do not count as another generation, but without its owner a slice is never collected.
      const isDisowned = this.#options.repairUnknown && !isDeepStrictEqual(owners(before), owners(after));
      this.#judgeOwn(after, (service) => isDisowned || this.#options.tracker.isForeignChange(service, after));
      return;
    }
    // It left our hands or came into them; upstream looks at both Services, whoever manages the slice.
    for (const service of new Set([from, to])) {
      if (service === undefined) continue;
      this.#judge(service, () => {
        if (service === from) this.#options.tracker.forget(service, before.metadata.uid ?? '');
        return true;
      });
    }
  }

  onDelete(last: EndpointSlice): void {
    if (!isOurs(last)) return;
    const { tracker, repairUnknown } = this.#options;
    this.#judgeOwn(last, (service) => {
      const known = tracker.has(service, last);
      return tracker.sawDeletion(service, last) && (known || repairUnknown);
    });
  }

  #judgeOwn(slice: EndpointSlice, isForeign: (service: ObjectKey) => boolean): void {
    const service = serviceOfSlice(slice);
    if (service === undefined) this.#options.onUnlabelled?.(slice);
    else this.#judge(service, () => isForeign(service));
  }

  #judge(service: ObjectKey, isForeign: () => boolean): void {
    const postponed = this.#postponed.get(service);
    if (postponed) postponed.push(isForeign);
    else if (isForeign()) this.#options.onForeignChange(service);
  }
}

function owners({ metadata }: EndpointSlice): string[] {
  return (metadata.ownerReferences ?? []).map(({ uid }) => uid);
}
