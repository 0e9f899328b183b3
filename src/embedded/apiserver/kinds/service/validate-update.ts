import type { Cause } from '../../kind.ts';
import { familyOf, validateAddress } from '../validation/addresses.ts';
import { eachInvalid, forbidden, immutableDetail, invalid, notSupported } from '../validation/causes.ts';
import { dns1123Subdomain, portNumber } from '../validation/names.ts';
import { isHeadless, needsClusterIP, needsHealthCheckPort, type ServiceObject, type ServiceSpec } from './types.ts';
import { protocols } from './validate-ports.ts';

const setOnce = 'may not change once set';

/** What may not change from `before` to `service`. */
export function validateServiceChange({ spec }: ServiceObject, before: ServiceObject): Cause[] {
  const old = before.spec;
  const causes = needsClusterIP(spec) && needsClusterIP(old) ? validateClusterIPChange(spec, old) : [];
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass) {
    causes.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, setOnce));
  }
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(old) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    causes.push(forbidden('spec.healthCheckNodePort', immutableDetail));
  }
  return causes;
}

/** An address may be added or given up at the end, not replaced. */
function validateClusterIPChange(spec: ServiceSpec, old: ServiceSpec): Cause[] {
  const ips = spec.clusterIPs ?? [];
  const causes: Cause[] = [];
  (old.clusterIPs ?? []).forEach((ip, i) => {
    const isGivenUp = i > 0 && ips.length <= i;
    if (ip !== '' && ip !== ips[i] && !isGivenUp) causes.push(invalid(`spec.clusterIPs[${i}]`, ips, setOnce));
  });
  const [family] = spec.ipFamilies ?? [];
  const [oldFamily] = old.ipFamilies ?? [];
  if (!isHeadless(spec) && oldFamily !== undefined && family !== oldFamily) {
    causes.push(invalid('spec.ipFamilies[0]', spec.ipFamilies, setOnce));
  }
  return causes;
}

export function validateServiceStatus({ spec, status }: ServiceObject): Cause[] {
  const list = status.loadBalancer.ingress ?? [];
  const field = 'status.loadBalancer.ingress';
  if (list.length > 0 && spec.type !== 'LoadBalancer') {
    return [forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return list.flatMap((ingress, i) => {
    const at = `${field}[${i}]`;
    const causes: Cause[] = [];
    const { ip, hostname, ipMode } = ingress;
    if (ip) causes.push(...validateAddress(ip, `${at}.ip`));
    if (!ip && ipMode !== undefined)
      causes.push(forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    else if (ipMode !== undefined && ipMode !== 'VIP' && ipMode !== 'Proxy') {
      causes.push(notSupported(`${at}.ipMode`, ipMode, ['Proxy', 'VIP']));
    }
    if (hostname) {
      causes.push(...eachInvalid(`${at}.hostname`, hostname, dns1123Subdomain(hostname)));
      if (familyOf(hostname)) {
        causes.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
      }
    }
    ingress.ports?.forEach((port, j) => {
      causes.push(...eachInvalid(`${at}.ports[${j}].port`, port.port, portNumber(port.port)));
      if (!protocols.includes(port.protocol)) {
        causes.push(notSupported(`${at}.ports[${j}].protocol`, port.protocol, protocols));
      }
    });
    return causes;
  });
}
