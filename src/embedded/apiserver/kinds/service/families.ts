import type { Cause } from '../../kind.ts';
import { addressSyntax, type Family, familyOf } from '../validation/addresses.ts';
import { duplicate, invalid, notSupported } from '../validation/causes.ts';
import { type FamilyPolicy, isHeadless, isHeadlessWithoutSelector, type ServiceSpec } from './types.ts';

/**
 * Which IP families a Service gets (KEP-563): from what it asks for, the addresses it names, and the families the cluster has
 * CIDRs for, the default one first. Not for ExternalName. Does not change `spec`.
 */
export function resolveFamilies(
  spec: ServiceSpec,
  configured: readonly Family[],
): { policy: FamilyPolicy; families: Family[]; causes: Cause[] } {
  const addresses = isHeadless(spec) ? [] : (spec.clusterIPs ?? []);
  const free = isHeadlessWithoutSelector(spec);
  const policy = spec.ipFamilyPolicy ?? (free ? 'RequireDualStack' : 'SingleStack');
  const asked = spec.ipFamilies ?? [];
  const causes: Cause[] = [
    ...addressCauses(addresses, asked),
    ...policyCauses(policy, asked, addresses, free || configured.length > 1),
  ];
  asked.forEach((family, i) => {
    const field = `spec.ipFamilies[${i}]`;
    if (family !== 'IPv4' && family !== 'IPv6') causes.push(notSupported(field, family, ['IPv4', 'IPv6']));
    else if (asked.indexOf(family) < i) causes.push(duplicate(field, family));
    else if (!free && !configured.includes(family))
      causes.push(invalid(field, family, 'not configured on this cluster'));
  });

  const families = [...asked];
  for (const [i, address] of addresses.entries()) {
    const family = familyOf(address);
    if (family === undefined || i < families.length) continue;
    families.push(family);
    if (configured.includes(family)) continue;
    causes.push(invalid(`spec.clusterIPs[${i}]`, addresses, `${family} is not configured on this cluster`));
  }
  const [primary] = configured;
  if (families.length === 0 && primary !== undefined) families.push(primary);
  if (families.length === 1 && policy !== 'SingleStack' && (free || configured.length > 1)) {
    families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
  }
  return { policy, families, causes };
}

function addressCauses(addresses: readonly string[], families: readonly Family[]): Cause[] {
  return addresses.flatMap((address, i) => {
    const field = `spec.clusterIPs[${i}]`;
    const family = familyOf(address);
    const wanted = families[i];
    const syntax = addressSyntax(address);
    if (syntax.length > 0) return syntax.map((detail) => invalid(field, address, detail));
    if (wanted === undefined || wanted === family) return [];
    return [invalid(field, address, `expected an ${wanted} value as indicated by \`ipFamilies[${i}]\``)];
  });
}

function policyCauses(
  policy: FamilyPolicy,
  families: readonly Family[],
  addresses: readonly string[],
  dualStack: boolean,
): Cause[] {
  const field = 'spec.ipFamilyPolicy';
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
  if (!policies.includes(policy)) return [notSupported(field, policy, policies)];
  if (policy === 'RequireDualStack' && !dualStack) {
    return [invalid(field, policy, 'this cluster is not configured for dual-stack services')];
  }
  if (policy !== 'SingleStack') return [];
  const tooMany = (what: string): Cause =>
    invalid(field, policy, `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`);
  return [
    ...(families.length > 1 ? [tooMany('IP families')] : []),
    ...(addresses.length > 1 ? [tooMany('cluster IPs')] : []),
  ];
}

/** Writes the outcome of `resolveFamilies` into `spec` unless something is wrong with it. */
export function applyFamilies(spec: ServiceSpec, configured: readonly Family[]): void {
  if (spec.type === 'ExternalName') return;
  const { policy, families, causes } = resolveFamilies(spec, configured);
  if (causes.length > 0) return;
  spec.ipFamilyPolicy = policy;
  spec.ipFamilies = families;
}
