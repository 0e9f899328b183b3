import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { TurnQueue } from './controllers/turn-queue.ts';
import { createObject } from './create.ts';
import type { RawObject } from './kind.ts';
import { initialNamespaces } from './namespaces.ts';
import type { Registry } from './registry.ts';
import { storeKey } from './store.ts';
import { internalWrite } from './write-options.ts';

/** Where clients inside the cluster reach the API server. */
export interface Advertised {
  address: string;
  port: number;
}

export interface BootstrapOptions {
  /** The first one's first address becomes the ClusterIP of the API server. */
  serviceCIDRs: readonly string[];
  /** Without it, the Service of the API server has no endpoints. */
  advertise?: Advertised | undefined;
}

/**
 * Creates what a kube-apiserver creates for itself when it starts on an empty store, and creates the Service of the API server again
 * whenever somebody deletes it. Returns the function that ends this.
 */
export function bootstrap(registry: Registry, { serviceCIDRs, advertise }: BootstrapOptions): () => void {
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
    if (!services.bucket.get(key)) create('services', 'default', kubernetesService(primary, advertise?.port));
  });
  create('services', 'default', kubernetesService(primary, advertise?.port));
  if (advertise) {
    create('endpoints', 'default', kubernetesEndpoints(advertise));
    create('endpointslices', 'default', kubernetesSlice(advertise));
  }
  const unsubscribe = services.bucket.subscribe(({ type, key }) => {
    if (type === 'DELETED' && key === kubernetesKey) queue.add(key);
  });
  return () => {
    unsubscribe();
    queue.stop();
  };
}

const kubernetesKey = storeKey('default', 'kubernetes');

function kubernetesService(serviceCIDR: string, targetPort = 6443): RawObject {
  return {
    metadata: { name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: firstAddress(serviceCIDR),
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: [isIPv6(serviceCIDR.split('/')[0] ?? '') ? 'IPv6' : 'IPv4'],
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort }],
      sessionAffinity: 'None',
    },
  };
}

function kubernetesEndpoints({ address, port }: Advertised): RawObject {
  return {
    metadata: { name: 'kubernetes', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
}

function kubernetesSlice({ address, port }: Advertised): RawObject {
  return {
    metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
}

/** The address after the network's own, which the real server takes for itself too. */
function firstAddress(cidr: string): string {
  const [network] = ipaddr.parseCIDR(cidr);
  const bytes = network.toByteArray();
  const last = bytes.length - 1;
  return ipaddr.fromByteArray([...bytes.slice(0, last), (bytes[last] ?? 0) + 1]).toString();
}
