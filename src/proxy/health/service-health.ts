import { splitObjectKey } from '../../objects/meta.ts';
import { type HttpReply, json } from '../../observe/http-server.ts';
import type { EndpointsMap } from '../endpoints.ts';
import type { ServiceKey } from '../names.ts';
import type { ServicePortMap } from '../service-ports.ts';

/** The health-check node port of each Service that has one. */
export type HealthCheckPorts = ReadonlyMap<ServiceKey, number>;

/** For Services with a health-check node port: how many ready endpoints run on this node. */
export type LocalReadyCounts = ReadonlyMap<ServiceKey, number>;

export function healthCheckPorts(services: ServicePortMap): HealthCheckPorts {
  const ports = new Map<ServiceKey, number>();
  for (const { service, healthCheckNodePort } of services.values()) {
    if (healthCheckNodePort !== 0) ports.set(service, healthCheckNodePort);
  }
  return ports;
}

/** Distinct addresses over all ports of a Service. Terminating endpoints are not ready, even where traffic falls back to them. */
export function localReadyCounts(services: ServicePortMap, endpoints: EndpointsMap): LocalReadyCounts {
  const addresses = new Map<ServiceKey, Set<string>>();
  for (const [name, { service, healthCheckNodePort }] of services) {
    if (healthCheckNodePort === 0) continue;
    const found = addresses.get(service) ?? new Set();
    addresses.set(service, found);
    for (const { ip, ready, isLocal } of endpoints.get(name) ?? []) if (ready && isLocal) found.add(ip);
  }
  return new Map([...addresses].map(([service, found]) => [service, found.size]));
}

export interface HealthPortPlan {
  /** To be closed first: one Service's old port can be another's new one. */
  readonly close: readonly ServiceKey[];
  readonly open: readonly { readonly service: ServiceKey; readonly port: number }[];
}

/** What turns the ports that are open into those that should be. */
export function planHealthPorts(running: HealthCheckPorts, desired: HealthCheckPorts): HealthPortPlan {
  const close = [...running].filter(([service, port]) => desired.get(service) !== port);
  const open = [...desired].filter(([service, port]) => running.get(service) !== port);
  return { close: close.map(([service]) => service), open: open.map(([service, port]) => ({ service, port })) };
}

/**
 * What a health-check node port answers to any request, as cloud load balancers expect it. `proxyHealthy` is about all families, and
 * not about the node's eligibility.
 */
export function serviceHealthReply(service: ServiceKey, localEndpoints: number, proxyHealthy: boolean): HttpReply {
  const { namespace, name } = splitObjectKey(service);
  const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: proxyHealthy };
  return {
    ...json(body, localEndpoints > 0 && proxyHealthy ? 200 : 503),
    body: JSON.stringify(body, undefined, '\t'),
    headers: { 'x-load-balancing-endpoint-weight': String(localEndpoints) },
  };
}
