import { DEFAULT_PLAN_OPTIONS, type PlanInput, type PlanOptions } from '../../../src/endpointslice/plan.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../../src/objects/endpointslice.ts';
import { CONTROLLER_NAME, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from '../../../src/objects/endpointslice.ts';
import { type Node, ZONE_LABEL } from '../../../src/objects/node.ts';
import type { Container, Pod } from '../../../src/objects/pod.ts';
import type { Service, ServicePort } from '../../../src/objects/service.ts';

export const NAMESPACE = 'shop';

export interface PodParts {
  ip?: string;
  ips?: string[];
  ready?: boolean;
  phase?: string;
  node?: string;
  deleting?: boolean;
  labels?: Record<string, string>;
  hostname?: string;
  subdomain?: string;
  containers?: Container[];
  initContainers?: Container[];
  uid?: string;
  namespace?: string;
  readySince?: string;
  /** `status.podIP` without `status.podIPs`. */
  podIPOnly?: string;
}

export function pod(name: string, parts: PodParts = {}): Pod {
  const { ip, ips = ip === undefined ? ['10.0.0.1'] : [ip], ready = true, node = 'node-a' } = parts;
  const podIPs = parts.podIPOnly === undefined ? ips : [];
  const { hostname, subdomain, containers, initContainers, readySince } = parts;
  const podIP = parts.podIPOnly ?? ips[0];
  return {
    metadata: {
      name,
      namespace: parts.namespace ?? NAMESPACE,
      uid: parts.uid ?? `uid-${name}`,
      labels: parts.labels ?? { app: 'web' },
      ...(parts.deleting ? { deletionTimestamp: '2026-01-01T00:00:10Z' } : {}),
    },
    spec: {
      ...(node === '' ? {} : { nodeName: node }),
      ...(hostname === undefined ? {} : { hostname }),
      ...(subdomain === undefined ? {} : { subdomain }),
      ...(containers === undefined ? {} : { containers }),
      ...(initContainers === undefined ? {} : { initContainers }),
    },
    status: {
      phase: parts.phase ?? 'Running',
      ...(podIP === undefined ? {} : { podIP }),
      podIPs: podIPs.map((text) => ({ ip: text })),
      conditions: [
        {
          type: 'Ready',
          status: ready ? 'True' : 'False',
          ...(readySince === undefined ? {} : { lastTransitionTime: readySince }),
        },
      ],
    },
  };
}

/** `count` ready Pods with IPv4 addresses of their own, on node-a. */
export function pods(count: number, parts: PodParts = {}, from = 0): Pod[] {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return pod(`pod-${n}`, {
      ip: `10.${1 + Math.floor(n / 62500)}.${Math.floor(n / 250) % 250}.${1 + (n % 250)}`,
      ...parts,
    });
  });
}

export interface ServiceParts extends Partial<Service['spec']> {
  name?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  uid?: string;
  deleting?: boolean;
  created?: string;
}

export const HTTP: ServicePort = { name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 };

export function service(parts: ServiceParts = {}): Service {
  const { name = 'web', labels, annotations, uid = 'uid-web', deleting, created, ...spec } = parts;
  return {
    metadata: {
      name,
      namespace: NAMESPACE,
      uid,
      creationTimestamp: created ?? '2026-01-01T00:00:00Z',
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(deleting ? { deletionTimestamp: '2026-01-01T00:01:00Z' } : {}),
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.10',
      ipFamilies: ['IPv4'],
      selector: { app: 'web' },
      ports: [HTTP],
      ...spec,
    },
  };
}

export interface NodeParts {
  zone?: string;
  cpu?: string;
  ready?: boolean;
  labels?: Record<string, string>;
}

export function node(name: string, { zone, cpu = '4', ready = true, labels = {} }: NodeParts = {}): Node {
  return {
    metadata: { name, labels: { ...labels, ...(zone === undefined ? {} : { [ZONE_LABEL]: zone }) } },
    spec: {},
    status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

export interface SliceParts {
  endpoints?: Endpoint[];
  ports?: EndpointPort[];
  addressType?: EndpointSlice['addressType'];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerUid?: string;
  service?: string;
  generation?: number;
  uid?: string;
  resourceVersion?: string;
}

export const HTTP_PORT: EndpointPort = { name: 'http', protocol: 'TCP', port: 8080 };

/** A slice as the controller would have written it for `service()`. */
export function slice(name: string, parts: SliceParts = {}): EndpointSlice {
  const owner = parts.service ?? 'web';
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: NAMESPACE,
      uid: parts.uid ?? `uid-${name}`,
      resourceVersion: parts.resourceVersion ?? '7',
      generation: parts.generation ?? 1,
      generateName: `${owner}-`,
      labels: { [SERVICE_NAME_LABEL]: owner, [MANAGED_BY_LABEL]: CONTROLLER_NAME, ...parts.labels },
      ...(parts.annotations ? { annotations: parts.annotations } : {}),
      ...(parts.finalizers ? { finalizers: parts.finalizers } : {}),
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: owner,
          uid: parts.ownerUid ?? 'uid-web',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: parts.addressType ?? 'IPv4',
    endpoints: parts.endpoints ?? [],
    ports: parts.ports ?? [HTTP_PORT],
  };
}

/** The endpoint that stands for a ready Pod made by `pod()`. */
export function endpoint(name: string, ip: string, parts: Partial<Endpoint> = {}): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', namespace: NAMESPACE, name, uid: `uid-${name}` },
    nodeName: 'node-a',
    ...parts,
  };
}

/** The endpoints of `pods(count, {}, from)`. */
export function endpoints(count: number, from = 0): Endpoint[] {
  return pods(count, {}, from).map((p) => endpoint(p.metadata.name, p.status.podIPs?.[0]?.ip ?? ''));
}

export interface InputParts extends Partial<Omit<PlanInput, 'options' | 'node'>> {
  nodes?: Node[];
  options?: Partial<PlanOptions>;
}

/** Input for the planner; unless told otherwise there is one node, node-a, without a zone. */
export function input({ nodes = [node('node-a')], options, ...parts }: InputParts = {}): PlanInput {
  const byName = new Map(nodes.map((n) => [n.metadata.name, n]));
  return {
    service: service(),
    pods: [],
    slices: [],
    node: (name) => byName.get(name),
    shares: undefined,
    triggerTime: undefined,
    options: { ...DEFAULT_PLAN_OPTIONS, ...options },
    ...parts,
  };
}
