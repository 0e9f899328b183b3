import type { Cause } from '../../kind.ts';
import { duplicate, eachInvalid, forbidden, notSupported, required } from '../validation/causes.ts';
import { dns1123Label, portName, portNumber, qualifiedName } from '../validation/names.ts';
import type { ServicePort, ServiceSpec } from './types.ts';

export const protocols = ['SCTP', 'TCP', 'UDP'];

export function validatePorts({ type, ports = [] }: ServiceSpec): Cause[] {
  const names = new Set<string>();
  const causes: Cause[] = [];
  ports.forEach((port, i) => {
    const field = `spec.ports[${i}]`;
    if (port.name && names.has(port.name)) causes.push(duplicate(`${field}.name`, port.name));
    else causes.push(...validatePort(port, field, ports.length > 1));
    names.add(port.name ?? '');
    if (type === 'ClusterIP' && port.nodePort) {
      causes.push(forbidden(`${field}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
  });
  return [...causes, ...duplicates(ports)];
}

function validatePort(port: ServicePort, field: string, needsName: boolean): Cause[] {
  const causes: Cause[] = [];
  const { name = '', protocol = '', targetPort = 0, appProtocol } = port;
  if (name) causes.push(...eachInvalid(`${field}.name`, name, dns1123Label(name)));
  else if (needsName) causes.push(required(`${field}.name`));
  causes.push(...eachInvalid(`${field}.port`, port.port ?? 0, portNumber(port.port ?? 0)));
  if (!protocol) causes.push(required(`${field}.protocol`));
  else if (!protocols.includes(protocol)) causes.push(notSupported(`${field}.protocol`, protocol, protocols));
  const target = typeof targetPort === 'number' ? portNumber(targetPort) : portName(targetPort);
  causes.push(...eachInvalid(`${field}.targetPort`, targetPort, target));
  if (appProtocol !== undefined) {
    causes.push(...eachInvalid(`${field}.appProtocol`, appProtocol, qualifiedName(appProtocol)));
  }
  return causes;
}

/** A protocol and port may occur once. The value shown has the fields of the Go type. */
function duplicates(ports: readonly ServicePort[]): Cause[] {
  const seen = new Set<string>();
  return ports.flatMap(({ protocol = '', port = 0 }, i) => {
    const key = `${protocol} ${port}`;
    const isDuplicate = seen.has(key);
    seen.add(key);
    const shown = { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
    return isDuplicate ? [duplicate(`spec.ports[${i}]`, shown)] : [];
  });
}
