import { equalJson } from '../../json.ts';
import type { ServiceObject, ServiceSpec } from './types.ts';
import {
  isExternallyAccessible,
  mayHaveNodePorts,
  needsClusterIP,
  needsHealthCheckPort,
  wantsNodePorts,
} from './types.ts';

/**
 * What an update inherits when it leaves something out, and what it loses by changing the type: clients may send a Service as
 * they first wrote it, without the values that the server once handed out, and may change `type` without cleaning up by hand.
 */
export function carryOver(service: ServiceObject, before: ServiceObject): void {
  const { spec } = service;
  const old = before.spec;
  alignClusterIPs(spec, old);
  inheritAllocations(spec, old);
  if (needsClusterIP(spec) && needsClusterIP(old)) trimToSingleStack(spec, old);
  dropWhatTypeForbids(spec, old);
  if (spec.type !== 'LoadBalancer') service.status.loadBalancer = {};
}

/** `clusterIP` and `clusterIPs[0]` are one field in two spellings; a client that knows only the old one still gets its way. */
export function alignClusterIPs(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  const ips = spec.clusterIPs ?? [];
  if (!old) {
    if (spec.clusterIP && ips.length === 0) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const sameIp = (spec.clusterIP ?? '') === (old.clusterIP ?? '');
  const sameIps = equalJson(ips, old.clusterIPs ?? []);
  if (!sameIp && sameIps) {
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
    else delete spec.clusterIPs;
  } else if (sameIp && ips.length === 0 && old.clusterIPs) {
    spec.clusterIPs = [...old.clusterIPs];
  }
}

function inheritAllocations(spec: ServiceSpec, old: ServiceSpec): void {
  if (needsClusterIP(spec) && needsClusterIP(old)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if (!spec.clusterIPs?.length && spec.clusterIP === old.clusterIP && old.clusterIPs) {
      spec.clusterIPs = [...old.clusterIPs];
    }
    if (spec.ipFamilyPolicy === undefined && old.ipFamilyPolicy) spec.ipFamilyPolicy = old.ipFamilyPolicy;
    if (!spec.ipFamilies?.length && old.ipFamilies) spec.ipFamilies = [...old.ipFamilies];
  }
  if (wantsNodePorts(spec) && mayHaveNodePorts(old)) inheritNodePorts(spec, old);
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old) && old.healthCheckNodePort) {
    spec.healthCheckNodePort ||= old.healthCheckNodePort;
  }
}

/** By port name; a node port that the update names elsewhere is not inherited. */
function inheritNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const byName = new Map((old.ports ?? []).map((port) => [port.name ?? '', port.nodePort ?? 0]));
  const used = new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0));
  for (const port of spec.ports ?? []) {
    const nodePort = byName.get(port.name ?? '');
    if (port.nodePort || !nodePort || used.has(nodePort)) continue;
    port.nodePort = nodePort;
    used.add(nodePort);
  }
}

/** Going back to one family gives up the second address and family, if the update leaves them as they were. */
function trimToSingleStack(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.ipFamilyPolicy !== 'SingleStack' || old.ipFamilyPolicy === 'SingleStack') return;
  if ((spec.clusterIPs?.length ?? 0) > 1 && equalJson(spec.clusterIPs, old.clusterIPs)) {
    spec.clusterIPs = spec.clusterIPs?.slice(0, 1) ?? [];
  }
  if ((spec.ipFamilies?.length ?? 0) > 1 && equalJson(spec.ipFamilies, old.ipFamilies)) {
    spec.ipFamilies = spec.ipFamilies?.slice(0, 1) ?? [];
  }
}

function dropWhatTypeForbids(spec: ServiceSpec, old: ServiceSpec): void {
  const drop = (...fields: (keyof ServiceSpec)[]): void => {
    if (fields.every((field) => spec[field] === undefined || equalJson(spec[field], old[field]))) {
      for (const field of fields) delete spec[field];
    }
  };
  if (needsClusterIP(old) && !needsClusterIP(spec)) drop('clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy');
  if (mayHaveNodePorts(old) && !mayHaveNodePorts(spec)) dropNodePorts(spec, old);
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec)) drop('healthCheckNodePort');
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    drop('allocateLoadBalancerNodePorts');
    drop('loadBalancerClass');
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec)) drop('externalTrafficPolicy');
}

/** All or none: a node port that the old Service did not have is a mistake to be told. */
function dropNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const known = new Set((old.ports ?? []).map((port) => port.nodePort ?? 0));
  const ports = spec.ports ?? [];
  if (ports.some((port) => port.nodePort && !known.has(port.nodePort))) return;
  for (const port of ports) delete port.nodePort;
}
