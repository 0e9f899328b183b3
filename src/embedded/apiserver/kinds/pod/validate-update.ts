import { cloneJson, equalJson } from '../../json.ts';
import type { Cause } from '../../kind.ts';
import { familyOf, validateAddress } from '../validation/addresses.ts';
import { forbidden, immutableDetail, invalid, required } from '../validation/causes.ts';
import type { ContainerStatus, PodObject, PodSpec, Toleration } from './types.ts';

const mayChange =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** A Pod's spec is fixed but for the few fields named in `mayChange`, and more while scheduling gates hold it back. */
export function validatePodChange({ spec }: PodObject, { spec: old }: PodObject): Cause[] {
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list]?.length ?? 0) !== (old[list]?.length ?? 0)) {
      return [forbidden(`spec.${list}`, 'pod updates may not add or remove containers')];
    }
  }
  const causes = [
    ...validateImages(spec),
    ...validateDeadline(spec, old),
    ...validateTolerations(spec.tolerations ?? [], old.tolerations ?? []),
  ];
  const gates = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  spec.schedulingGates?.forEach(({ name }, i) => {
    if (gates.has(name)) return;
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`;
    causes.push(forbidden(`spec.schedulingGates[${i}].name`, why));
  });
  if (causes.length > 0 || equalJson(fixedPart(spec, spec), fixedPart(old, spec))) return causes;
  return [forbidden('spec', mayChange)];
}

/** The spec with every field that may differ set to what it is in `reference`. */
function fixedPart(spec: PodSpec, reference: PodSpec): PodSpec {
  const part = cloneJson(spec);
  for (const list of ['containers', 'initContainers'] as const) {
    part[list]?.forEach((container, i) => {
      container.image = reference[list]?.[i]?.image ?? '';
    });
  }
  delete part.activeDeadlineSeconds;
  delete part.tolerations;
  delete part.schedulingGates;
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) part.terminationGracePeriodSeconds = 1;
  if (spec.schedulingGates?.length || reference.schedulingGates?.length) {
    delete part.nodeSelector;
    delete part.affinity;
  }
  return part;
}

/** As upstream, once more than for a new Pod. */
function validateImages(spec: PodSpec): Cause[] {
  return (['containers', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap(({ image }, i) => (image ? [] : [required(`spec.${list}[${i}].image`)])),
  );
}

function validateDeadline(spec: PodSpec, old: PodSpec): Cause[] {
  const field = 'spec.activeDeadlineSeconds';
  const { activeDeadlineSeconds: deadline } = spec;
  if (old.activeDeadlineSeconds === undefined) return [];
  if (deadline === undefined) return [invalid(field, null, 'must not update from a positive integer to nil value')];
  return deadline > old.activeDeadlineSeconds
    ? [invalid(field, deadline, 'must be less than or equal to previous value')]
    : [];
}

/** Tolerations may be added, and theirs of a taint with a time limit may get another limit. */
function validateTolerations(tolerations: Toleration[], old: Toleration[]): Cause[] {
  const withoutTime = ({ tolerationSeconds: _, ...rest }: Toleration): Omit<Toleration, 'tolerationSeconds'> => rest;
  const isKept = (toleration: Toleration): boolean =>
    tolerations.some((other) => equalJson(withoutTime(other), withoutTime(toleration)));
  return old.every(isKept)
    ? []
    : [forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
}

/** What the `status` subresource of a Pod checks. */
export function validatePodStatus({ status, spec }: PodObject, before: PodObject): Cause[] {
  const causes: Cause[] = [];
  if (before.status.qosClass && status.qosClass !== before.status.qosClass) {
    causes.push(invalid('status.qosClass', status.qosClass ?? '', immutableDetail));
  }
  causes.push(...validateContainerStates(status.containerStatuses, before.status.containerStatuses, spec));
  const ips = status.podIPs ?? [];
  causes.push(...ips.flatMap(({ ip }, i) => validateAddress(ip, `status.podIPs[${i}]`)));
  const families = new Set(ips.map(({ ip }) => familyOf(ip)));
  if (ips.length > 2 || (ips.length === 2 && families.size < 2)) {
    const shown = ips.map(({ ip }) => ({ IP: ip }));
    causes.push(invalid('status.podIPs', shown, 'may specify no more than one IP for each IP family'));
  }
  return causes;
}

/** A container that ended and is not restarted stays ended. */
function validateContainerStates(
  statuses: ContainerStatus[] = [],
  old: ContainerStatus[] = [],
  { restartPolicy }: PodSpec,
): Cause[] {
  if (restartPolicy === 'Always') return [];
  const ended = new Set(
    old
      .filter(({ state: { terminated } }) => terminated && (restartPolicy === 'Never' || terminated.exitCode === 0))
      .map(({ name }) => name),
  );
  return statuses.flatMap(({ name, state }, i) =>
    ended.has(name) && !state.terminated
      ? [forbidden(`status.containerStatuses[${i}].state`, 'may not be transitioned to non-terminated state')]
      : [],
  );
}
