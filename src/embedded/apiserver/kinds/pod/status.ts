import { parseQuantity } from '../schema/quantity.ts';
import type { PodObject, PodSpec, PodStatus, Resources } from './types.ts';

/** The status that a new Pod starts with, whatever the client sent. */
export function initialStatus(spec: PodSpec, now: Date): PodStatus {
  const status: PodStatus = { phase: 'Pending', qosClass: qosClass(spec) };
  if (!spec.schedulingGates?.length) return status;
  const gated = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: `${now.toISOString().slice(0, 19)}Z`,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
  return { ...status, conditions: [gated] };
}

/** `podIP` and `podIPs[0]` are one field in two spellings; `podIP` wins. */
function alignPodIPs(status: PodStatus): void {
  const [first] = status.podIPs ?? [];
  if (!status.podIP) {
    if (first) status.podIP = first.ip;
  } else if (status.podIP !== first?.ip) status.podIPs = [{ ip: status.podIP }];
}

export function keepStatusInvariants(pod: PodObject, before: PodObject): void {
  alignPodIPs(pod.status);
  if (!pod.status.qosClass && before.status.qosClass) pod.status.qosClass = before.status.qosClass;
}

const qosResources = ['cpu', 'memory'];

/** Guaranteed, Burstable or BestEffort (docs: "Pod Quality of Service Classes"). */
export function qosClass(spec: PodSpec): string {
  const all = spec.resources
    ? [spec.resources]
    : [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => container.resources);
  const asksForNothing = (resources: Resources): boolean =>
    qosResources.every((name) => !amount(resources.requests, name) && !amount(resources.limits, name));
  if (all.every(asksForNothing)) return 'BestEffort';
  const isFixed = (resources: Resources): boolean =>
    qosResources.every((name) => {
      const limit = amount(resources.limits, name);
      return limit !== 0n && (amount(resources.requests, name) || limit) === limit;
    });
  return all.every(isFixed) ? 'Guaranteed' : 'Burstable';
}

function amount(list: Record<string, string> | undefined, name: string): bigint {
  return parseQuantity(list?.[name] ?? '0')?.nano ?? 0n;
}
