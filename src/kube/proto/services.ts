import type { IPFamily, Protocol } from '../../objects/meta.ts';
import type { LoadBalancerIngress, Service, ServicePort } from '../../objects/service.ts';
import { readEntry, readMeta } from './meta.ts';
import { append, ProtoReader } from './reader.ts';

/** core/v1 Service (field numbers: `generated.proto` of k8s.io/api/core/v1), cut like the JSON form in projections/services.ts. */
export function decodeService(bytes: Buffer): Service {
  const reader = new ProtoReader(bytes);
  const { end } = reader;
  let metadata: Service['metadata'] | undefined;
  const spec: Service['spec'] = {};
  const ingress: LoadBalancerIngress[] = [];
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        metadata = readMeta(reader, reader.message(), 'Service', { annotations: true, owners: true });
        break;
      case 2:
        readSpec(reader, reader.message(), spec);
        break;
      case 3:
        readNested(reader, reader.message(), 1, (loadBalancerEnd) =>
          readNested(reader, loadBalancerEnd, 1, (ingressEnd) => ingress.push(readIngress(reader, ingressEnd))),
        );
        break;
      default:
        reader.skip();
    }
  }
  const service: Service = { metadata: metadata ?? readMeta(reader, end, 'Service'), spec };
  if (ingress.length > 0) service.status = { loadBalancer: { ingress } };
  return service;
}

/** Plain string fields of ServiceSpec. */
const STRINGS = new Map<number, keyof Service['spec']>([
  [3, 'clusterIP'],
  [4, 'type'],
  [7, 'sessionAffinity'],
  [10, 'externalName'],
  [11, 'externalTrafficPolicy'],
  [17, 'ipFamilyPolicy'],
  [22, 'internalTrafficPolicy'],
  [23, 'trafficDistribution'],
]);

function readSpec(reader: ProtoReader, end: number, spec: Service['spec']): void {
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    const name = STRINGS.get(field);
    if (name !== undefined) {
      const value = reader.shared();
      if (value !== '') Object.assign(spec, { [name]: value });
      continue;
    }
    switch (field) {
      case 1:
        spec.ports = append(spec.ports, readPort(reader, reader.message()));
        break;
      case 2:
        spec.selector ??= {};
        readEntry(reader, reader.message(), spec.selector);
        break;
      case 5:
        spec.externalIPs = append(spec.externalIPs, reader.string());
        break;
      case 9:
        spec.loadBalancerSourceRanges = append(spec.loadBalancerSourceRanges, reader.string());
        break;
      case 12: {
        const port = reader.int();
        if (port !== 0) spec.healthCheckNodePort = port;
        break;
      }
      case 13:
        if (reader.bool()) spec.publishNotReadyAddresses = true;
        break;
      case 14:
        readNested(reader, reader.message(), 1, (clientEnd) => {
          const timeoutSeconds = readInt(reader, clientEnd, 1);
          if (timeoutSeconds !== undefined) spec.sessionAffinityConfig = { clientIP: { timeoutSeconds } };
        });
        break;
      case 18:
        spec.clusterIPs = append(spec.clusterIPs, reader.string());
        break;
      case 19:
        spec.ipFamilies = append(spec.ipFamilies, reader.shared() as IPFamily);
        break;
      default:
        reader.skip();
    }
  }
}

function readPort(reader: ProtoReader, end: number): ServicePort {
  const port: ServicePort = { port: 0 };
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1: {
        const name = reader.shared();
        if (name !== '') port.name = name;
        break;
      }
      case 2: {
        const protocol = reader.shared();
        if (protocol !== '') port.protocol = protocol as Protocol;
        break;
      }
      case 3:
        port.port = reader.int();
        break;
      case 4:
        port.targetPort = readIntOrString(reader, reader.message());
        break;
      case 5: {
        const nodePort = reader.int();
        if (nodePort !== 0) port.nodePort = nodePort;
        break;
      }
      case 6:
        port.appProtocol = reader.shared();
        break;
      default:
        reader.skip();
    }
  }
  return port;
}

/** intstr.IntOrString: type 1 means the string. */
function readIntOrString(reader: ProtoReader, end: number): number | string {
  let isString = false;
  let number = 0;
  let text = '';
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) isString = reader.int() === 1;
    else if (field === 2) number = reader.int();
    else if (field === 3) text = reader.shared();
    else reader.skip();
  }
  return isString ? text : number;
}

function readIngress(reader: ProtoReader, end: number): LoadBalancerIngress {
  const ingress: LoadBalancerIngress = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field < 1 || field > 3) {
      reader.skip();
      continue;
    }
    const value = reader.string();
    if (field === 1 && value !== '') ingress.ip = value;
    if (field === 2 && value !== '') ingress.hostname = value;
    if (field === 3 && (value === 'VIP' || value === 'Proxy')) ingress.ipMode = value;
  }
  return ingress;
}

/** Calls `read` with the end of each nested message `wanted`; it must read up to there. */
function readNested(reader: ProtoReader, end: number, wanted: number, read: (end: number) => void): void {
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === wanted) read(reader.message());
    else reader.skip();
  }
}

function readInt(reader: ProtoReader, end: number, wanted: number): number | undefined {
  let value: number | undefined;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === wanted) value = reader.int();
    else reader.skip();
  }
  return value;
}
