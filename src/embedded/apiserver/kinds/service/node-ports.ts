import type { Random } from '../../../../clock.ts';
import type { Cause, StrategyContext } from '../../kind.ts';
import { invalid } from '../validation/causes.ts';
import { nodePortsOf, takenNodePorts } from './taken.ts';
import {
  mayHaveNodePorts,
  needsHealthCheckPort,
  type ServiceNetwork,
  type ServiceObject,
  type ServicePort,
  wantsNodePorts,
} from './types.ts';

type Range = ServiceNetwork['nodePortRange'];

/**
 * Gives ports their node ports and the Service its health check port, keeping those it names. One number may serve several
 * protocols of one Service, never two Services.
 */
export function allocateNodePorts(
  service: ServiceObject,
  before: ServiceObject | undefined,
  range: Range,
  context: StrategyContext,
): Cause[] {
  const { spec } = service;
  const ports = mayHaveNodePorts(spec) ? (spec.ports ?? []) : [];
  const own = before ? nodePortsOf(before) : new Set<number>();
  const isOpen = (port: ServicePort): boolean => !port.nodePort && wantsNodePorts(spec);
  const asksForNew = ports.some((port) => isOpen(port) || (port.nodePort && !own.has(port.nodePort)));
  if (!asksForNew && !needsHealthCheckPort(spec)) return [];

  const ofOthers = takenNodePorts(context, service);
  const handedOut = new Set<number>();
  const taken = (port: number): boolean => handedOut.has(port) || ofOthers(port);
  const causes = ports.flatMap((port, i) => {
    if (!port.nodePort) return [];
    const why = own.has(port.nodePort) ? undefined : whyRefused(port.nodePort, range, taken);
    const twice = ports
      .slice(0, i)
      .some((other) => other.nodePort === port.nodePort && other.protocol === port.protocol);
    const detail = twice ? alreadyAllocated : why;
    return detail ? [invalid(`spec.ports[${i}].nodePort`, port.nodePort, detail)] : [];
  });
  if (causes.length > 0) return causes.slice(0, 1);
  for (const port of ports) if (port.nodePort) handedOut.add(port.nodePort);

  for (const [i, port] of ports.entries()) {
    if (!isOpen(port)) continue;
    const nodePort = sameNumberPeer(port, ports) ?? pickPort(range, taken, context.random);
    if (nodePort === undefined) return [invalid(`spec.ports[${i}].nodePort`, 0, rangeIsFull)];
    port.nodePort = nodePort;
    handedOut.add(nodePort);
  }
  return needsHealthCheckPort(spec) ? allocateHealthCheckPort(service, before, range, taken, context) : [];
}

const alreadyAllocated = 'provided port is already allocated';
const rangeIsFull = 'failed to allocate a nodePort: range is full';

/** TCP and UDP of one port number (DNS) share a node port where they can. */
function sameNumberPeer(port: ServicePort, ports: readonly ServicePort[]): number | undefined {
  const peer = ports.find((other) => other.port === port.port && other.nodePort);
  if (!peer) return undefined;
  const clash = ports.some((other) => other.nodePort === peer.nodePort && other.protocol === port.protocol);
  return clash ? undefined : peer.nodePort;
}

function allocateHealthCheckPort(
  service: ServiceObject,
  before: ServiceObject | undefined,
  range: Range,
  taken: (port: number) => boolean,
  context: StrategyContext,
): Cause[] {
  const { spec } = service;
  const asked = spec.healthCheckNodePort;
  const field = 'spec.healthCheckNodePort';
  if (asked) {
    const why = asked === before?.spec.healthCheckNodePort ? undefined : whyRefused(asked, range, taken);
    return why ? [invalid(field, asked, `failed to allocate requested HealthCheck NodePort ${asked}: ${why}`)] : [];
  }
  const port = pickPort(range, taken, context.random);
  if (port === undefined) return [invalid(field, 0, rangeIsFull)];
  spec.healthCheckNodePort = port;
  return [];
}

function whyRefused(port: number, { from, to }: Range, taken: (port: number) => boolean): string | undefined {
  if (port < from || port > to) {
    return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
  }
  return taken(port) ? alreadyAllocated : undefined;
}

/** Random, so that a port just given up is not at once another Service's. */
function pickPort({ from, to }: Range, taken: (port: number) => boolean, random: Random): number | undefined {
  const count = to - from + 1;
  const start = Math.floor(random() * count);
  for (let i = 0; i < count; i++) {
    const port = from + ((start + i) % count);
    if (!taken(port)) return port;
  }
  return undefined;
}
