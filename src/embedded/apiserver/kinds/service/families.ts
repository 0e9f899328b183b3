import type { Cause } from '../../kind.ts';
import { type Family, familyOf } from '../validation/addresses.ts';
import { type FamilyPolicy, isHeadless, isHeadlessWithoutSelector, type ServiceSpec } from './types.ts';
import { validateConfigured, validateFamilyFields, validateStackCount } from './validate-families.ts';

/**
 * Which IP families a Service gets (KEP-563): from what it asks for, the addresses it names, and the families the cluster has
 * CIDRs for, the default one first. Does not change `spec`, nor complain.
 */
function resolveFamilies(
  spec: ServiceSpec,
  configured: readonly Family[],
): { policy: FamilyPolicy; families: Family[] } {
  const policy = policyOf(spec);
  const families = [...(spec.ipFamilies ?? [])];
  const addresses = isHeadless(spec) ? [] : (spec.clusterIPs ?? []);
  for (const address of addresses.slice(families.length)) {
    const family = familyOf(address);
    if (family !== undefined) families.push(family);
  }
  const [primary] = configured;
  if (families.length === 0 && primary !== undefined) families.push(primary);
  const mayBeDual = configured.length > 1 || isHeadlessWithoutSelector(spec);
  if (families.length === 1 && policy !== 'SingleStack' && mayBeDual) {
    families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
  }
  return { policy, families };
}

/** Nothing on the cluster serves a headless Service without a selector, so it may have what it likes. */
function policyOf(spec: ServiceSpec): FamilyPolicy {
  return spec.ipFamilyPolicy ?? (isHeadlessWithoutSelector(spec) ? 'RequireDualStack' : 'SingleStack');
}

/** What is wrong with the families, the policy and the addresses that a Service asks for; later checks need earlier ones. */
export function validateFamilies(spec: ServiceSpec, configured: readonly Family[]): Cause[] {
  if (spec.type === 'ExternalName') return [];
  const policy = policyOf(spec);
  const steps = [
    () => validateFamilyFields(spec),
    () => validateStackCount(policy, spec),
    () => (isHeadlessWithoutSelector(spec) ? [] : validateConfigured(policy, spec, configured)),
  ];
  for (const step of steps) {
    const causes = step();
    if (causes.length > 0) return causes;
  }
  return [];
}

/** Fills in the policy and the families, unless something is wrong with them. */
export function applyFamilies(spec: ServiceSpec, configured: readonly Family[]): void {
  if (spec.type === 'ExternalName' || validateFamilies(spec, configured).length > 0) return;
  const { policy, families } = resolveFamilies(spec, configured);
  spec.ipFamilyPolicy = policy;
  spec.ipFamilies = families;
}
