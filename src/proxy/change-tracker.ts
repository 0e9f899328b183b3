import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { Service } from '../objects/service.ts';
import { EndpointChanges, type EndpointChangesOptions, type TakenEndpoints } from './endpoint-changes.ts';
import type { DesiredChanges } from './iptables/desired.ts';
import { ServiceChanges, type TakenServices } from './service-changes.ts';

/** All that one sync has to apply; `computeDesired` takes it as it is. */
export interface ProxyChanges
  extends DesiredChanges,
    Pick<TakenEndpoints, 'triggerTimes' | 'conntrackCleanupRequired'> {
  readonly services: TakenServices;
  readonly endpoints: TakenEndpoints['changes'];
}

/**
 * What happened to Services and EndpointSlices since the last sync, for one IP family. A plain data structure: no I/O, no
 * clock. A sync takes the changes; when it fails it can put them back, and then nothing of them is forgotten (kube-proxy
 * loses trigger times and conntrack work there).
 */
export class ChangeTracker {
  readonly services: ServiceChanges;
  readonly endpoints: EndpointChanges;

  constructor(options: EndpointChangesOptions) {
    this.services = new ServiceChanges(options.ipFamily, options.report);
    this.endpoints = new EndpointChanges(options);
  }

  /** Absent `before`: added; absent `after`: deleted. @returns whether a sync is due */
  onService(before: Service | undefined, after: Service | undefined): boolean {
    return this.services.onService(before, after);
  }

  /** Absent `before`: added; absent `after`: deleted. @returns whether a sync is due */
  onSlice(before: EndpointSlice | undefined, after: EndpointSlice | undefined): boolean {
    return this.endpoints.onSlice(before, after);
  }

  take(): ProxyChanges {
    const { changes, ...rest } = this.endpoints.take();
    return { services: this.services.take(), endpoints: changes, ...rest };
  }

  putBack({ services, endpoints, ...rest }: ProxyChanges): void {
    this.services.putBack(services);
    this.endpoints.putBack({ changes: endpoints, ...rest });
  }
}
