import type { AddressType, Endpoint, EndpointSlice } from '../objects/endpointslice.ts';
import { type Node, ZONE_LABEL } from '../objects/node.ts';
import { isPodReady, type Pod } from '../objects/pod.ts';
import type { Service } from '../objects/service.ts';

/** A Pod that has run to its end has no business in a slice, whatever its conditions still say. */
export function hasTerminated(pod: Pod): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

/** Whether a Pod matched by a selector can appear in slices: it has an address and has not run to its end. */
export function isCandidate(pod: Pod): boolean {
  return !hasTerminated(pod) && Boolean(pod.status.podIP || pod.status.podIPs?.length);
}

/**
 * The endpoint that stands for `pod`. All three conditions are always given (EndpointSlice API documentation); a
 * terminating Pod is never ready unless the Service publishes addresses that are not.
 */
export function podEndpoint(
  pod: Pod,
  service: Service,
  node: Node | undefined,
  addresses: readonly string[],
): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const { name, namespace, uid } = pod.metadata;
  const endpoint: Endpoint = {
    addresses: [...addresses],
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    targetRef: {
      kind: 'Pod',
      ...(namespace === undefined ? {} : { namespace }),
      name,
      ...(uid === undefined ? {} : { uid }),
    },
  };
  if (pod.spec.nodeName) endpoint.nodeName = pod.spec.nodeName;
  const zone = node?.metadata.labels?.[ZONE_LABEL];
  if (zone) endpoint.zone = zone;
  // The name under which the Pod is found in DNS, only where the Service is its subdomain (DNS for Pods).
  if (pod.spec.hostname && pod.spec.subdomain === service.metadata.name) endpoint.hostname = pod.spec.hostname;
  return endpoint;
}

/** API documentation: a nil `ready` "should be interpreted as ready". */
export function isEndpointReady(endpoint: Endpoint): boolean {
  return endpoint.conditions?.ready !== false;
}

/** Two endpoints are the same one when addresses, hostname and target Pod's name agree; everything else may change. */
export function endpointIdentity({ addresses, hostname, targetRef }: Endpoint): string {
  const sorted = addresses.length > 1 ? [...addresses].sort().join(',') : (addresses[0] ?? '');
  return `${sorted}|${hostname ?? ''}|${targetRef?.namespace ?? ''}/${targetRef?.name ?? ''}`;
}

/** Whether two endpoints of one identity agree in all that the controller writes, hints aside. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  const [p, q] = [a.conditions ?? {}, b.conditions ?? {}];
  const [s, t] = [a.targetRef ?? {}, b.targetRef ?? {}];
  return (
    a.nodeName === b.nodeName &&
    a.zone === b.zone &&
    p.ready === q.ready &&
    p.serving === q.serving &&
    p.terminating === q.terminating &&
    s.kind === t.kind &&
    s.namespace === t.namespace &&
    s.name === t.name &&
    s.uid === t.uid &&
    s.apiVersion === t.apiVersion &&
    s.fieldPath === t.fieldPath
  );
}

/** An address type that holds IP addresses: the only ones this controller writes. */
export type WrittenAddressType = Exclude<AddressType, 'FQDN'>;

/**
 * The address types a Service wants slices of. Without `ipFamilies` (objects older than dual-stack) the cluster IP
 * tells; a headless Service then gets both.
 */
export function wantedAddressTypes(service: Service): WrittenAddressType[] {
  const families = new Set(service.spec.ipFamilies?.filter((f) => f === 'IPv4' || f === 'IPv6'));
  if (families.size > 0) return [...families];
  const { clusterIP } = service.spec;
  if (!clusterIP || clusterIP === 'None') return ['IPv4', 'IPv6'];
  return [clusterIP.includes(':') ? 'IPv6' : 'IPv4'];
}

/** Whether the slice was written for this very Service, not for one of the same name before it. */
export function isOwnedBy(slice: EndpointSlice, service: Service): boolean {
  return (
    slice.metadata.ownerReferences?.some(
      (owner) => owner.uid === service.metadata.uid && owner.kind === 'Service' && owner.apiVersion === 'v1',
    ) ?? false
  );
}
