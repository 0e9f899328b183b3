import type { IPFamily } from '../../objects/meta.ts';
import { parseAddress, parseNetwork } from '../addresses.ts';
import { clusterCIDRs } from './family-settings.ts';
import { splitHostPort } from './host-port.ts';
import type { KubeProxyConfiguration } from './types.ts';

export interface ClusterInputs {
  readonly config: KubeProxyConfiguration;
  /** With `primary` replaced; see `nodePortCIDRs`. */
  readonly nodePortCIDRs: readonly string[];
  readonly podCIDRs: readonly string[];
  readonly primaryFamily: IPFamily;
  /** This machine can do both families. */
  readonly dualStack: boolean;
}

export interface ClusterChecks {
  readonly warnings: readonly string[];
  /** The proxier must not start. */
  readonly fatal?: string;
}

/** What kube-proxy 1.36 says at start about a configuration that does not fit the node's IP families. */
export function checkAgainstCluster(inputs: ClusterInputs): ClusterChecks {
  const { config, podCIDRs, primaryFamily, dualStack } = inputs;
  const other = otherFamily(primaryFamily);
  const cluster = `cluster is ${primaryFamily}-${dualStack ? 'primary' : 'only'}`;
  const warnings = [...nodePortWarnings(inputs)];
  let fatal: string | undefined;
  if (allOf(clusterCIDRs(config), other)) {
    const line = `${cluster} but clusterCIDRs contains only ${other} addresses`;
    if (config.detectLocalMode === 'ClusterCIDR' && !dualStack) fatal = line;
    else warnings.push(line);
  }
  if (allOf(podCIDRs, other)) {
    const line = `${cluster} but node.spec.podCIDRs contains only ${other} addresses`;
    if (config.detectLocalMode === 'NodeCIDR') fatal = line;
    else warnings.push(line);
  }
  if (!dualStack) {
    for (const field of ['healthzBindAddress', 'metricsBindAddress'] as const) {
      if (boundTo(config[field], other)) warnings.push(`${cluster} but ${field} is ${other}`);
    }
  }
  return fatal === undefined ? { warnings } : { warnings, fatal };
}

function nodePortWarnings({ config, nodePortCIDRs, podCIDRs, primaryFamily }: ClusterInputs): string[] {
  const other = otherFamily(primaryFamily);
  const open = (family: IPFamily) => `NodePort connections will be accepted on all local ${family} IPs`;
  if (nodePortCIDRs.length === 0) {
    return [
      'nodePortAddresses is unset; NodePort connections will be accepted on all local IPs. ' +
        'Consider using `--nodeport-addresses primary`',
    ];
  }
  const looksDualStack = [clusterCIDRs(config), nodePortCIDRs, podCIDRs].some((cidrs) => familiesOf(cidrs).size === 2);
  if (looksDualStack && allOf(nodePortCIDRs, primaryFamily)) {
    return [
      `cluster appears to be dual-stack but nodePortAddresses contains only ${primaryFamily} addresses; ${open(other)}`,
    ];
  }
  if (allOf(nodePortCIDRs, other)) {
    return [
      `cluster appears to be ${primaryFamily}-primary but nodePortAddresses contains only ${other} addresses; ${open(primaryFamily)}`,
    ];
  }
  return [];
}

function otherFamily(family: IPFamily): IPFamily {
  return family === 'IPv4' ? 'IPv6' : 'IPv4';
}

function familiesOf(cidrs: readonly string[]): Set<IPFamily | undefined> {
  return new Set(cidrs.map((cidr) => parseNetwork(cidr)?.family));
}

/** Not empty, and every one of them of this family. */
function allOf(cidrs: readonly string[], family: IPFamily): boolean {
  const families = familiesOf(cidrs);
  return families.size === 1 && families.has(family);
}

function boundTo(address: string, family: IPFamily): boolean {
  const found = parseAddress(splitHostPort(address)?.host ?? '');
  return found?.family === family && found.ip !== '0.0.0.0' && found.ip !== '::';
}
