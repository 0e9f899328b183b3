import type { Cause, StrategyContext } from '../../kind.ts';
import { addressToNumber, type Cidr, type Family, parseCidr } from '../validation/addresses.ts';
import { invalid } from '../validation/causes.ts';
import { isUsable, pickFree } from './ip-allocator.ts';
import { canonical, takenAddresses } from './taken.ts';
import { isHeadless, noClusterIP, type ServiceObject } from './types.ts';

/** The CIDRs of a cluster by family, the default family first. */
export function cidrsByFamily(serviceCIDRs: readonly string[]): Map<Family, Cidr & { text: string }> {
  const result = new Map<Family, Cidr & { text: string }>();
  for (const text of serviceCIDRs) {
    const cidr = parseCidr(text);
    if (!cidr) throw new RangeError(`service CIDR "${text}" is not a CIDR`);
    if (result.has(cidr.family))
      throw new RangeError(`service CIDR "${text}" is the second one of family ${cidr.family}`);
    result.set(cidr.family, { ...cidr, text });
  }
  if (result.size === 0) throw new RangeError('there is no service CIDR');
  return result;
}

/**
 * Gives the Service its addresses, one for each of `spec.ipFamilies`, keeping those it names. Causes when a named address
 * cannot be had or no address is left.
 */
export function allocateClusterIPs(
  service: ServiceObject,
  before: ServiceObject | undefined,
  cidrs: ReadonlyMap<Family, Cidr & { text: string }>,
  context: StrategyContext,
): Cause[] {
  const { spec } = service;
  if (spec.type === 'ExternalName') return [];
  if (isHeadless(spec)) {
    spec.clusterIP = noClusterIP;
    spec.clusterIPs = [noClusterIP];
    return [];
  }
  const own = new Set((before?.spec.clusterIPs ?? []).map(canonical));
  const asked = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  if (asked.length === families.length && asked.every((address) => own.has(canonical(address)))) return [];
  const taken = takenAddresses(context);
  const addresses: string[] = [];
  for (const [i, family] of families.entries()) {
    const cidr = cidrs.get(family);
    const address = asked[i];
    if (!cidr) return [invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster')];
    if (address !== undefined) {
      const why = own.has(canonical(address)) ? undefined : whyRefused(address, cidr, taken);
      if (why) return [invalid('spec.clusterIPs', asked, `failed to allocate IP ${address}: ${why}`)];
      addresses.push(address);
    } else {
      const free = pickFree(cidr, taken, context.random);
      if (free === undefined) {
        return [invalid('spec.clusterIPs', asked, 'failed to allocate a serviceIP: range is full')];
      }
      addresses.push(free);
    }
  }
  spec.clusterIPs = addresses;
  spec.clusterIP = addresses[0] ?? '';
  return [];
}

function whyRefused(
  address: string,
  cidr: Cidr & { text: string },
  taken: (address: string) => boolean,
): string | undefined {
  if (!isUsable(addressToNumber(address), cidr)) {
    return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${cidr.text}`;
  }
  return taken(canonical(address)) ? 'provided IP is already allocated' : undefined;
}
