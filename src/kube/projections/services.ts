import type { IPFamily, Protocol } from '../../objects/meta.ts';
import type { LoadBalancerIngress, Service, ServicePort } from '../../objects/service.ts';
import { decodeService } from '../proto/services.ts';
import type { Resource } from '../resource.ts';
import { isRecord } from '../values.ts';
import { intern } from './intern.ts';
import { list, projectMeta, record, stringMap, strings } from './meta.ts';

export const SERVICES: Resource<Service> = {
  group: '',
  version: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
  project: projectService,
  decode: decodeService,
};

type Spec = Service['spec'];

function projectService(raw: unknown): Service {
  const metadata = projectMeta(raw, 'Service', { annotations: true, owners: true });
  const from = record(raw);
  const service: Service = { metadata, spec: projectSpec(record(from.spec)) };
  const ingress = list(record(record(from.status).loadBalancer).ingress).flatMap(projectIngress);
  if (ingress.length > 0) service.status = { loadBalancer: { ingress } };
  return service;
}

const STRING_FIELDS = [
  'type',
  'clusterIP',
  'ipFamilyPolicy',
  'externalName',
  'sessionAffinity',
  'externalTrafficPolicy',
  'internalTrafficPolicy',
  'trafficDistribution',
] as const;

function projectSpec(from: Record<string, unknown>): Spec {
  const spec: Record<string, unknown> = {};
  for (const field of STRING_FIELDS) {
    const value = from[field];
    if (typeof value === 'string' && value !== '') spec[field] = intern(value);
  }
  return Object.assign(spec as Spec, projectRest(from));
}

function projectRest(from: Record<string, unknown>): Spec {
  const spec: Spec = {};
  const selector = stringMap(from.selector);
  if (selector) spec.selector = selector;
  const ports = list(from.ports).flatMap(projectPort);
  if (ports.length > 0) spec.ports = ports;
  const clusterIPs = strings(from.clusterIPs);
  if (clusterIPs) spec.clusterIPs = clusterIPs;
  const ipFamilies = strings(from.ipFamilies);
  if (ipFamilies) spec.ipFamilies = ipFamilies.map(intern) as IPFamily[];
  const externalIPs = strings(from.externalIPs);
  if (externalIPs) spec.externalIPs = externalIPs;
  const ranges = strings(from.loadBalancerSourceRanges);
  if (ranges) spec.loadBalancerSourceRanges = ranges;
  const { timeoutSeconds } = record(record(from.sessionAffinityConfig).clientIP);
  if (typeof timeoutSeconds === 'number') spec.sessionAffinityConfig = { clientIP: { timeoutSeconds } };
  if (typeof from.healthCheckNodePort === 'number') spec.healthCheckNodePort = from.healthCheckNodePort;
  if (from.publishNotReadyAddresses === true) spec.publishNotReadyAddresses = true;
  return spec;
}

function projectPort(raw: unknown): ServicePort[] {
  if (!isRecord(raw) || typeof raw.port !== 'number') return [];
  const port: ServicePort = { port: raw.port };
  if (typeof raw.name === 'string' && raw.name !== '') port.name = intern(raw.name);
  if (typeof raw.protocol === 'string') port.protocol = intern(raw.protocol) as Protocol;
  if (typeof raw.targetPort === 'number') port.targetPort = raw.targetPort;
  if (typeof raw.targetPort === 'string') port.targetPort = intern(raw.targetPort);
  if (typeof raw.nodePort === 'number') port.nodePort = raw.nodePort;
  if (typeof raw.appProtocol === 'string') port.appProtocol = intern(raw.appProtocol);
  return [port];
}

function projectIngress(raw: unknown): LoadBalancerIngress[] {
  if (!isRecord(raw)) return [];
  const ingress: LoadBalancerIngress = {};
  if (typeof raw.ip === 'string') ingress.ip = raw.ip;
  if (typeof raw.hostname === 'string') ingress.hostname = raw.hostname;
  if (raw.ipMode === 'VIP' || raw.ipMode === 'Proxy') ingress.ipMode = raw.ipMode;
  return [ingress];
}
