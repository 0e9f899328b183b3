import type { EndpointPort } from '../objects/endpointslice.ts';
import type { Container, Pod } from '../objects/pod.ts';
import type { Service, ServicePort } from '../objects/service.ts';

/** The ports that all endpoints of a slice share. */
export interface PortGroup {
  /** Equal for equal sets of ports, whatever their order. */
  key: string;
  ports: EndpointPort[];
}

/** Key of a set of ports. An absent list is an empty one; an absent `appProtocol` is not an empty one. */
export function portsKey(ports: readonly EndpointPort[] | null | undefined): string {
  if (!ports || ports.length === 0) return '';
  const keys = ports.map(portKey);
  return keys.length === 1 ? (keys[0] ?? '') : keys.sort().join('\n');
}

/** Absent name and protocol are what the API server would make of them. None of the parts can hold a line break. */
function portKey({ name, protocol, port, appProtocol }: EndpointPort): string {
  const app = appProtocol === undefined ? '' : `\t${appProtocol}`;
  return `${name ?? ''}\t${protocol ?? 'TCP'}\t${port ?? ''}${app}`;
}

/**
 * Finds the ports of Pods for one Service. Unless a target port is a name, all Pods have the same; named ports are
 * looked up Pod by Pod, and Pods with the same answer share one group.
 */
export class PortResolver {
  #ports: readonly ServicePort[];
  #shared: PortGroup | undefined;
  #groups = new Map<string, PortGroup>();

  constructor(service: Service) {
    this.#ports = service.spec.ports ?? [];
    if (!this.#ports.some((port) => typeof port.targetPort === 'string')) {
      this.#shared = group(this.#ports.map((port) => endpointPort(port, numericTarget(port))));
    }
  }

  /** A named port that the Pod does not have is left out; with none found the group is empty, as upstream has it. */
  resolve(pod: Pod): PortGroup {
    if (this.#shared) return this.#shared;
    const found: EndpointPort[] = [];
    for (const port of this.#ports) {
      const number =
        typeof port.targetPort === 'string' ? findNamedPort(pod, port.targetPort, port) : numericTarget(port);
      if (number !== undefined) found.push(endpointPort(port, number));
    }
    const key = portsKey(found);
    const existing = this.#groups.get(key);
    if (existing) return existing;
    const created = { key, ports: found };
    this.#groups.set(key, created);
    return created;
  }
}

function group(ports: EndpointPort[]): PortGroup {
  return { key: portsKey(ports), ports };
}

function numericTarget(port: ServicePort): number {
  return typeof port.targetPort === 'number' ? port.targetPort : port.port;
}

function endpointPort(servicePort: ServicePort, port: number): EndpointPort {
  const { name, protocol, appProtocol } = servicePort;
  return { name: name ?? '', protocol: protocol ?? 'TCP', port, ...(appProtocol === undefined ? {} : { appProtocol }) };
}

/** Regular containers come first, then sidecars (KEP-753); name and protocol must both match. */
function findNamedPort(pod: Pod, name: string, servicePort: ServicePort): number | undefined {
  const protocol = servicePort.protocol ?? 'TCP';
  const search = (containers: readonly Container[] | undefined, accept: (c: Container) => boolean) => {
    for (const container of containers ?? []) {
      if (!accept(container)) continue;
      for (const port of container.ports ?? []) {
        if (port.name === name && (port.protocol ?? 'TCP') === protocol) return port.containerPort;
      }
    }
    return undefined;
  };
  return (
    search(pod.spec.containers, () => true) ?? search(pod.spec.initContainers, (c) => c.restartPolicy === 'Always')
  );
}
