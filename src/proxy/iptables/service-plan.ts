import type { CategorizedEndpoints } from '../categorize.ts';
import type { ProxyRulesConfig } from '../config-types.ts';
import type { ServicePortRecord } from '../service-ports.ts';
import { type ServiceChainNames, serviceChainNames } from './chain-names.ts';

/** One service port with everything decided that its rules depend on. */
export interface ServicePortPlan {
  readonly record: ServicePortRecord;
  readonly config: ProxyRulesConfig;
  readonly names: ServiceChainNames;
  readonly endpoints: CategorizedEndpoints;
  /** The externalIPs that get rules: none with the gate AllowServiceExternalIPs off. */
  readonly externalIPs: readonly string[];
  /** The policy chain of traffic from inside, and whether it leads anywhere on this node. */
  readonly internal: { readonly chain: string; readonly usable: boolean };
  /** The policy chain of traffic from outside, and whether it leads anywhere on this node. */
  readonly external: { readonly chain: string; readonly usable: boolean };
  /** Load balancer traffic passes the source range check first. */
  readonly firewalled: boolean;
}

export function planServicePort(
  record: ServicePortRecord,
  endpoints: CategorizedEndpoints,
  config: ProxyRulesConfig,
): ServicePortPlan {
  const names = serviceChainNames(record.display, record.protocol);
  const path = (local: boolean) => ({
    chain: local ? names.localPolicy : names.clusterPolicy,
    usable: endpoints.hasAny && !(local && endpoints.local.length === 0),
  });
  return {
    record,
    config,
    names,
    endpoints,
    externalIPs: config.featureGates.AllowServiceExternalIPs ? record.externalIPs : [],
    internal: path(record.internalPolicyLocal),
    external: path(record.externalPolicyLocal),
    firewalled: endpoints.hasAny && record.loadBalancerVIPs.length > 0 && record.loadBalancerSourceRanges.length > 0,
  };
}
