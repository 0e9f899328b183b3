import { addressWarning, cidrWarning } from '../validation/addresses.ts';
import { isHeadless, type ServiceObject } from './types.ts';

const deprecatedHints = 'service.kubernetes.io/topology-aware-hints';

/** What is allowed but should not be written any more, or has no effect. */
export function serviceWarnings({ metadata, spec }: ServiceObject): string[] {
  const warnings: string[] = [];
  if (metadata.annotations?.[deprecatedHints] !== undefined) {
    const mode = 'service.kubernetes.io/topology-mode';
    warnings.push(`annotation ${deprecatedHints} is deprecated, please use ${mode} instead`);
  }
  if (isHeadless(spec)) {
    if (spec.sessionAffinity === 'ClientIP') warnings.push('spec.SessionAffinity is ignored for headless services');
    return warnings;
  }
  if (spec.externalIPs?.length) {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  spec.clusterIPs?.forEach((ip, i) => {
    warnings.push(...addressWarning(`spec.clusterIPs[${i}]`, ip));
  });
  if (spec.loadBalancerIP) warnings.push(...addressWarning('spec.loadBalancerIP', spec.loadBalancerIP));
  spec.loadBalancerSourceRanges?.forEach((range, i) => {
    warnings.push(...cidrWarning(`spec.loadBalancerSourceRanges[${i}]`, range.trim()));
  });
  if (spec.externalName && spec.type !== 'ExternalName') {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
