import type { Protocol } from '../../objects/meta.ts';
import type { Container, ContainerPort, Pod, PodCondition } from '../../objects/pod.ts';
import { readMeta, readTime } from './meta.ts';
import { append, ProtoReader } from './reader.ts';

/** core/v1 Pod (field numbers: `generated.proto` of k8s.io/api/core/v1), cut like the JSON form in projections/pods.ts. */
export function decodePod(bytes: Buffer): Pod {
  const reader = new ProtoReader(bytes);
  const { end } = reader;
  let pod: Pod | undefined;
  const spec: Pod['spec'] = {};
  const status: Pod['status'] = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        pod = { metadata: readMeta(reader, reader.message(), 'Pod'), spec, status };
        break;
      case 2:
        readSpec(reader, reader.message(), spec);
        break;
      case 3:
        readPodStatus(reader, reader.message(), status);
        break;
      default:
        reader.skip();
    }
  }
  return pod ?? { metadata: readMeta(reader, end, 'Pod'), spec, status };
}

function readSpec(reader: ProtoReader, end: number, spec: Pod['spec']): void {
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 2: {
        const container = readContainer(reader, reader.message());
        if (container) spec.containers = append(spec.containers, container);
        break;
      }
      case 10: {
        const nodeName = reader.shared();
        if (nodeName !== '') spec.nodeName = nodeName;
        break;
      }
      case 11:
        if (reader.bool()) spec.hostNetwork = true;
        break;
      case 16: {
        const hostname = reader.string();
        if (hostname !== '') spec.hostname = hostname;
        break;
      }
      case 17: {
        const subdomain = reader.shared();
        if (subdomain !== '') spec.subdomain = subdomain;
        break;
      }
      case 20: {
        const container = readContainer(reader, reader.message());
        if (container?.restartPolicy === 'Always') spec.initContainers = append(spec.initContainers, container);
        break;
      }
      default:
        reader.skip();
    }
  }
}

/** Undefined for a container without ports. */
function readContainer(reader: ProtoReader, end: number): Container | undefined {
  let name = '';
  let restartPolicy: string | undefined;
  let ports: ContainerPort[] | undefined;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        name = reader.shared();
        break;
      case 6:
        ports = append(ports, readPort(reader, reader.message()));
        break;
      case 24:
        restartPolicy = reader.shared();
        break;
      default:
        reader.skip();
    }
  }
  if (!ports) return undefined;
  const container: Container = { ports };
  if (name !== '') container.name = name;
  if (restartPolicy !== undefined) container.restartPolicy = restartPolicy;
  return container;
}

function readPort(reader: ProtoReader, end: number): ContainerPort {
  const port: ContainerPort = { containerPort: 0 };
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1: {
        const name = reader.shared();
        if (name !== '') port.name = name;
        break;
      }
      case 3:
        port.containerPort = reader.int();
        break;
      case 4: {
        const protocol = reader.shared();
        if (protocol !== '') port.protocol = protocol as Protocol;
        break;
      }
      default:
        reader.skip();
    }
  }
  return port;
}

function readPodStatus(reader: ProtoReader, end: number, status: Pod['status']): void {
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1: {
        const phase = reader.shared();
        if (phase !== '') status.phase = phase;
        break;
      }
      case 2: {
        const condition = readCondition(reader, reader.message());
        if (condition) status.conditions = [condition];
        break;
      }
      case 6: {
        const podIP = reader.string();
        if (podIP !== '') status.podIP = podIP;
        break;
      }
      case 12: {
        const ip = readIP(reader, reader.message());
        if (ip !== '') status.podIPs = append(status.podIPs, { ip: ip === status.podIP ? status.podIP : ip });
        break;
      }
      default:
        reader.skip();
    }
  }
}

/** Only the `Ready` condition. */
function readCondition(reader: ProtoReader, end: number): PodCondition | undefined {
  const condition: PodCondition = { type: '', status: 'Unknown' };
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        condition.type = reader.shared();
        break;
      case 2:
        condition.status = reader.shared();
        break;
      case 4: {
        const time = readTime(reader, reader.message());
        if (time !== undefined) condition.lastTransitionTime = time;
        break;
      }
      default:
        reader.skip();
    }
  }
  return condition.type === 'Ready' ? condition : undefined;
}

function readIP(reader: ProtoReader, end: number): string {
  let ip = '';
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) ip = reader.string();
    else reader.skip();
  }
  return ip;
}
