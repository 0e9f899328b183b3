import type { IPFamily } from '../objects/meta.ts';
import { type Node, ZONE_LABEL } from '../objects/node.ts';
import { UserError } from '../user-error.ts';
import { isLoopback, parseAddress } from './addresses.ts';
import type { DetectLocalMode } from './config-types.ts';

/** What a proxier takes from its own Node object. */
export interface NodeFacts {
  /** At most one address of each family, the primary one first. */
  readonly hostIPs: readonly string[];
  readonly podCIDRs: readonly string[];
  /** `''` without the label. */
  readonly zone: string;
}

export const NO_NODE: NodeFacts = { hostIPs: [], podCIDRs: [], zone: '' };

export function nodeFacts(node: Node | undefined): NodeFacts {
  if (!node) return NO_NODE;
  return {
    hostIPs: hostIPs(node),
    podCIDRs: node.spec.podCIDRs ?? [],
    zone: node.metadata.labels?.[ZONE_LABEL] ?? '',
  };
}

/** InternalIPs come before ExternalIPs: the first of them, and then the first of the other family. */
function hostIPs(node: Node): string[] {
  const listed = node.status.addresses ?? [];
  const candidates = ['InternalIP', 'ExternalIP'].flatMap((type) =>
    listed.filter((entry) => entry.type === type).flatMap((entry) => parseAddress(entry.address) ?? []),
  );
  const [first] = candidates;
  const other = candidates.find((address) => address.family !== first?.family);
  return [first, other].flatMap((address) => address?.ip ?? []);
}

/** The hostname that stands in for the Node's name unless one is configured; both lower case, without blanks around. */
export function nodeName(hostnameOverride: string, hostname: string): string {
  const name = (hostnameOverride || hostname).trim().toLowerCase();
  if (name === '') throw new UserError("this machine has no hostname; give the Node's name with --hostname-override");
  return name;
}

export interface NodeIPs {
  readonly primaryFamily: IPFamily;
  /** Loopback where nothing better is known. */
  readonly ips: Readonly<Record<IPFamily, string>>;
}

/** `bindAddress` wins over the Node object, for the primary family, unless it is 0.0.0.0 or `::`. */
export function chooseNodeIPs(hostIPs: readonly string[], bindAddress: string): NodeIPs {
  const known = hostIPs.flatMap((ip) => parseAddress(ip) ?? []);
  const bind = parseAddress(bindAddress);
  const override = bind && bind.ip !== '0.0.0.0' && bind.ip !== '::' ? bind : undefined;
  const chosen = override ? [override, ...known.filter((address) => address.family !== override.family)] : known;
  const ipOf = (family: IPFamily) => chosen.find((address) => address.family === family)?.ip;
  return {
    primaryFamily: chosen[0]?.family ?? 'IPv4',
    ips: { IPv4: ipOf('IPv4') ?? '127.0.0.1', IPv6: ipOf('IPv6') ?? '::1' },
  };
}

/** A line for the log when the node's own address is unknown. */
export function nodeIPsWarning({ primaryFamily, ips }: NodeIPs): string | undefined {
  if (!isLoopback(ips[primaryFamily])) return undefined;
  return `this node's address is not known, ${ips[primaryFamily]} is assumed; --bind-address sets it`;
}

/** What a proxier has to do when its Node object has changed. */
export interface NodeChange {
  /** Lines for the log. */
  readonly notes: readonly string[];
  /** The new zone: topology hints have to be read again, in a full sync. */
  readonly zone?: string;
  /** Rules cannot follow this change; the process exits with status 1, to be started again. */
  readonly exit?: string;
}

/** `before` holds the facts that the proxier works with. Upstream as here, changed node addresses are not followed. */
export function nodeChange(before: NodeFacts, after: NodeFacts, mode: DetectLocalMode): NodeChange {
  const changed = (a: readonly string[], b: readonly string[]) => a.join() !== b.join();
  const said = (list: readonly string[]) => list.join(', ') || 'none';
  const notes: string[] = [];
  if (changed(before.hostIPs, after.hostIPs)) {
    notes.push(`the node's addresses changed from ${said(before.hostIPs)} to ${said(after.hostIPs)}`);
  }
  const cidrs = `the node's podCIDRs changed from ${said(before.podCIDRs)} to ${said(after.podCIDRs)}`;
  return {
    notes,
    ...(before.zone === after.zone ? {} : { zone: after.zone }),
    ...(mode === 'NodeCIDR' && changed(before.podCIDRs, after.podCIDRs) ? { exit: cidrs } : {}),
  };
}
