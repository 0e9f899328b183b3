import type { Protocol } from '../../objects/meta.ts';
import type { Container, ContainerPort, Pod, PodCondition } from '../../objects/pod.ts';
import { readyConditions } from '../projections/ready-condition.ts';
import { readMeta, readTime } from './meta.ts';
import { append, ProtoReader } from './reader.ts';
import { SharedParts } from './shared-parts.ts';

/** core/v1 Pod (field numbers: `generated.proto` of k8s.io/api/core/v1), cut like the JSON form in projections/pods.ts. */
export function decodePod(bytes: Buffer): Pod {
  const reader = new ProtoReader(bytes);
  const { end } = reader;
  let metadata: Pod['metadata'] | undefined;
  let spec: Pod['spec'] = {};
  let status: Pod['status'] = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        metadata = readMeta(reader, reader.message(), 'Pod');
        break;
      case 2:
        spec = readSpec(reader, reader.message());
        break;
      case 3:
        status = readPodStatus(reader, reader.message());
        break;
      default:
        reader.skip();
    }
  }
  return { metadata: metadata ?? readMeta(reader, end, 'Pod'), spec, status };
}

function readSpec(reader: ProtoReader, end: number): Pod['spec'] {
  let nodeName = '';
  let containers: Container[] | undefined;
  let rest: Pod['spec'] | undefined;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 2:
        containers = joined(containers, readContainer(reader, reader.message()));
        break;
      case 10:
        nodeName = reader.shared();
        break;
      case 11:
        if (reader.bool()) rest = { ...rest, hostNetwork: true };
        break;
      case 16: {
        const hostname = reader.string();
        if (hostname !== '') rest = { ...rest, hostname };
        break;
      }
      case 17: {
        const subdomain = reader.shared();
        if (subdomain !== '') rest = { ...rest, subdomain };
        break;
      }
      case 20: {
        const found = readContainer(reader, reader.message());
        if (found?.[0]?.restartPolicy !== 'Always') break;
        const initContainers = joined(rest?.initContainers, found);
        if (initContainers) rest = { ...rest, initContainers };
        break;
      }
      default:
        reader.skip();
    }
  }
  // What nearly every Pod has makes one literal, and so one piece of memory.
  if (!rest && nodeName !== '' && containers) return { nodeName, containers };
  return { ...(nodeName !== '' && { nodeName }), ...(containers && { containers }), ...rest };
}

/** Neither list is changed: both may be shared. */
function joined(containers: Container[] | undefined, more: Container[] | undefined): Container[] | undefined {
  return containers && more ? [...containers, ...more] : (containers ?? more);
}

/** A list of one, shared by all Pods of a template; undefined for a container without ports. */
function readContainer(reader: ProtoReader, end: number): Container[] | undefined {
  let text = '';
  let hasPorts = false;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === NAME || field === PORTS || field === RESTART_POLICY) {
      text += reader.stretch(field, end);
      hasPorts ||= field === PORTS;
    } else reader.skip();
  }
  return hasPorts ? CONTAINERS.get(text) : undefined;
}

/** Of a container: the fields that matter, and by which Pods share them. Environment, mounts and the like differ from Pod to Pod. */
const NAME = 1;
const PORTS = 6;
const RESTART_POLICY = 24;

const CONTAINERS = new SharedParts((reader): Container[] => {
  const { end } = reader;
  const container: Container = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === PORTS) container.ports = append(container.ports, readPort(reader, reader.message()));
    else {
      const value = reader.shared();
      if (field === RESTART_POLICY) container.restartPolicy = value;
      else if (value !== '') container.name = value;
    }
  }
  return [container];
});

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

function readPodStatus(reader: ProtoReader, end: number): Pod['status'] {
  let phase = '';
  let podIP = '';
  let podIPs: { ip: string }[] | undefined;
  let conditions: PodCondition[] | undefined;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        phase = reader.shared();
        break;
      case 2:
        conditions = readCondition(reader, reader.message()) ?? conditions;
        break;
      case 6:
        podIP = reader.string();
        break;
      case 12: {
        const ip = readIP(reader, reader.message());
        if (ip !== '') podIPs = append(podIPs, { ip: ip === podIP ? podIP : ip });
        break;
      }
      default:
        reader.skip();
    }
  }
  if (phase !== '' && podIP !== '' && podIPs && conditions) return { phase, podIP, podIPs, conditions };
  return {
    ...(phase !== '' && { phase }),
    ...(podIP !== '' && { podIP }),
    ...(podIPs && { podIPs }),
    ...(conditions && { conditions }),
  };
}

/** Undefined for all but the `Ready` condition. */
function readCondition(reader: ProtoReader, end: number): PodCondition[] | undefined {
  let type = '';
  let status = 'Unknown';
  let time: string | undefined;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        type = reader.shared();
        break;
      case 2:
        status = reader.shared();
        break;
      case 4:
        time = readTime(reader, reader.message());
        break;
      default:
        reader.skip();
    }
  }
  return type === 'Ready' ? readyConditions(status, time) : undefined;
}

function readIP(reader: ProtoReader, end: number): string {
  let ip = '';
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) ip = reader.string();
    else reader.skip();
  }
  return ip;
}
