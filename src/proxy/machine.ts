import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { IPFamily } from '../objects/meta.ts';
import { UserError } from '../user-error.ts';
import { parseAddress } from './addresses.ts';
import type { Exec } from './exec.ts';
import type { FamilySupportInputs } from './ip-families.ts';
import { type DetectedBackend, NO_RIGHT_TO_CHANGE_RULES } from './iptables/backend.ts';
import { type Iptables, IptablesError, RealIptables } from './iptables/runner.ts';

/**
 * Canonical addresses of all interfaces of this network namespace, without zones. Node tells only those of interfaces that have a
 * carrier, but an address stays the machine's own while a cable is out; so the kernel's tables are asked too.
 */
export function interfaceAddresses(read: (path: string) => string | undefined = readable): string[] {
  const listed = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  const texts = [
    ...listed.map((address) => address.split('%')[0] ?? ''),
    ...localIPv4(read('/proc/net/fib_trie') ?? ''),
    ...localIPv6(read('/proc/net/if_inet6') ?? ''),
  ];
  return [...new Set(texts.flatMap((text) => parseAddress(text)?.ip ?? []))];
}

/** The leaves `|-- 192.0.2.1` that are followed by `/32 host LOCAL`. */
function localIPv4(fibTrie: string): string[] {
  return Array.from(fibTrie.matchAll(/\|-- (\S+)\n\s+\/32 host LOCAL$/gm), ([, ip = '']) => ip);
}

/** Each line begins with an address of 32 hexadecimal digits. */
function localIPv6(ifInet6: string): string[] {
  return Array.from(ifInet6.matchAll(/^[0-9a-f]{32}(?= )/gm), ([digits]) => digits.replace(/.{4}(?!$)/g, '$&:'));
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
