import type { IPFamily } from '../objects/meta.ts';
import { UserError } from '../user-error.ts';

/** What was found out about this machine, whatever the cluster is configured for. */
export interface FamilySupportInputs {
  /** Why iptables (or ip6tables) cannot list chain POSTROUTING of table nat; `undefined` when it can. */
  readonly iptablesProblem: Readonly<Record<IPFamily, string | undefined>>;
  /** `/proc/net/if_inet6` exists. */
  readonly hasIPv6Interfaces: boolean;
  /** Content of `/proc/sys/net/ipv6/conf/all/disable_ipv6`, if it can be read. */
  readonly disableIPv6: string | undefined;
}

export interface FamilySupport {
  /** Families that a proxier runs for, the primary one first. */
  readonly families: readonly IPFamily[];
  /** Why a family is missing; lines for the log. */
  readonly notes: readonly string[];
}

/** One proxier for each family that the machine can do. @throws UserError without the node's primary family. */
export function supportedFamilies(inputs: FamilySupportInputs, primary: IPFamily): FamilySupport {
  const { iptablesProblem } = inputs;
  if (iptablesProblem.IPv4 !== undefined && iptablesProblem.IPv6 !== undefined) {
    throw new UserError(`iptables is not available on this machine: ${iptablesProblem.IPv4}`);
  }
  const missing: Record<IPFamily, string | undefined> = {
    IPv4: iptablesProblem.IPv4,
    IPv6: kernelWithoutIPv6(inputs) ?? iptablesProblem.IPv6,
  };
  if (missing[primary] !== undefined) {
    throw new UserError(`no support for the node's primary IP family ${primary}: ${missing[primary]}`);
  }
  const order: IPFamily[] = primary === 'IPv4' ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
  const notes = order.flatMap((family) => (missing[family] === undefined ? [] : [`no ${family}: ${missing[family]}`]));
  return { families: order.filter((family) => missing[family] === undefined), notes };
}

function kernelWithoutIPv6({ hasIPv6Interfaces, disableIPv6 }: FamilySupportInputs): string | undefined {
  if (!hasIPv6Interfaces) return 'the kernel has no IPv6 (/proc/net/if_inet6 is missing)';
  return disableIPv6?.trim() === '1' ? 'it is switched off (sysctl net.ipv6.conf.all.disable_ipv6 is 1)' : undefined;
}
