import { equalJson } from '../../json.ts';
import type { Cause } from '../../kind.ts';
import { cidrSyntax, parseCidr } from '../validation/addresses.ts';
import { duplicate, eachInvalid, forbidden, invalid, notSupported, required } from '../validation/causes.ts';
import { labelValue, qualifiedName } from '../validation/names.ts';
import type { NodeSpec, Taint } from './types.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateNodeSpec({ taints = [], podCIDRs = [] }: NodeSpec): Cause[] {
  return [...validateTaints(taints), ...validatePodCIDRs(podCIDRs)];
}

/** The paths start at `metadata`, as they do upstream. */
function validateTaints(taints: Taint[]): Cause[] {
  const seen = new Set<string>();
  return taints.flatMap(({ key, value = '', effect }, i) => {
    const at = `metadata.taints[${i}]`;
    const causes = eachInvalid(`${at}.key`, key, qualifiedName(key));
    causes.push(...eachInvalid(`${at}.value`, value, labelValue(value)));
    if (!effect) causes.push(required(`${at}.effect`));
    else if (!effects.includes(effect)) causes.push(notSupported(`${at}.effect`, effect, effects));
    const id = `${key}:${effect}`;
    if (seen.has(id)) {
      const cause = duplicate(at, { Key: key, Value: value, Effect: effect, TimeAdded: null });
      causes.push({ ...cause, message: `${cause.message}: taints must be unique by key and effect pair` });
    }
    seen.add(id);
    return causes;
  });
}

function validatePodCIDRs(cidrs: string[]): Cause[] {
  const causes = cidrs.flatMap((cidr, i) => eachInvalid(`spec.podCIDRs[${i}]`, cidr, cidrSyntax(cidr)));
  const families = new Set(cidrs.map((cidr) => parseCidr(cidr)?.family));
  if (cidrs.length > 2 || (cidrs.length === 2 && families.size < 2)) {
    causes.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  }
  return causes;
}

export function validateNodeChange(spec: NodeSpec, before: NodeSpec): Cause[] {
  const causes: Cause[] = [];
  const mayNot = (field: string): string => `node updates may not change ${field} except from "" to valid`;
  if (before.podCIDRs?.length && !equalJson(spec.podCIDRs, before.podCIDRs)) {
    causes.push(forbidden('spec.podCIDRs', mayNot('podCIDR')));
  }
  if (before.providerID && spec.providerID !== before.providerID) {
    causes.push(forbidden('spec.providerID', mayNot('providerID')));
  }
  return causes;
}
