import { isRecord } from '../../json.ts';
import { allContainers, type Container, type Handler, type PodSpec, type Probe, type Volume } from './types.ts';

/** Defaults of a Pod's spec that hold in templates as well (core/v1 API documentation of each field). */
export function setPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.schedulerName ||= 'default-scheduler';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  for (const container of allContainers(spec)) setContainerDefaults(container);
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
}

function setContainerDefaults(container: Container): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? '');
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? []) if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1';
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) setProbeDefaults(probe);
  }
  const { postStart, preStop } = container.lifecycle ?? {};
  if (postStart) setHandlerDefaults(postStart);
  if (preStop) setHandlerDefaults(preStop);
}

/** An image without tag and digest, or with the tag `latest`, is pulled each time. */
function defaultPullPolicy(image: string): string {
  const [name = '', digest] = image.split('@');
  if (digest !== undefined) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(name)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function setProbeDefaults(probe: Probe): void {
  setHandlerDefaults(probe);
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
}

function setHandlerDefaults(handler: Handler): void {
  if (handler.httpGet) {
    handler.httpGet.path ||= '/';
    handler.httpGet.scheme ||= 'HTTP';
  }
  if (handler.grpc) handler.grpc.service ??= '';
}

/** 0644. */
const defaultFileMode = 420;
const sourcesWithMode = ['secret', 'configMap', 'downwardAPI', 'projected'];

function setVolumeDefaults(volume: Volume): void {
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  if (sources.length === 0) volume.emptyDir = {};
  for (const source of sourcesWithMode) {
    const value = volume[source];
    if (isRecord(value)) value.defaultMode ??= defaultFileMode;
  }
  if (isRecord(volume.hostPath)) volume.hostPath.type ??= '';
  if (isRecord(volume.downwardAPI)) setItemDefaults(volume.downwardAPI.items);
  const projections = isRecord(volume.projected) ? volume.projected.sources : undefined;
  for (const projection of Array.isArray(projections) ? projections : []) {
    if (!isRecord(projection)) continue;
    const { serviceAccountToken, downwardAPI } = projection;
    if (isRecord(serviceAccountToken)) serviceAccountToken.expirationSeconds ??= 3600;
    if (isRecord(downwardAPI)) setItemDefaults(downwardAPI.items);
  }
}

function setItemDefaults(items: unknown): void {
  for (const item of Array.isArray(items) ? items : []) {
    if (isRecord(item) && isRecord(item.fieldRef)) item.fieldRef.apiVersion ??= 'v1';
  }
}
