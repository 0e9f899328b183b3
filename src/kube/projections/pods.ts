import type { Protocol } from '../../objects/meta.ts';
import type { Container, ContainerPort, Pod, PodCondition } from '../../objects/pod.ts';
import { decodePod } from '../proto/pods.ts';
import type { Resource } from '../resource.ts';
import { isRecord } from '../values.ts';
import { intern } from './intern.ts';
import { list, projectMeta, record } from './meta.ts';
import { readyConditions } from './ready-condition.ts';

/** Pods, cut down to what selects, addresses and orders endpoints: about 1 KB instead of 8. */
export const PODS: Resource<Pod> = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
  project: projectPod,
  decode: decodePod,
};

function projectPod(raw: unknown): Pod {
  const metadata = projectMeta(raw, 'Pod');
  const from = record(raw);
  return { metadata, spec: projectSpec(record(from.spec)), status: projectStatus(record(from.status)) };
}

function projectSpec(from: Record<string, unknown>): Pod['spec'] {
  const spec: Pod['spec'] = {};
  if (typeof from.nodeName === 'string' && from.nodeName !== '') spec.nodeName = intern(from.nodeName);
  if (typeof from.hostname === 'string') spec.hostname = from.hostname;
  if (typeof from.subdomain === 'string') spec.subdomain = intern(from.subdomain);
  if (from.hostNetwork === true) spec.hostNetwork = true;
  const containers = list(from.containers).flatMap((c) => projectContainer(c));
  if (containers.length > 0) spec.containers = containers;
  const sidecars = list(from.initContainers).flatMap((c) =>
    isRecord(c) && c.restartPolicy === 'Always' ? projectContainer(c) : [],
  );
  if (sidecars.length > 0) spec.initContainers = sidecars;
  return spec;
}

/** Nothing for a container without ports: only named ports of containers matter to a Service. */
function projectContainer(raw: unknown): Container[] {
  if (!isRecord(raw)) return [];
  const ports = list(raw.ports).flatMap(projectPort);
  if (ports.length === 0) return [];
  const container: Container = { ports };
  if (typeof raw.name === 'string') container.name = intern(raw.name);
  if (typeof raw.restartPolicy === 'string') container.restartPolicy = intern(raw.restartPolicy);
  return [container];
}

function projectPort(raw: unknown): ContainerPort[] {
  if (!isRecord(raw) || typeof raw.containerPort !== 'number') return [];
  const port: ContainerPort = { containerPort: raw.containerPort };
  if (typeof raw.name === 'string' && raw.name !== '') port.name = intern(raw.name);
  if (typeof raw.protocol === 'string') port.protocol = intern(raw.protocol) as Protocol;
  return [port];
}

function projectStatus(from: Record<string, unknown>): Pod['status'] {
  const status: Pod['status'] = {};
  if (typeof from.phase === 'string') status.phase = intern(from.phase);
  if (typeof from.podIP === 'string' && from.podIP !== '') status.podIP = from.podIP;
  const podIPs = list(from.podIPs).flatMap((entry) =>
    isRecord(entry) && typeof entry.ip === 'string' && entry.ip !== ''
      ? [{ ip: entry.ip === status.podIP ? status.podIP : entry.ip }]
      : [],
  );
  if (podIPs.length > 0) status.podIPs = podIPs;
  for (const raw of list(from.conditions)) {
    if (isRecord(raw) && raw.type === 'Ready') status.conditions = readyCondition(raw);
  }
  return status;
}

function readyCondition(raw: Record<string, unknown>): PodCondition[] {
  const status = typeof raw.status === 'string' ? intern(raw.status) : 'Unknown';
  const time = typeof raw.lastTransitionTime === 'string' ? intern(raw.lastTransitionTime) : undefined;
  return readyConditions(status, time);
}
