import type { Protocol } from '../objects/meta.ts';

/**
 * Identifies one port of one Service: `ns/name:port/PROTOCOL` (`ns/name/PROTOCOL` for an unnamed port). Upstream's string form
 * without the protocol, which goes into comments and hashes, comes from `displayName`.
 */
export type ServicePortName = string & { readonly __brand: 'ServicePortName' };

export function servicePortName(
  namespace: string,
  service: string,
  port: string | undefined,
  protocol: Protocol,
): ServicePortName {
  return `${displayName(namespace, service, port)}/${protocol}` as ServicePortName;
}

/** `ns/name`, or `ns/name:port` for a named port: how upstream prints a service port in comments and hashes. */
export function displayName(namespace: string, service: string, port: string | undefined): string {
  return port ? `${namespace}/${service}:${port}` : `${namespace}/${service}`;
}
