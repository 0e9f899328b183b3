import type { KubeObject } from '../objects/meta.ts';
import { wholeResource } from './projections/whole.ts';

/** The kinds that Slicewise reads, each with the cut that is kept of its objects. */
export { ENDPOINT_SLICES, ENDPOINT_SLICES_READ_ONLY } from './projections/endpointslices.ts';
export { NODES } from './projections/nodes.ts';
export { PODS } from './projections/pods.ts';
export { SERVICES } from './projections/services.ts';
export { wholeResource } from './projections/whole.ts';

export interface Namespace extends KubeObject {
  status?: { phase?: string };
}

export const NAMESPACES = wholeResource<Namespace>({
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
});

/** networking.k8s.io/v1, KEP-1880. */
export interface ServiceCIDR extends KubeObject {
  spec?: { cidrs?: string[] };
}

export const SERVICE_CIDRS = wholeResource<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'servicecidrs',
  kind: 'ServiceCIDR',
  namespaced: false,
});

/** coordination.k8s.io/v1. Times are RFC 3339 with microseconds. */
export interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export const LEASES = wholeResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
});
