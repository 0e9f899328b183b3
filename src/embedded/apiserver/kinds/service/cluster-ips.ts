import type { Cause, StrategyContext } from '../../kind.ts';
import { readyServiceCIDRs } from '../servicecidr.ts';
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
 * Gives the Service its addresses, one for each of `spec.ipFamilies`, keeping those it names. They come from the cluster's own CIDRs, and
 * when these are full, or an address is asked for, from those of ServiceCIDRs too (KEP-1880). Causes when a named address cannot be had
 * or no address is left.
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
  const kept = new Set((before?.spec.clusterIPs ?? []).map(canonical));
  const asked = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  if (asked.length === families.length && asked.every((address) => kept.has(canonical(address)))) return [];
  const taken = takenAddresses(context);
  const addresses: string[] = [];
  for (const [i, family] of families.entries()) {
    const own = cidrs.get(family);
    const address = asked[i];
    if (!own) return [invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster')];
    if (address !== undefined) {
      const why = kept.has(canonical(address)) ? undefined : whyRefused(address, ranges(own, context), taken);
      if (why) return [invalid('spec.clusterIPs', asked, `failed to allocate IP ${address}: ${why}`)];
      addresses.push(address);
    } else {
      const free = firstFree(ranges(own, context), taken, context);
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

/** Where addresses of one family may come from: the cluster's own CIDR, then those of ServiceCIDRs that are ready. */
function* ranges(own: Cidr & { text: string }, context: StrategyContext): Iterable<Cidr> {
  yield own;
  for (const text of readyServiceCIDRs(context)) {
    const cidr = parseCidr(text);
    if (cidr?.family === own.family && text !== own.text) yield cidr;
  }
}

function firstFree(
  cidrs: Iterable<Cidr>,
  taken: (address: string) => boolean,
  { random }: StrategyContext,
): string | undefined {
  for (const cidr of cidrs) {
    const free = pickFree(cidr, taken, random);
    if (free !== undefined) return free;
  }
  return undefined;
}

function whyRefused(address: string, cidrs: Iterable<Cidr>, taken: (address: string) => boolean): string | undefined {
  const value = addressToNumber(address);
  for (const cidr of cidrs) {
    if (isUsable(value, cidr)) return taken(canonical(address)) ? 'provided IP is already allocated' : undefined;
  }
  return 'the provided network does not match the current range';
}
