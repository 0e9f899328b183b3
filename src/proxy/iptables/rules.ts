import type { ServiceKey, ServicePortName } from '../names.ts';
import { SortedMap } from '../sorted-map.ts';

/**
 * One rule's words after `-A CHAIN `, exactly as they go into iptables-restore: words joined by one space, a comment quoted
 * when it has a space in it. Example: `-m comment --comment ns/svc:p80 -j KUBE-SEP-SXIVWICOYRO3J4NJ`.
 */
export type RuleText = string;

export type TableName = 'filter' | 'nat';

/** The rules that one service port contributes. Plain data; equal inputs give deep-equal values. */
export interface ServicePortRules {
  /** The namespaced name of the Service, `ns/name`. */
  service: ServiceKey;
  /** Rules that stand in chains shared by all Services, in the order to write them. */
  dispatch: DispatchRule[];
  /** The chains that this service port alone owns (KUBE-SVC-, -SVL-, -EXT-, -FW-, -SEP-), in the order to declare them. */
  chains: ReadonlyMap<string, readonly RuleText[]>;
  /** For the gauges: service ports with Local policy and endpoints somewhere, but none on this node. */
  noLocalEndpoints: { internal: boolean; external: boolean };
}

export interface DispatchRule {
  table: TableName;
  chain: 'KUBE-SERVICES' | 'KUBE-NODEPORTS' | 'KUBE-EXTERNAL-SERVICES' | 'KUBE-PROXY-FIREWALL';
  rule: RuleText;
}

/** The rules that exist whatever the Services are. */
export interface StaticRules {
  /** Full contents of KUBE-POSTROUTING, KUBE-MARK-MASQ (nat), KUBE-FORWARD, KUBE-FIREWALL (filter); chain -> rules. */
  chains: Record<TableName, ReadonlyMap<string, readonly RuleText[]>>;
  /** The rules that must stay last in nat KUBE-SERVICES (the jump to KUBE-NODEPORTS). */
  servicesTail: readonly RuleText[];
}

/** A jump from a built-in chain to one of ours (spec 1.5.1). `rule` is its words after `-I FROM `. */
export interface JumpRule {
  table: TableName;
  from: string;
  to: string;
  rule: readonly string[];
}

/** Everything that one proxier instance (one IP family) wants in the kernel. */
export interface DesiredRules {
  static: StaticRules;
  /** Ordered by service port name. Entries of unchanged service ports are the same objects as in the previous state. */
  services: ReadonlyMap<ServicePortName, ServicePortRules>;
}

/** A service port whose entry differs between two states; absent: the service port does not exist in that state. */
export interface ServicePortChange {
  readonly key: ServicePortName;
  readonly before: ServicePortRules | undefined;
  readonly after: ServicePortRules | undefined;
}

/**
 * The entries that differ between two states, in order of service port name. The cost grows with the number of changes, not
 * with the number of Services, when `after` was computed from `before` (see desired.ts).
 */
export function changedServicePorts(before: DesiredRules, after: DesiredRules): Iterable<ServicePortChange> {
  return sorted(after.services).changesSince(sorted(before.services));
}

function sorted(
  services: ReadonlyMap<ServicePortName, ServicePortRules>,
): SortedMap<ServicePortName, ServicePortRules> {
  return services instanceof SortedMap ? services : SortedMap.from(services);
}
