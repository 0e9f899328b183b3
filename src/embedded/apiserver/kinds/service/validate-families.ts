import type { Cause } from '../../kind.ts';
import { addressSyntax, type Family, familyOf } from '../validation/addresses.ts';
import { duplicate, invalid, notSupported } from '../validation/causes.ts';
import { type FamilyPolicy, isHeadless, type ServiceSpec } from './types.ts';

const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const families = ['IPv4', 'IPv6'];

/** Whether addresses, families and policy make sense by themselves, whatever the cluster has. Not for ExternalName. */
export function validateFamilyFields(spec: ServiceSpec): Cause[] {
  const { ipFamilyPolicy, ipFamilies = [] } = spec;
  const causes = validateAddressList(spec);
  ipFamilies.forEach((family, i) => {
    const field = `spec.ipFamilies[${i}]`;
    if (!families.includes(family)) causes.push(notSupported(field, family, families));
    else if (ipFamilies.indexOf(family) < i) causes.push(duplicate(field, family));
  });
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy)) {
    causes.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, policies));
  }
  return isHeadless(spec) ? causes : [...causes, ...validateAddresses(spec.clusterIPs ?? [], ipFamilies)];
}

function validateAddressList(spec: ServiceSpec): Cause[] {
  const field = 'spec.clusterIPs';
  const { clusterIP = '', clusterIPs = [] } = spec;
  const [first] = clusterIPs;
  if (first === undefined) return [];
  const causes: Cause[] = [];
  if (clusterIP === '' && first !== '') {
    causes.push(invalid(field, clusterIPs, 'must be empty when `clusterIP` is not specified'));
  } else if (clusterIP !== first) causes.push(invalid(field, clusterIPs, 'first value must match `clusterIP`'));
  if (isHeadless(spec)) {
    if (clusterIPs.length > 1) causes.push(invalid(field, clusterIPs, "'None' must be the first and only value"));
  } else if (clusterIPs.length > 2) causes.push(invalid(field, clusterIPs, 'may only hold up to 2 values'));
  return causes;
}

function validateAddresses(addresses: readonly string[], asked: readonly Family[]): Cause[] {
  const causes = addresses.flatMap((address, i) => {
    const field = `spec.clusterIPs[${i}]`;
    const wanted = asked[i];
    const syntax = addressSyntax(address);
    if (syntax.length > 0) return syntax.map((detail) => invalid(field, address, detail));
    if (wanted === undefined || wanted === familyOf(address)) return [];
    return [invalid(field, address, `expected an ${wanted} value as indicated by \`ipFamilies[${i}]\``)];
  });
  const [first, second] = addresses.map(familyOf);
  if (addresses.length === 2 && first !== undefined && first === second) {
    causes.push(invalid('spec.clusterIPs', addresses, 'may specify no more than one IP for each IP family'));
  }
  return causes;
}

/** SingleStack allows one of each. */
export function validateStackCount(policy: FamilyPolicy, { ipFamilies = [], clusterIPs = [] }: ServiceSpec): Cause[] {
  if (policy !== 'SingleStack') return [];
  const tooMany = (what: string): Cause =>
    invalid(
      'spec.ipFamilyPolicy',
      policy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    );
  return [
    ...(clusterIPs.length > 1 ? [tooMany('cluster IPs')] : []),
    ...(ipFamilies.length > 1 ? [tooMany('IP families')] : []),
  ];
}

/** Whether the cluster has what the Service asks for. */
export function validateConfigured(policy: FamilyPolicy, spec: ServiceSpec, configured: readonly Family[]): Cause[] {
  const { ipFamilies = [], clusterIPs = [] } = spec;
  const causes: Cause[] = [];
  if (policy === 'RequireDualStack' && configured.length < 2) {
    const why = 'this cluster is not configured for dual-stack services';
    causes.push(invalid('spec.ipFamilyPolicy', policy, why));
  }
  ipFamilies.forEach((family, i) => {
    if (configured.includes(family)) return;
    causes.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  });
  if (isHeadless(spec)) return causes;
  clusterIPs.forEach((address, i) => {
    const family = familyOf(address);
    if (family === undefined || i < ipFamilies.length || configured.includes(family)) return;
    causes.push(invalid(`spec.clusterIPs[${i}]`, clusterIPs, `${family} is not configured on this cluster`));
  });
  return causes;
}
