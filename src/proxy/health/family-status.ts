import type { IPFamily } from '../../objects/meta.ts';
import type { EndpointsMap } from '../endpoints.ts';
import type { ServicePortMap } from '../service-ports.ts';
import type { ProxyHealthTracker } from './proxy-health.ts';
import { healthCheckPorts, localReadyCounts } from './service-health.ts';
import type { ServiceHealthServers } from './service-health-servers.ts';

export interface FamilyStatus {
  /** Syncing begins: from now on a sync that does not succeed in time counts against the proxy's health. */
  started(): void;
  /** A change waits to reach the kernel. */
  queued(): void;
  /** The kernel holds all of this; the health-check node ports follow it. */
  synced(state: { readonly servicePorts: ServicePortMap; readonly endpoints: EndpointsMap }): void;
}

/** What the proxier of one family tells the rest of the process after each step. */
export function familyStatus(
  family: IPFamily,
  health: ProxyHealthTracker,
  servers: Pick<ServiceHealthServers, 'sync'>,
): FamilyStatus {
  return {
    started: () => health.updated(family),
    queued: () => health.queuedUpdate(family),
    synced({ servicePorts, endpoints }) {
      health.updated(family);
      const ports = healthCheckPorts(servicePorts);
      void servers.sync(ports, ports.size === 0 ? new Map() : localReadyCounts(servicePorts, endpoints));
    },
  };
}
