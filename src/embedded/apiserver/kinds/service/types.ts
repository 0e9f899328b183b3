import type { RawObject } from '../../kind.ts';
import type { Family } from '../validation/addresses.ts';

export type FamilyPolicy = 'SingleStack' | 'PreferDualStack' | 'RequireDualStack';

/** A Service after decoding: every field has its type, none need be there. */
export interface ServiceObject extends RawObject {
  spec: ServiceSpec;
  status: ServiceStatus;
}

export interface ServiceSpec {
  type?: string;
  ports?: ServicePort[];
  selector?: Record<string, string>;
  clusterIP?: string;
  clusterIPs?: string[];
  ipFamilies?: Family[];
  ipFamilyPolicy?: FamilyPolicy;
  externalIPs?: string[];
  externalName?: string;
  sessionAffinity?: string;
  sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } };
  externalTrafficPolicy?: string;
  internalTrafficPolicy?: string;
  healthCheckNodePort?: number;
  allocateLoadBalancerNodePorts?: boolean;
  loadBalancerClass?: string;
  loadBalancerIP?: string;
  loadBalancerSourceRanges?: string[];
  publishNotReadyAddresses?: boolean;
  trafficDistribution?: string;
}

export interface ServicePort {
  name?: string;
  protocol?: string;
  port?: number;
  targetPort?: number | string;
  nodePort?: number;
  appProtocol?: string;
}

export interface ServiceStatus {
  loadBalancer: { ingress?: Ingress[] };
  conditions?: unknown[];
}

export interface Ingress {
  ip?: string;
  hostname?: string;
  ipMode?: string;
  ports?: { port: number; protocol: string; error?: string }[];
}

/** What the server hands out addresses and ports from. */
export interface ServiceNetwork {
  /** One CIDR, or two of different families; the first one's family is the default. */
  serviceCIDRs: string[];
  /** Inclusive. */
  nodePortRange: { from: number; to: number };
}

/** An object of this kind's bucket; decoding made sure of the types. */
export function asService(object: RawObject): ServiceObject {
  return object as ServiceObject;
}

export const noClusterIP = 'None';

export function isHeadless(spec: ServiceSpec): boolean {
  return spec.clusterIPs?.[0] === noClusterIP || spec.clusterIP === noClusterIP;
}

export function isHeadlessWithoutSelector(spec: ServiceSpec): boolean {
  return isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
}

export function needsClusterIP({ type }: ServiceSpec): boolean {
  return type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer';
}

/** Whether ports of this Service may carry a node port. */
export function mayHaveNodePorts({ type }: ServiceSpec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer';
}

/** Whether ports without a node port are given one. */
export function wantsNodePorts(spec: ServiceSpec): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
}

export function needsHealthCheckPort(spec: ServiceSpec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

export function isExternallyAccessible(spec: ServiceSpec): boolean {
  return mayHaveNodePorts(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0);
}
