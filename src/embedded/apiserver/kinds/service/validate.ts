import type { Cause } from '../../kind.ts';
import { cidrSyntax, validateAddress, validateReachable } from '../validation/addresses.ts';
import { eachInvalid, forbidden, invalid, notSupported, required } from '../validation/causes.ts';
import { validateLabels } from '../validation/metadata.ts';
import { dns1123Subdomain, portNumber, qualifiedName } from '../validation/names.ts';
import {
  isExternallyAccessible,
  isHeadless,
  mayHaveNodePorts,
  needsClusterIP,
  needsHealthCheckPort,
  noClusterIP,
  type ServiceSpec,
} from './types.ts';
import { validatePorts } from './validate-ports.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const policies = ['Cluster', 'Local'];
const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const longestAffinitySeconds = 86400;

/** Everything about a Service's spec that does not depend on what it was before. */
export function validateServiceSpec(spec: ServiceSpec): Cause[] {
  const causes: Cause[] = [];
  if (spec.type === 'ExternalName') {
    if (!spec.externalName) causes.push(required('spec.externalName'));
    else {
      const host = spec.externalName.replace(/\.$/, '');
      causes.push(...eachInvalid('spec.externalName', spec.externalName, dns1123Subdomain(host)));
    }
  } else if (!isHeadless(spec) && (spec.ports?.length ?? 0) === 0) causes.push(required('spec.ports'));
  if (mayHaveNodePorts(spec) && isHeadless(spec)) {
    causes.push(invalid('spec.clusterIPs[0]', noClusterIP, `may not be set to 'None' for ${spec.type} services`));
  }
  causes.push(...validatePorts(spec), ...validateLabels(spec.selector, 'spec.selector'), ...validateAffinity(spec));
  if (!spec.type) causes.push(required('spec.type'));
  else if (!types.includes(spec.type)) causes.push(notSupported('spec.type', spec.type, types));
  if (spec.type === 'ExternalName') causes.push(...validateNoAddresses(spec));
  spec.externalIPs?.forEach((ip, i) => {
    const field = `spec.externalIPs[${i}]`;
    const syntax = validateAddress(ip, field);
    causes.push(...(syntax.length > 0 ? syntax : validateReachable(ip, field)));
  });
  causes.push(...validateLoadBalancer(spec), ...validatePolicies(spec));
  const { trafficDistribution } = spec;
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution)) {
    causes.push(notSupported('spec.trafficDistribution', trafficDistribution, distributions));
  }
  return causes;
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): Cause[] {
  const field = 'spec.sessionAffinity';
  if (!sessionAffinity) return [required(field)];
  if (sessionAffinity !== 'ClientIP' && sessionAffinity !== 'None') {
    return [notSupported(field, sessionAffinity, ['ClientIP', 'None'])];
  }
  if (sessionAffinity === 'None') return [];
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  if (seconds > 0 && seconds <= longestAffinitySeconds) return [];
  const why = `must be greater than 0 and less than ${longestAffinitySeconds}`;
  return [invalid('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, why)];
}

function validateNoAddresses(spec: ServiceSpec): Cause[] {
  const why = 'may not be set for ExternalName services';
  return [
    ...(spec.clusterIPs?.length || spec.clusterIP ? [forbidden('spec.clusterIPs', why)] : []),
    ...(spec.ipFamilies?.length ? [forbidden('spec.ipFamilies', why)] : []),
    ...(spec.ipFamilyPolicy !== undefined ? [forbidden('spec.ipFamilyPolicy', why)] : []),
  ];
}

function validateLoadBalancer(spec: ServiceSpec): Cause[] {
  const isLoadBalancer = spec.type === 'LoadBalancer';
  const why = "may only be used when `type` is 'LoadBalancer'";
  const causes: Cause[] = [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !isLoadBalancer) causes.push(forbidden('spec.LoadBalancerSourceRanges', why));
  else {
    ranges.forEach((range, i) => {
      causes.push(...eachInvalid(`spec.LoadBalancerSourceRanges[${i}]`, range, cidrSyntax(range.trim())));
    });
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer) {
    causes.push(forbidden('spec.allocateLoadBalancerNodePorts', why));
  }
  const { loadBalancerClass } = spec;
  if (loadBalancerClass !== undefined) {
    const field = 'spec.loadBalancerClass';
    if (isLoadBalancer) causes.push(...eachInvalid(field, loadBalancerClass, qualifiedName(loadBalancerClass)));
    else causes.push(forbidden(field, why));
  }
  return causes;
}

function validatePolicies(spec: ServiceSpec): Cause[] {
  const causes: Cause[] = [];
  const { externalTrafficPolicy, internalTrafficPolicy, healthCheckNodePort } = spec;
  const external = 'spec.externalTrafficPolicy';
  if (!isExternallyAccessible(spec)) {
    if (externalTrafficPolicy) {
      causes.push(invalid(external, externalTrafficPolicy, 'may only be set for externally-accessible services'));
    }
  } else if (!externalTrafficPolicy) causes.push(required(external));
  else if (!policies.includes(externalTrafficPolicy)) {
    causes.push(notSupported(external, externalTrafficPolicy, policies));
  }
  const health = 'spec.healthCheckNodePort';
  if (healthCheckNodePort && !needsHealthCheckPort(spec)) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    causes.push(invalid(health, healthCheckNodePort, why));
  } else if (healthCheckNodePort)
    causes.push(...eachInvalid(health, healthCheckNodePort, portNumber(healthCheckNodePort)));
  const internal = 'spec.internalTrafficPolicy';
  if (needsClusterIP(spec) && !internalTrafficPolicy) causes.push(required(internal));
  else if (internalTrafficPolicy && !policies.includes(internalTrafficPolicy)) {
    causes.push(notSupported(internal, internalTrafficPolicy, policies));
  }
  return causes;
}
