import type { IPFamily } from '../objects/meta.ts';
import { checkAgainstCluster } from './config/cluster-checks.ts';
import { type FamilySettings, familySettings, nodePortCIDRs } from './config/family-settings.ts';
import type { KubeProxyConfiguration } from './config/types.ts';
import { type FamilySupportInputs, supportedFamilies } from './ip-families.ts';
import { chooseNodeIPs, type NodeFacts, nodeIPsWarning } from './node.ts';

export interface StartPlan {
  /** Families that a proxier runs for, the primary one first. */
  readonly families: readonly IPFamily[];
  /** One for each family. */
  readonly settings: readonly FamilySettings[];
  /** Lines for the log. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** The proxier must not start. */
  readonly fatal?: string;
}

/**
 * What to run on this node, from its configuration, its Node object and what the machine can do.
 * @throws UserError without support for the node's primary family
 */
export function planStart(config: KubeProxyConfiguration, facts: NodeFacts, support: FamilySupportInputs): StartPlan {
  const nodeIPs = chooseNodeIPs(facts.hostIPs, config.bindAddress);
  const { families, notes } = supportedFamilies(support, nodeIPs.primaryFamily);
  const inputs = { nodeIPs: nodeIPs.ips, podCIDRs: facts.podCIDRs };
  const checks = checkAgainstCluster({
    config,
    nodePortCIDRs: nodePortCIDRs(config, inputs),
    podCIDRs: facts.podCIDRs,
    primaryFamily: nodeIPs.primaryFamily,
    dualStack: families.length === 2,
  });
  const doubt = nodeIPsWarning(nodeIPs);
  return {
    families,
    settings: families.map((family) => familySettings(config, family, inputs)),
    notes,
    warnings: [...(doubt === undefined ? [] : [doubt]), ...checks.warnings],
    ...(checks.fatal !== undefined && { fatal: checks.fatal }),
  };
}
