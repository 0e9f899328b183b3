import type { Protocol } from '../objects/meta.ts';

/**
 * Identifies one port of one Service: `ns/name:port/PROTOCOL` (`ns/name/PROTOCOL` for an unnamed port). Upstream's string form
 * without the protocol, which goes into comments and hashes, comes from `displayName`.
 */
export type ServicePortName = string & { readonly __brand: 'ServicePortName' };

/** `ns/name`: names a Service, across all its ports. */
export type ServiceKey = string;

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

/** What the names of all ports of one Service start with, and no others. */
export function namePrefixes(service: ServiceKey): ServicePortName[] {
  return [`${service}/`, `${service}:`] as ServicePortName[];
}

/**
 * Whether a name may stand in a rule. The API server admits only DNS labels; this is the proxier's own guard that no name
 * can end a word or a line of the restore input, or make a comment longer than the kernel's 255 bytes.
 */
export function isSafeName(name: string): boolean {
  return /^[A-Za-z0-9]([-A-Za-z0-9._]{0,61}[A-Za-z0-9])?$/.test(name);
}

export function isPortNumber(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

export function isProtocol(protocol: string): protocol is Protocol {
  return protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP';
}
