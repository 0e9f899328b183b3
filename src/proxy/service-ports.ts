import type { IPFamily, Protocol } from '../objects/meta.ts';
import { objectKey } from '../objects/meta.ts';
import type { Service, ServicePort } from '../objects/service.ts';
import { parseAddress, parseNetwork } from './addresses.ts';
import {
  displayName,
  isPortNumber,
  isProtocol,
  isSafeName,
  type ServiceKey,
  type ServicePortName,
  servicePortName,
} from './names.ts';

/** What the rules need to know of one port of one Service, for one IP family. All addresses are canonical and of that family. */
export interface ServicePortRecord {
  readonly name: ServicePortName;
  readonly service: ServiceKey;
  /** `ns/name:port` or `ns/name`, as it stands in comments and hashes. */
  readonly display: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  readonly clusterIP: string;
  /** Seconds of ClientIP session affinity; 0: no affinity. */
  readonly affinitySeconds: number;
  readonly externalPolicyLocal: boolean;
  readonly internalPolicyLocal: boolean;
  readonly externalIPs: readonly string[];
  readonly loadBalancerVIPs: readonly string[];
  /** CIDRs; empty: every source may come in. */
  readonly loadBalancerSourceRanges: readonly string[];
  /** 0: none. */
  readonly healthCheckNodePort: number;
}

/** What decides which endpoints a service port may use. */
export type PolicyFields = Pick<
  ServicePortRecord,
  'internalPolicyLocal' | 'externalPolicyLocal' | 'nodePort' | 'loadBalancerVIPs' | 'externalIPs'
>;

export type ServicePortMap = ReadonlyMap<ServicePortName, ServicePortRecord>;

export interface ServicePorts {
  readonly ports: ServicePortMap;
  /** One line for each part of the Service that was left out although it was set; for the log. */
  readonly problems: readonly string[];
}

/** The API's default for `sessionAffinityConfig.clientIP.timeoutSeconds` (three hours). */
const DEFAULT_AFFINITY_SECONDS = 10800;

const NOTHING: ServicePorts = { ports: new Map(), problems: [] };

/** Can be reached from outside the cluster, through a node port, a load balancer VIP or an external IP. */
export function isExternallyAccessible(record: PolicyFields): boolean {
  return record.nodePort !== 0 || record.loadBalancerVIPs.length > 0 || record.externalIPs.length > 0;
}

export function usesClusterEndpoints(record: PolicyFields): boolean {
  return !record.internalPolicyLocal || isExternallyAccessible(record);
}

export function usesLocalEndpoints(record: PolicyFields): boolean {
  return record.internalPolicyLocal || (record.externalPolicyLocal && isExternallyAccessible(record));
}

/**
 * The service ports of one Service for one family, as kube-proxy 1.36 sees them: none for a headless or ExternalName Service,
 * or when the Service has no cluster IP of the family. Anything that could not stand in a rule is left out and reported.
 */
export function servicePorts(service: Service, family: IPFamily): ServicePorts {
  const { metadata, spec } = service;
  if (!spec.clusterIP || spec.clusterIP === 'None' || spec.type === 'ExternalName') return NOTHING;
  const key = objectKey(metadata);
  const problems: string[] = [];
  const report = (field: string, value: unknown, why: string) =>
    problems.push(`Service ${JSON.stringify(key)}: ${field} ${JSON.stringify(value)} ${why}`);

  const namespace = metadata.namespace ?? '';
  if (!isSafeName(namespace) || !isSafeName(metadata.name)) {
    report('name', key, 'cannot stand in a rule; the Service is left out');
    return { ports: NOTHING.ports, problems };
  }
  const wanted = clusterIPFor(service, family);
  if (wanted === undefined) return NOTHING;
  const clusterIP = parseAddress(wanted);
  if (clusterIP?.family !== family) {
    report('clusterIP', wanted, `is not an ${family} address; the Service is left out`);
    return { ports: NOTHING.ports, problems };
  }

  const externalPolicyLocal = spec.externalTrafficPolicy === 'Local' && acceptsExternalTraffic(service);
  const shared = {
    service: key,
    clusterIP: clusterIP.ip,
    affinitySeconds: affinitySeconds(service, report),
    externalPolicyLocal,
    internalPolicyLocal: spec.internalTrafficPolicy === 'Local',
    externalIPs: addressesOf(spec.externalIPs ?? [], family, (ip) => report('externalIPs', ip, 'is not an IP address')),
    loadBalancerVIPs: loadBalancerVIPs(service, family, report),
    loadBalancerSourceRanges: sourceRanges(service, family, report),
    healthCheckNodePort: externalPolicyLocal ? healthCheckNodePort(service, report) : 0,
  };
  const ports = new Map<ServicePortName, ServicePortRecord>();
  for (const port of spec.ports ?? []) {
    const protocol = port.protocol ?? 'TCP';
    const flaw = portFlaw(port, protocol);
    if (flaw) {
      report('ports', port, `${flaw}; the port is left out`);
      continue;
    }
    const name = servicePortName(namespace, metadata.name, port.name, protocol);
    const display = displayName(namespace, metadata.name, port.name);
    ports.set(name, { name, display, protocol, port: port.port, nodePort: port.nodePort ?? 0, ...shared });
  }
  return { ports, problems };
}

type Report = (field: string, value: unknown, why: string) => void;

/** `spec.clusterIPs[i]` for the i with `ipFamilies[i] == family`; `spec.clusterIP` by its own family when there are no ipFamilies. */
function clusterIPFor({ spec }: Service, family: IPFamily): string | undefined {
  if (!spec.ipFamilies || spec.ipFamilies.length === 0) {
    const parsed = parseAddress(spec.clusterIP ?? '');
    return parsed && parsed.family !== family ? undefined : spec.clusterIP;
  }
  const index = spec.ipFamilies.indexOf(family);
  return index < 0 ? undefined : spec.clusterIPs?.[index] || undefined;
}

/** Whether externalTrafficPolicy means anything for this Service (k8s.io/kubernetes pkg/api/v1/service, ExternallyAccessible). */
function acceptsExternalTraffic({ spec }: Service): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0;
}

function affinitySeconds({ spec }: Service, report: Report): number {
  if (spec.sessionAffinity !== 'ClientIP') return 0;
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  report(
    'sessionAffinityConfig.clientIP.timeoutSeconds',
    seconds,
    `is not a positive integer; ${DEFAULT_AFFINITY_SECONDS} is used`,
  );
  return DEFAULT_AFFINITY_SECONDS;
}

function addressesOf(texts: readonly string[], family: IPFamily, invalid: (text: string) => void): string[] {
  return texts.flatMap((text) => {
    const parsed = parseAddress(text);
    if (!parsed && text.trim() !== '') invalid(text);
    return parsed?.family === family ? [parsed.ip] : [];
  });
}

/** ipMode Proxy (KEP-1860) and ingress points with only a host name get no rules. */
function loadBalancerVIPs({ status }: Service, family: IPFamily, report: Report): string[] {
  const vips = (status?.loadBalancer?.ingress ?? []).flatMap((point) =>
    point.ip && (point.ipMode === undefined || point.ipMode === 'VIP') ? [point.ip] : [],
  );
  return addressesOf(vips, family, (ip) => report('status.loadBalancer.ingress', ip, 'is not an IP address'));
}

/** A /0 of the family means no restriction at all, and so does a list in which nothing is of this family or valid. */
function sourceRanges({ spec }: Service, family: IPFamily, report: Report): string[] {
  const networks = (spec.loadBalancerSourceRanges ?? []).flatMap((text) => {
    const parsed = parseNetwork(text.trim());
    if (!parsed) report('loadBalancerSourceRanges', text, 'is not a CIDR');
    return parsed?.family === family ? [parsed] : [];
  });
  return networks.some((net) => net.prefixLength === 0) ? [] : networks.map((net) => net.cidr);
}

function healthCheckNodePort({ spec }: Service, report: Report): number {
  if (spec.type !== 'LoadBalancer') return 0;
  const port = spec.healthCheckNodePort ?? 0;
  if (isPortNumber(port)) return port;
  report('healthCheckNodePort', port, 'is not a port, although externalTrafficPolicy is Local');
  return 0;
}

function portFlaw(port: ServicePort, protocol: string): string | undefined {
  if (port.name && !isSafeName(port.name)) return 'has a name that cannot stand in a rule';
  if (!isProtocol(protocol)) return 'has a protocol that is not TCP, UDP or SCTP';
  if (!isPortNumber(port.port)) return 'has a port that is not in 1..65535';
  if (port.nodePort && !isPortNumber(port.nodePort)) return 'has a nodePort that is not in 1..65535';
  return undefined;
}
