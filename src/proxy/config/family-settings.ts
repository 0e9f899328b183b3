import type { Milliseconds } from '../../duration.ts';
import type { IPFamily } from '../../objects/meta.ts';
import { parseNetwork } from '../addresses.ts';
import { type LocalDetector, masqueradeMark, type ProxyFeatureGates } from '../config-types.ts';
import { localDetectorFor } from '../local-detector.ts';
import { effectiveLocalhostNodePorts, expandNodePortAddresses } from '../node-ports.ts';
import { readFeatureGates } from './feature-gates.ts';
import { isDetectLocalMode, type KubeProxyConfiguration } from './types.ts';

/** What the proxier of one family takes from the configuration; the names are those of `ProxyRulesConfig`. */
export interface FamilySettings {
  readonly ipFamily: IPFamily;
  readonly nodeIP: string;
  readonly masqueradeAll: boolean;
  readonly masqueradeMark: string;
  readonly localDetector: LocalDetector | undefined;
  /** In effect; when true, sysctl `net/ipv4/conf/all/route_localnet` has to be 1. */
  readonly localhostNodePorts: boolean;
  /** CIDRs of this family only. Empty: every local address. */
  readonly nodePortAddresses: readonly string[];
  readonly featureGates: ProxyFeatureGates;
  readonly syncPeriod: Milliseconds;
  readonly minSyncPeriod: Milliseconds;
}

export interface NodeInputs {
  readonly nodeIPs: Readonly<Record<IPFamily, string>>;
  /** As read at start. */
  readonly podCIDRs: readonly string[];
}

/** `config` is a loaded (so validated) one of mode iptables. */
export function familySettings(config: KubeProxyConfiguration, family: IPFamily, node: NodeInputs): FamilySettings {
  const { iptables } = config;
  const addresses = nodePortCIDRs(config, node);
  return {
    ipFamily: family,
    nodeIP: node.nodeIPs[family],
    masqueradeAll: iptables.masqueradeAll,
    masqueradeMark: masqueradeMark(iptables.masqueradeBit),
    localDetector: localDetector(config, family, node.podCIDRs),
    localhostNodePorts: effectiveLocalhostNodePorts(iptables.localhostNodePorts, addresses, family),
    nodePortAddresses: addresses.filter((cidr) => parseNetwork(cidr)?.family === family),
    featureGates: readFeatureGates(config.featureGates).gates,
    syncPeriod: iptables.syncPeriod,
    minSyncPeriod: iptables.minSyncPeriod,
  };
}

/** `nodePortAddresses` with the word `primary` replaced, of both families. */
export function nodePortCIDRs(config: KubeProxyConfiguration, { nodeIPs }: NodeInputs): string[] {
  return expandNodePortAddresses(config.nodePortAddresses ?? [], [nodeIPs.IPv4, nodeIPs.IPv6]);
}

export function clusterCIDRs({ clusterCIDR }: KubeProxyConfiguration): string[] {
  return clusterCIDR === '' ? [] : clusterCIDR.split(',');
}

function localDetector(config: KubeProxyConfiguration, family: IPFamily, podCIDRs: readonly string[]) {
  const { detectLocalMode: mode, detectLocal } = config;
  if (!isDetectLocalMode(mode)) throw new RangeError(`detectLocalMode: ${JSON.stringify(mode)} is not known`);
  const cidrs = mode === 'ClusterCIDR' ? clusterCIDRs(config) : [];
  return localDetectorFor({ mode, clusterCIDRs: cidrs, podCIDRs, ...detectLocal }, family);
}
