import type { IPFamily } from '../objects/meta.ts';

/** How a proxier tells traffic from pods of this node from all other traffic (KubeProxyConfiguration `detectLocalMode`). */
export type DetectLocalMode = 'ClusterCIDR' | 'NodeCIDR' | 'BridgeInterface' | 'InterfaceNamePrefix';

/** `value` is a canonical CIDR in the two CIDR modes, an interface name or prefix (without `+`) in the other two. */
export interface LocalDetector {
  readonly mode: DetectLocalMode;
  readonly value: string;
}

/** Which nfacct counters exist in the kernel; rules name a counter only when it does. */
export interface NfacctCounters {
  /** `ct_state_invalid_dropped_pkts` */
  readonly ctStateInvalidDropped: boolean;
  /** `localhost_nps_accepted_pkts` */
  readonly localhostNodePortsAccepted: boolean;
}

/** Gates of kube-proxy 1.36 that change rules; both are on by default. */
export interface ProxyFeatureGates {
  /** Node hints (`hints.forNodes`) are honoured. */
  readonly PreferSameTrafficDistribution: boolean;
  /** `spec.externalIPs` get rules. */
  readonly AllowServiceExternalIPs: boolean;
}

export const DEFAULT_FEATURE_GATES: ProxyFeatureGates = {
  PreferSameTrafficDistribution: true,
  AllowServiceExternalIPs: true,
};

/** Everything besides Services and EndpointSlices that decides what the rules of one proxier instance (one family) are. */
export interface ProxyRulesConfig {
  readonly ipFamily: IPFamily;
  /** Lower case; endpoints whose `nodeName` equals it are local. Empty: nothing is local. */
  readonly nodeName: string;
  /** This node's address of the family; only compared with load balancer source ranges. */
  readonly nodeIP: string | undefined;
  /** Value of the own Node's `topology.kubernetes.io/zone` label, `''` without one. */
  readonly zone: string;
  readonly masqueradeAll: boolean;
  /** As it stands in rules, for example `0x00004000`; see `masqueradeMark()`. */
  readonly masqueradeMark: string;
  /** `undefined`: no way to tell local traffic, the rules that need it are left out. */
  readonly localDetector: LocalDetector | undefined;
  /** The effective value: already false for IPv6 and when `nodePortAddresses` has no loopback; see `effectiveLocalhostNodePorts()`. */
  readonly localhostNodePorts: boolean;
  /** CIDRs of either family, as configured. None of this family: NodePorts answer on every local address. */
  readonly nodePortAddresses: readonly string[];
  /** Addresses of the node's interfaces, of either family. Consulted only when `nodePortAddresses` restricts this family. */
  readonly nodeAddresses: readonly string[];
  /** iptables knows `MASQUERADE --random-fully` (1.6.2 or later). */
  readonly randomFully: boolean;
  /** `nf_conntrack_tcp_be_liberal` was non-zero at start: INVALID packets are not dropped. */
  readonly conntrackTCPLiberal: boolean;
  readonly nfacctCounters: NfacctCounters;
  readonly featureGates: ProxyFeatureGates;
}

/** The text kube-proxy uses for a masquerade bit: bit 14 is `0x00004000`. @throws RangeError outside 0..31. */
export function masqueradeMark(bit: number): string {
  if (!Number.isInteger(bit) || bit < 0 || bit > 31) throw new RangeError(`masqueradeBit ${bit} is not in 0..31`);
  return `0x${(2 ** bit).toString(16).padStart(8, '0')}`;
}
