import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { IPFamily } from '../objects/meta.ts';
import { UserError } from '../user-error.ts';
import { parseAddress } from './addresses.ts';
import type { Exec } from './exec.ts';
import type { FamilySupportInputs } from './ip-families.ts';
import { type DetectedBackend, NO_RIGHT_TO_CHANGE_RULES } from './iptables/backend.ts';
import { type Iptables, IptablesError, RealIptables } from './iptables/runner.ts';

/** Canonical addresses of all interfaces of this network namespace, without zones. */
export function interfaceAddresses(): string[] {
  const found = new Set<string>();
  for (const list of Object.values(networkInterfaces())) {
    for (const { address } of list ?? []) {
      const parsed = parseAddress(address.split('%')[0] ?? '');
      if (parsed) found.add(parsed.ip);
    }
  }
  return [...found];
}

export function iptablesOf(exec: Exec, detected: DetectedBackend): Record<IPFamily, Iptables> {
  const { names, version, backend } = detected;
  const make = (family: IPFamily) => new RealIptables(exec, family, names[family], { version, backend });
  return { IPv4: make('IPv4'), IPv6: make('IPv6') };
}

/** @throws UserError when it is the rights that are missing: then no family would work */
export async function probeFamilies(iptables: Record<IPFamily, Iptables>): Promise<FamilySupportInputs> {
  return {
    iptablesProblem: { IPv4: await problemWith(iptables.IPv4), IPv6: await problemWith(iptables.IPv6) },
    hasIPv6Interfaces: existsSync('/proc/net/if_inet6'),
    disableIPv6: readable('/proc/sys/net/ipv6/conf/all/disable_ipv6'),
  };
}

async function problemWith(iptables: Iptables): Promise<string | undefined> {
  try {
    await iptables.command(['-S', 'POSTROUTING', '-t', 'nat']);
    return undefined;
  } catch (error) {
    if (!(error instanceof IptablesError)) throw error;
    if (error.isPermissionProblem) {
      throw new UserError(NO_RIGHT_TO_CHANGE_RULES, { cause: error });
    }
    return error.message;
  }
}

function readable(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A kernel without the setting says as much as one where it is not set.
    return undefined;
  }
}
