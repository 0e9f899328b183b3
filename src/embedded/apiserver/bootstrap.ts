import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { TurnQueue } from './controllers/turn-queue.ts';
import { createObject } from './create.ts';
import type { RawObject } from './kind.ts';
import { initialNamespaces } from './namespaces.ts';
import type { Registry } from './registry.ts';
import { storeKey } from './store.ts';
import { internalWrite } from './write-options.ts';

/**
 * Creates what a kube-apiserver creates for itself when it starts on an empty store, and creates the Service of the API server again
 * whenever somebody deletes it. Returns the function that ends this.
 */
export function bootstrap(registry: Registry, serviceCIDRs: readonly string[]): () => void {
  const create = (plural: string, namespace: string | undefined, object: RawObject) => {
    const kind = registry.stored(plural);
    if (kind) createObject(registry, kind, namespace, object, internalWrite);
  };
  for (const name of initialNamespaces) create('namespaces', undefined, { metadata: { name } });
  create('servicecidrs', undefined, { metadata: { name: 'kubernetes' }, spec: { cidrs: [...serviceCIDRs] } });
  const [primary] = serviceCIDRs;
  const services = registry.stored('services');
  if (primary === undefined || !services) return () => {};
  const queue = new TurnQueue<string>((key) => {
    if (!services.bucket.get(key)) create('services', 'default', kubernetesService(primary));
  });
  create('services', 'default', kubernetesService(primary));
  const unsubscribe = services.bucket.subscribe(({ type, key }) => {
    if (type === 'DELETED' && key === kubernetesKey) queue.add(key);
  });
  return () => {
    unsubscribe();
    queue.stop();
  };
}

const kubernetesKey = storeKey('default', 'kubernetes');

function kubernetesService(serviceCIDR: string): RawObject {
  return {
    metadata: { name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: firstAddress(serviceCIDR),
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: [isIPv6(serviceCIDR.split('/')[0] ?? '') ? 'IPv6' : 'IPv4'],
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }],
      sessionAffinity: 'None',
    },
  };
}

/** The address after the network's own, which the real server takes for itself too. */
function firstAddress(cidr: string): string {
  const [network] = ipaddr.parseCIDR(cidr);
  const bytes = network.toByteArray();
  const last = bytes.length - 1;
  return ipaddr.fromByteArray([...bytes.slice(0, last), (bytes[last] ?? 0) + 1]).toString();
}
