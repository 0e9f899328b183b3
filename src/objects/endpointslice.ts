import type { KubeObject, ObjectReference, Protocol } from './meta.ts';

/** discovery.k8s.io/v1. Names and values from the EndpointSlice API documentation. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';
export const TRIGGER_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';
/** The value upstream's controller writes, so that either implementation adopts the other's slices. */
export const CONTROLLER_NAME = 'endpointslice-controller.k8s.io';

export type AddressType = 'IPv4' | 'IPv6' | 'FQDN';

export interface EndpointPort {
  name?: string;
  protocol?: Protocol;
  port?: number;
  appProtocol?: string;
}

export interface EndpointConditions {
  ready?: boolean;
  serving?: boolean;
  terminating?: boolean;
}

export interface EndpointHints {
  forZones?: { name: string }[];
  forNodes?: { name: string }[];
}

export interface Endpoint {
  addresses: string[];
  conditions?: EndpointConditions;
  hostname?: string;
  nodeName?: string;
  zone?: string;
  targetRef?: ObjectReference;
  hints?: EndpointHints;
  deprecatedTopology?: Record<string, string>;
}

export interface EndpointSlice extends KubeObject {
  apiVersion?: string;
  kind?: string;
  addressType: AddressType;
  /** The API server serves an empty list as `null`; the projection turns that into `[]`. */
  endpoints: Endpoint[];
  /** As `endpoints`. */
  ports: EndpointPort[];
}
