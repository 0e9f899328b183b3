import type { IPFamily } from '../objects/meta.ts';
import { parseNetwork } from './addresses.ts';
import type { DetectLocalMode, LocalDetector } from './config-types.ts';

/** Everything the modes draw their value from; each mode reads one field. */
export interface LocalDetectorSources {
  readonly mode: DetectLocalMode;
  /** KubeProxyConfiguration `clusterCIDR`, split at commas. */
  readonly clusterCIDRs: readonly string[];
  /** The own Node's `spec.podCIDRs`, as read at start. */
  readonly podCIDRs: readonly string[];
  readonly bridgeInterface: string;
  readonly interfaceNamePrefix: string;
}

/**
 * The detector of one family; `undefined` when its mode has no value for that family, and then rules that depend on where
 * traffic comes from are left out. @throws RangeError naming the field when a value cannot stand in a rule.
 */
export function localDetectorFor(sources: LocalDetectorSources, family: IPFamily): LocalDetector | undefined {
  switch (sources.mode) {
    case 'ClusterCIDR':
      return fromCIDRs('ClusterCIDR', 'clusterCIDR', sources.clusterCIDRs, family);
    case 'NodeCIDR':
      return fromCIDRs('NodeCIDR', 'podCIDRs', sources.podCIDRs, family);
    case 'BridgeInterface':
      return fromInterface('BridgeInterface', 'detectLocal.bridgeInterface', sources.bridgeInterface);
    case 'InterfaceNamePrefix':
      return fromInterface('InterfaceNamePrefix', 'detectLocal.interfaceNamePrefix', sources.interfaceNamePrefix);
  }
}

/** Rule words that match traffic from pods of this node (or of the cluster, in ClusterCIDR mode). */
export function ifLocal(detector: LocalDetector): string {
  return matchOf(detector);
}

/**
 * Rule words that match all other traffic. In the interface modes that includes traffic of the host itself, because nat
 * OUTPUT has no input interface.
 */
export function ifNotLocal(detector: LocalDetector): string {
  return `! ${matchOf(detector)}`;
}

/** A CIDR that holds every address: nothing is from elsewhere, and iptables-nft refuses a rule that says `! -s 0.0.0.0/0`. */
export function isAllLocal({ value }: LocalDetector): boolean {
  return value.endsWith('/0');
}

function matchOf({ mode, value }: LocalDetector): string {
  switch (mode) {
    case 'ClusterCIDR':
    case 'NodeCIDR':
      return `-s ${value}`;
    case 'BridgeInterface':
      return `-i ${value}`;
    case 'InterfaceNamePrefix':
      return `-i ${value}+`;
  }
}

function fromCIDRs(
  mode: DetectLocalMode,
  field: string,
  cidrs: readonly string[],
  family: IPFamily,
): LocalDetector | undefined {
  for (const text of cidrs) {
    const net = parseNetwork(text.trim());
    if (!net) throw new RangeError(`${field}: ${JSON.stringify(text)} is not a CIDR`);
    if (net.family === family) return { mode, value: net.cidr };
  }
  return undefined;
}

/** The kernel's limit for an interface name is 15 bytes, and iptables counts the `+` of a prefix; no slash or blank may be in it. */
function fromInterface(mode: DetectLocalMode, field: string, name: string): LocalDetector {
  const longest = mode === 'InterfaceNamePrefix' ? 14 : 15;
  if (name.length > longest || !/^[A-Za-z0-9][A-Za-z0-9._:@-]*$/.test(name)) {
    throw new RangeError(`${field}: ${JSON.stringify(name)} is not an interface name`);
  }
  return { mode, value: name };
}
