import type { Cause } from '../../kind.ts';
import { validateAddress } from '../validation/addresses.ts';
import { duplicate, eachInvalid, forbidden, invalid, notSupported, required } from '../validation/causes.ts';
import { validateLabels } from '../validation/metadata.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../validation/names.ts';
import { systemPriorities } from './admission.ts';
import type { PodSpec } from './types.ts';
import { validateContainers, validateResources } from './validate-container.ts';
import { validateScheduling } from './validate-scheduling.ts';
import { validateVolumes } from './validate-volumes.ts';

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const largestInt32 = 2 ** 31 - 1;

/** Everything about a Pod's spec that does not depend on what it was before. Paths start at `spec`. */
export function validatePodSpec(spec: PodSpec): Cause[] {
  const causes: Cause[] = [...validateVolumes(spec), ...validateContainers(spec)];
  causes.push(...validateOneOf('spec.restartPolicy', spec.restartPolicy, restartPolicies));
  causes.push(...validateOneOf('spec.dnsPolicy', spec.dnsPolicy, dnsPolicies));
  causes.push(...validateLabels(spec.nodeSelector, 'spec.nodeSelector'));
  if (spec.resources) causes.push(...validateResources(spec.resources, 'spec.resources'));
  if (spec.dnsPolicy === 'None' && !spec.dnsConfig) {
    causes.push(required('spec.dnsConfig', 'must provide `dnsConfig` when `dnsPolicy` is None'));
  }
  const { serviceAccountName, nodeName, activeDeadlineSeconds: deadline, hostname, subdomain, os } = spec;
  if (serviceAccountName) {
    causes.push(...eachInvalid('spec.serviceAccountName', serviceAccountName, dns1123Subdomain(serviceAccountName)));
  }
  if (nodeName) causes.push(...eachInvalid('spec.nodeName', nodeName, dns1123Subdomain(nodeName)));
  if (deadline !== undefined && (deadline < 1 || deadline > largestInt32)) {
    causes.push(invalid('spec.activeDeadlineSeconds', deadline, `must be between 1 and ${largestInt32}, inclusive`));
  }
  if (hostname) causes.push(...eachInvalid('spec.hostname', hostname, dns1123Label(hostname)));
  if (subdomain) causes.push(...eachInvalid('spec.subdomain', subdomain, dns1123Label(subdomain)));
  if (os) causes.push(...validateOneOf('spec.os', os.name, ['linux', 'windows']));
  spec.hostAliases?.forEach(({ ip, hostnames = [] }, i) => {
    causes.push(...validateAddress(ip, `spec.hostAliases[${i}].ip`));
    hostnames.forEach((host, j) => {
      causes.push(...eachInvalid(`spec.hostAliases[${i}].hostnames[${j}]`, host, dns1123Subdomain(host)));
    });
  });
  spec.readinessGates?.forEach(({ conditionType }, i) => {
    causes.push(...eachInvalid(`spec.readinessGates[${i}].conditionType`, conditionType, qualifiedName(conditionType)));
  });
  return [...causes, ...validateScheduling(spec)];
}

/** What holds for a new Pod, but not for templates. */
export function validateNewPod(spec: PodSpec): Cause[] {
  const causes: Cause[] = [];
  if (spec.ephemeralContainers?.length) causes.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  causes.push(...validateGates(spec));
  if (spec.nodeName && spec.schedulingGates?.length) {
    causes.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return [...causes, ...validatePriority(spec)];
}

export function validateGates({ schedulingGates = [] }: PodSpec): Cause[] {
  const gates = new Set<string>();
  return schedulingGates.flatMap(({ name }, i) => {
    const field = `spec.schedulingGates[${i}]`;
    const causes = eachInvalid(field, name, qualifiedName(name));
    if (gates.has(name)) causes.push(duplicate(field, name));
    gates.add(name);
    return causes;
  });
}

/** The cluster has no PriorityClasses but those that every cluster has, and no RuntimeClasses. */
function validatePriority({ priority = 0, priorityClassName, preemptionPolicy, runtimeClassName }: PodSpec): Cause[] {
  const computed = systemPriorities[priorityClassName ?? ''] ?? 0;
  if (priorityClassName && computed === 0) {
    return [forbidden('spec.priorityClassName', `no PriorityClass with name ${priorityClassName} was found`)];
  }
  if (runtimeClassName) {
    return [forbidden('spec.runtimeClassName', `pod rejected: RuntimeClass "${runtimeClassName}" not found`)];
  }
  if (preemptionPolicy !== 'PreemptLowerPriority') {
    const why = `the string value of PreemptionPolicy (${preemptionPolicy}) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name`;
    return [forbidden('spec.preemptionPolicy', why)];
  }
  if (priority === computed) return [];
  const why = `the integer value of priority (${priority}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`;
  return [forbidden('spec.priority', why)];
}

function validateOneOf(field: string, value: string | undefined, supported: string[]): Cause[] {
  if (!value) return [required(field)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}
