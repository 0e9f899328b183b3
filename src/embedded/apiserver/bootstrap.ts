import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { createObject } from './create.ts';
import type { RawObject } from './kind.ts';
import { initialNamespaces } from './namespaces.ts';
import type { Registry } from './registry.ts';
import { internalWrite } from './write-options.ts';

/** Creates what a kube-apiserver creates for itself when it starts on an empty store. */
export function bootstrap(registry: Registry, serviceCIDRs: readonly string[]): void {
  const create = (plural: string, namespace: string | undefined, object: RawObject) => {
    const kind = registry.stored(plural);
    if (kind) createObject(registry, kind, namespace, object, internalWrite);
  };
  for (const name of initialNamespaces) create('namespaces', undefined, { metadata: { name } });
  create('servicecidrs', undefined, { metadata: { name: 'kubernetes' }, spec: { cidrs: [...serviceCIDRs] } });
  const [primary] = serviceCIDRs;
  if (primary === undefined) return;
  create('services', 'default', {
    metadata: { name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: firstAddress(primary),
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: [isIPv6(primary.split('/')[0] ?? '') ? 'IPv6' : 'IPv4'],
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }],
      sessionAffinity: 'None',
    },
  });
}

/** The address after the network's own, which the real server takes for itself too. */
function firstAddress(cidr: string): string {
  const [network] = ipaddr.parseCIDR(cidr);
  const bytes = network.toByteArray();
  const last = bytes.length - 1;
  return ipaddr.fromByteArray([...bytes.slice(0, last), (bytes[last] ?? 0) + 1]).toString();
}
