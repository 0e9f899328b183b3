import type { Cause } from '../../kind.ts';
import { eachInvalid, invalid, notSupported, required } from '../validation/causes.ts';
import { labelValue, qualifiedName } from '../validation/names.ts';
import type { Affinity, PodSpec, Toleration, TopologySpread } from './types.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const spreads = ['DoNotSchedule', 'ScheduleAnyway'];

/** Tolerations, affinity and spread constraints of a Pod's spec. */
export function validateScheduling(spec: PodSpec): Cause[] {
  return [
    ...(spec.tolerations ?? []).flatMap((toleration, i) => validateToleration(toleration, `spec.tolerations[${i}]`)),
    ...(spec.affinity ? validateAffinity(spec.affinity) : []),
    ...(spec.topologySpreadConstraints ?? []).flatMap((spread, i) =>
      validateSpread(spread, `spec.topologySpreadConstraints[${i}]`),
    ),
  ];
}

function validateToleration(toleration: Toleration, at: string): Cause[] {
  const { key, operator, value, effect, tolerationSeconds } = toleration;
  const causes: Cause[] = key ? eachInvalid(`${at}.key`, key, qualifiedName(key)) : [];
  if (!key && operator !== 'Exists') {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    causes.push(invalid(`${at}.operator`, operator ?? '', why));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    causes.push(invalid(`${at}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (!operator || operator === 'Equal')
    causes.push(...eachInvalid(`${at}.operator`, value ?? '', labelValue(value ?? '')));
  else if (operator === 'Exists') {
    if (value) causes.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else causes.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
  if (effect && !effects.includes(effect)) causes.push(notSupported(`${at}.effect`, effect, effects));
  return causes;
}

function validateAffinity(affinity: Affinity): Cause[] {
  const rule = 'requiredDuringSchedulingIgnoredDuringExecution';
  const causes: Cause[] = [];
  const nodes = affinity.nodeAffinity?.[rule];
  if (nodes && !nodes.nodeSelectorTerms?.length) {
    const field = `spec.affinity.nodeAffinity.${rule}.nodeSelectorTerms`;
    causes.push(required(field, 'must have at least one node selector term'));
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    affinity[kind]?.[rule]?.forEach(({ topologyKey }, i) => {
      causes.push(...validateTopologyKey(topologyKey, `spec.affinity.${kind}.${rule}[${i}].topologyKey`));
    });
  }
  return causes;
}

function validateTopologyKey(key: string, field: string): Cause[] {
  return [...(key === '' ? [required(field, 'can not be empty')] : []), ...eachInvalid(field, key, qualifiedName(key))];
}

function validateSpread({ maxSkew, topologyKey, whenUnsatisfiable }: TopologySpread, at: string): Cause[] {
  const causes: Cause[] = [];
  if (maxSkew <= 0) causes.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
  if (topologyKey === '') causes.push(required(`${at}.topologyKey`, 'can not be empty'));
  if (!spreads.includes(whenUnsatisfiable)) {
    causes.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, spreads));
  }
  return causes;
}
