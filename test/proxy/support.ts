import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { objectKey } from '../../src/objects/meta.ts';
import type { Service } from '../../src/objects/service.ts';
import type { ProxyRulesConfig } from '../../src/proxy/config-types.ts';
import { endpointsOfService, serviceOfSlice } from '../../src/proxy/endpoints.ts';
import {
  computeDesired,
  type DesiredChanges,
  type DesiredState,
  emptyDesired,
} from '../../src/proxy/iptables/desired.ts';
import { servicePorts } from '../../src/proxy/service-ports.ts';

/** Everything in a cluster as one change from nothing. */
export function asChanges(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  config: ProxyRulesConfig,
): DesiredChanges {
  const bySlice = Map.groupBy(slices, (slice) => serviceOfSlice(slice, config.ipFamily));
  bySlice.delete(undefined);
  return {
    services: new Map(
      services.map((service) => [
        objectKey(service.metadata),
        { before: new Map(), after: servicePorts(service, config.ipFamily).ports },
      ]),
    ),
    endpoints: new Map(
      [...bySlice].map(([service = '', of]) => [
        service,
        { before: new Map(), after: endpointsOfService(of, config).endpoints },
      ]),
    ),
  };
}

/** The state computed from scratch, without any tracker. */
export function desiredFor(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  config: ProxyRulesConfig,
): DesiredState {
  return computeDesired(emptyDesired(config), asChanges(services, slices, config));
}
