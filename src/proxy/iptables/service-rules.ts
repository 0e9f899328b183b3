import { networkContains, parseNetwork } from '../addresses.ts';
import { categorizeEndpoints } from '../categorize.ts';
import type { ProxyRulesConfig } from '../config-types.ts';
import type { ProxyEndpoint } from '../endpoints.ts';
import { ifLocal, ifNotLocal, isAllLocal } from '../local-detector.ts';
import {
  isExternallyAccessible,
  type ServicePortRecord,
  usesClusterEndpoints,
  usesLocalEndpoints,
} from '../service-ports.ts';
import { dispatchRules } from './dispatch-rules.ts';
import { endpointChains, policyRules } from './endpoint-rules.ts';
import type { RuleText, ServicePortRules } from './rules.ts';
import { planServicePort, type ServicePortPlan } from './service-plan.ts';
import { comment, jump, protocolMatch, rule } from './words.ts';

/**
 * All rules of one service port (iptables mode of kube-proxy 1.36; the names of the chains and the texts are its own).
 *
 * @param endpoints sorted by address, as `endpointsOfService` yields them
 * @param endpointComments false in large-cluster mode, where endpoint rules carry no comments
 */
export function servicePortRules(
  record: ServicePortRecord,
  endpoints: readonly ProxyEndpoint[],
  config: ProxyRulesConfig,
  endpointComments: boolean,
): ServicePortRules {
  const plan = planServicePort(record, categorizeEndpoints(record, endpoints, config), config);
  const { hasAny } = plan.endpoints;
  return {
    service: record.service,
    dispatch: dispatchRules(plan),
    chains: serviceChains(plan, endpointComments),
    noLocalEndpoints: { internal: hasAny && !plan.internal.usable, external: hasAny && !plan.external.usable },
  };
}

function serviceChains(plan: ServicePortPlan, endpointComments: boolean): ReadonlyMap<string, readonly RuleText[]> {
  const { record, names, endpoints } = plan;
  const chains = new Map<string, readonly RuleText[]>();
  // Even without a local endpoint the external chain is needed: traffic of pods and of the host takes the cluster policy.
  if (endpoints.hasAny && isExternallyAccessible(record)) chains.set(names.external, externalChain(plan));
  if (plan.firewalled) chains.set(names.firewall, firewallChain(plan));

  const masquerade = (chain: string) =>
    plan.internal.usable && plan.internal.chain === chain ? clusterIPMasquerade(plan) : [];
  const policyChain = (chain: string, members: readonly ProxyEndpoint[]) =>
    chains.set(chain, [...masquerade(chain), ...policyRules(record, members, endpointComments)]);
  if (endpoints.cluster.length > 0 && usesClusterEndpoints(record)) policyChain(names.clusterPolicy, endpoints.cluster);
  if (endpoints.local.length > 0 && usesLocalEndpoints(record)) policyChain(names.localPolicy, endpoints.local);

  for (const [chain, rules] of endpointChains(record, endpoints.allReachable, endpointComments))
    chains.set(chain, rules);
  return chains;
}

/** Traffic to the cluster IP from elsewhere must come back through this node. */
function clusterIPMasquerade({ record, config }: ServicePortPlan): RuleText[] {
  if (!config.masqueradeAll && (!config.localDetector || isAllLocal(config.localDetector))) return [];
  return [
    rule(
      comment(`${record.display} cluster IP`),
      protocolMatch(record.protocol),
      `-d ${record.clusterIP} --dport ${record.port}`,
      config.masqueradeAll || !config.localDetector ? '' : ifNotLocal(config.localDetector),
      jump('KUBE-MARK-MASQ'),
    ),
  ];
}

/** With policy Local the client's address is kept, and traffic from this node's pods and from the host takes a short cut. */
function externalChain({ record, config, names, external }: ServicePortPlan): RuleText[] {
  const about = (what: string) => comment(`${what} for ${record.display} external destinations`);
  const rules: RuleText[] = [];
  if (!record.externalPolicyLocal) {
    rules.push(rule(about('masquerade traffic'), jump('KUBE-MARK-MASQ')));
  } else {
    const fromHost = '-m addrtype --src-type LOCAL';
    if (config.localDetector) {
      rules.push(rule(about('pod traffic'), ifLocal(config.localDetector), jump(names.clusterPolicy)));
    }
    rules.push(rule(about('masquerade LOCAL traffic'), fromHost, jump('KUBE-MARK-MASQ')));
    rules.push(rule(about('route LOCAL traffic'), fromHost, jump(names.clusterPolicy)));
  }
  if (external.usable) rules.push(jump(external.chain));
  return rules;
}

/**
 * Admits the source ranges. What falls through keeps the VIP as its destination and is dropped by filter
 * KUBE-PROXY-FIREWALL; nat itself must not drop, hence the last rule without a target.
 */
function firewallChain({ record, config, names }: ServicePortPlan): RuleText[] {
  const admit = (source: string) =>
    rule(comment(`${record.display} loadbalancer IP`), `-s ${source}`, jump(names.external));
  const rules = record.loadBalancerSourceRanges.map(admit);
  const { nodeIP } = config;
  const containsNode = (cidr: string) => {
    const net = parseNetwork(cidr);
    return nodeIP !== undefined && net !== undefined && networkContains(net, nodeIP);
  };
  // A node that connects to the VIP may appear with the VIP as its source address.
  if (record.loadBalancerSourceRanges.some(containsNode)) rules.push(...record.loadBalancerVIPs.map(admit));
  rules.push(comment(`other traffic to ${record.display} will be dropped by KUBE-PROXY-FIREWALL`));
  return rules;
}
