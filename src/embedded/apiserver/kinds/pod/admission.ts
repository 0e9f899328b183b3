import { allContainers, type PodSpec, type Resources, type Toleration } from './types.ts';

/**
 * What a Pod is given on top of the defaults of its spec, and a template is not: by defaulting (requests from limits, host ports) and by
 * the admission plugins DefaultTolerationSeconds and Priority.
 */
export function setPodDefaults(spec: PodSpec): void {
  spec.enableServiceLinks ??= true;
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  for (const container of allContainers(spec)) {
    requestWhatIsLimited(container.resources);
    if (spec.hostNetwork) for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
  if (spec.resources) requestWhatIsLimited(spec.resources);
  tolerateUnreadyNodes(spec);
  spec.priority ??= systemPriorities[spec.priorityClassName ?? ''] ?? 0;
  spec.preemptionPolicy ??= 'PreemptLowerPriority';
}

export const systemPriorities: Record<string, number> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

function requestWhatIsLimited(resources: Resources): void {
  if (resources.limits) resources.requests = { ...resources.limits, ...resources.requests };
}

const defaultTolerationSeconds = 300;

function tolerateUnreadyNodes(spec: PodSpec): void {
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerations = spec.tolerations ?? [];
    if (tolerations.some((toleration) => tolerates(toleration, key))) continue;
    const added = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: defaultTolerationSeconds };
    spec.tolerations = [...tolerations, added];
  }
}

function tolerates({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === 'NoExecute');
}
