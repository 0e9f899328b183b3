import type { Action, Manifest, Plural, PodReport } from './scenario.ts';

export interface PodShape extends PodReport {
  labels?: Record<string, string>;
  /** @default n1 */
  node?: string;
  hostname?: string;
  subdomain?: string;
  finalizers?: string[];
  ports?: PortShape[];
  /** Ports of a sidecar: an init container that goes on running (KEP-753). */
  sidecarPorts?: PortShape[];
}

export interface PortShape {
  name?: string;
  containerPort: number;
  protocol?: string;
}

/** A Pod of the application `web`, as it is once its kubelet has reported it running and ready. */
export function pod(name: string, shape: PodShape = {}): Action[] {
  const { labels, node = 'n1', hostname, subdomain, finalizers, ports, sidecarPorts, ...report } = shape;
  const container = (of: string, list: PortShape[] | undefined) => ({ name: of, image: 'none', ports: list ?? [] });
  const object: Manifest = {
    metadata: { name, labels: { app: 'web', ...labels }, ...(finalizers ? { finalizers } : {}) },
    spec: {
      nodeName: node,
      containers: [container('main', ports)],
      ...(sidecarPorts ? { initContainers: [{ ...container('side', sidecarPorts), restartPolicy: 'Always' }] } : {}),
      ...(hostname ? { hostname } : {}),
      ...(subdomain ? { subdomain } : {}),
    },
  };
  return [
    { op: 'create', plural: 'pods', object },
    { op: 'report', pod: name, status: { ready: true, phase: 'Running', ...report } },
  ];
}

/** Pods in a row, `p0`, `p1`, ..., on the nodes given in turn. */
export function pods(count: number, shape: (i: number) => PodShape = () => ({})): Action[] {
  const each = Array.from({ length: count }, (_, i) =>
    pod(`p${i}`, { ips: [`10.1.${Math.floor(i / 250)}.${(i % 250) + 1}`], ...shape(i) }),
  );
  // A Pod must be there before it is reported; beyond that, the order does not matter.
  return [0, 1].map((part) => atOnce(each.flatMap((actions) => actions.slice(part, part + 1))));
}

export interface ServiceShape {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  [specField: string]: unknown;
}

export function service(name = 'web', shape: ServiceShape = {}): Action {
  const { labels = {}, annotations = {}, ...spec } = shape;
  return {
    op: 'create',
    plural: 'services',
    object: {
      metadata: { name, labels, annotations },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
    },
  };
}

export const dualStack = { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] };

export function report(podName: string, status: PodReport): Action {
  return { op: 'report', pod: podName, status };
}

/** JSON merge patch. */
export function patch(plural: Plural, name: string, change: object): Action {
  return { op: 'patch', plural, name, patch: change };
}

export function patchService(change: object, name = 'web'): Action {
  return patch('services', name, change);
}

/** The watches of a controller are independent: without this it may see a Service before the Pods that were there first. */
export const seen: Action = { op: 'wait until seen' };

/** A sync without any other consequence: Service annotations do not go into slices. */
export function poke(name = 'web', value = 'x'): Action {
  return patchService({ metadata: { annotations: { poke: value } } }, name);
}

export function remove(plural: Plural, name: string, graceSeconds = 0): Action {
  return { op: 'remove', plural, name, graceSeconds };
}

export function atOnce(actions: readonly Action[]): Action {
  return { op: 'all at once', actions };
}

export interface NodeShape {
  /** Without one, none. */
  zone?: string;
  /** @default 4 */
  cpu?: string;
  /** @default true */
  ready?: boolean;
  /** Nodes of the control plane do not count for hints `Auto`. */
  controlPlane?: boolean;
}

const zoneLabel = 'topology.kubernetes.io/zone';
const controlPlaneLabel = 'node-role.kubernetes.io/control-plane';

export function node(name: string, { zone, cpu = '4', ready = true, controlPlane = false }: NodeShape = {}): Action[] {
  const labels = { ...(zone ? { [zoneLabel]: zone } : {}), ...(controlPlane ? { [controlPlaneLabel]: '' } : {}) };
  return [{ op: 'create', plural: 'nodes', object: { metadata: { name, labels } } }, nodeStatus(name, { cpu, ready })];
}

export function nodeStatus(name: string, { cpu, ready }: Pick<NodeShape, 'cpu' | 'ready'>): Action {
  const status = {
    ...(cpu === undefined ? {} : { allocatable: { cpu }, capacity: { cpu } }),
    ...(ready === undefined ? {} : { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] }),
  };
  return { op: 'patch', plural: 'nodes', name, patch: { status }, subresource: 'status' };
}

export function zone(nodeName: string, name: string | null): Action {
  return patch('nodes', nodeName, { metadata: { labels: { [zoneLabel]: name } } });
}

export function controlPlane(nodeName: string, is: boolean): Action {
  return patch('nodes', nodeName, { metadata: { labels: { [controlPlaneLabel]: is ? '' : null } } });
}
