import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import type { Node } from '../../src/objects/node.ts';
import type { Pod } from '../../src/objects/pod.ts';
import type { Service } from '../../src/objects/service.ts';

/** The cluster of ../shared/anchors.md: 200 nodes in 3 zones, 2,000 Services with 10 ready Pods each, in 5 namespaces. */
export interface ClusterShape {
  nodes: number;
  zones: number;
  services: number;
  podsPerService: number;
  namespaces: number;
  /** Bytes of annotations added to each Pod, so that it weighs on the wire what real ones do. */
  podPadding: number;
}

export const ANCHOR_SHAPE: ClusterShape = {
  nodes: 200,
  zones: 3,
  services: 2000,
  podsPerService: 10,
  namespaces: 5,
  podPadding: 6000,
};

const CREATED = '2026-01-01T00:00:00Z';

export const nodeName = (index: number): string => `node-${String(index).padStart(3, '0')}`;
export const namespaceName = (shape: ClusterShape, service: number): string => `ns-${service % shape.namespaces}`;
export const serviceName = (index: number): string => `svc-${String(index).padStart(5, '0')}`;
export const zoneName = (shape: ClusterShape, node: number): string => `zone-${node % shape.zones}`;

function dottedQuad(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

/** Distinct for each (service, pod); from 10.128.0.0 on. */
export const podIP = (shape: ClusterShape, service: number, pod: number): string =>
  dottedQuad(0x0a800000 + service * shape.podsPerService + pod + 1);

/** From 10.96.0.0 on. */
export const clusterIP = (service: number): string => dottedQuad(0x0a600000 + service + 10);

export function makeNode(shape: ClusterShape, index: number): Node & { apiVersion: string; kind: string } {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName(index),
      labels: { 'topology.kubernetes.io/zone': zoneName(shape, index), 'kubernetes.io/hostname': nodeName(index) },
    },
    spec: {},
    status: {
      addresses: [{ type: 'InternalIP', address: dottedQuad(0xac120000 + index + 2) }],
      allocatable: { cpu: '4' },
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  };
}

export function makeService(shape: ClusterShape, index: number): Service & { apiVersion: string; kind: string } {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: serviceName(index), namespace: namespaceName(shape, index), labels: { app: serviceName(index) } },
    spec: {
      type: 'ClusterIP',
      selector: { app: serviceName(index) },
      clusterIP: clusterIP(index),
      clusterIPs: [clusterIP(index)],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
    },
  };
}

export const podName = (service: number, pod: number): string => `${serviceName(service)}-${pod}`;

export function makePod(shape: ClusterShape, service: number, pod: number): Pod & { apiVersion: string; kind: string } {
  const ip = podIP(shape, service, pod);
  const container = {
    name: 'main',
    image: 'registry.invalid/app:1',
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' as const }],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(service, pod),
      namespace: namespaceName(shape, service),
      labels: { app: serviceName(service), 'pod-template-hash': `h${service}`, tier: 'backend' },
      annotations: { 'bench/padding': 'x'.repeat(shape.podPadding) },
    },
    spec: { nodeName: nodeName((service * shape.podsPerService + pod) % shape.nodes), containers: [container] },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: CREATED }],
    },
  };
}

/** The slice that a controller would write for one Service, with all Pods ready. */
export function makeSlice(shape: ClusterShape, service: number): EndpointSlice {
  const namespace = namespaceName(shape, service);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${serviceName(service)}-x`,
      namespace,
      labels: {
        'kubernetes.io/service-name': serviceName(service),
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: Array.from({ length: shape.podsPerService }, (_, pod) => {
      const node = (service * shape.podsPerService + pod) % shape.nodes;
      return {
        addresses: [podIP(shape, service, pod)],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: nodeName(node),
        zone: zoneName(shape, node),
        targetRef: { kind: 'Pod', namespace, name: podName(service, pod), uid: `uid-${service}-${pod}` },
      };
    }),
  };
}
