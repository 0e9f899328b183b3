import type { ServiceObject, ServiceSpec } from './types.ts';
import { isExternallyAccessible, mayHaveNodePorts, needsClusterIP } from './types.ts';

const defaultAffinityTimeoutSeconds = 10800;

/** Defaults that depend on nothing but the Service itself (core/v1 API documentation of each field). */
export function setServiceDefaults({ spec, status }: ServiceObject): void {
  spec.sessionAffinity ||= 'None';
  spec.type ||= 'ClusterIP';
  setAffinityDefaults(spec);
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port ?? 0;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (needsClusterIP(spec)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
  }
}

function setAffinityDefaults(spec: ServiceSpec): void {
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity !== 'ClientIP') return;
  const clientIP = spec.sessionAffinityConfig?.clientIP ?? {};
  clientIP.timeoutSeconds ??= defaultAffinityTimeoutSeconds;
  spec.sessionAffinityConfig = { ...spec.sessionAffinityConfig, clientIP };
}

/** Fields that an ExternalName Service silently loses. */
export function dropUnused(spec: ServiceSpec): void {
  if (spec.type === 'ExternalName') delete spec.internalTrafficPolicy;
  if (!mayHaveNodePorts(spec)) for (const port of spec.ports ?? []) if (port.nodePort === 0) delete port.nodePort;
}
