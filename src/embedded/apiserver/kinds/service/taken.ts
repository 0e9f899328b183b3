import type { StrategyContext } from '../../kind.ts';
import { canonicalAddress } from '../validation/addresses.ts';
import { asService, noClusterIP, type ServiceObject } from './types.ts';

/** A few look-ups go through all Services; many (a nearly full range) are worth an index. */
const scansBeforeIndex = 3;

type Visit<T> = (value: T) => boolean;

/** Membership in a collection that is dear to copy. @param some calls its argument with each value until it says true */
function memberOf<T>(some: (visit: Visit<T>) => boolean): (value: T) => boolean {
  let scans = 0;
  let index: Set<T> | undefined;
  return (value) => {
    if (++scans <= scansBeforeIndex) return some((item) => item === value);
    if (!index) {
      const all = new Set<T>();
      some((item) => {
        all.add(item);
        return false;
      });
      index = all;
    }
    return index.has(value);
  };
}

/** Whether an address (in canonical form) is some Service's. */
export function takenAddresses(context: StrategyContext): (address: string) => boolean {
  return memberOf((visit) => {
    for (const stored of context.list('services')) {
      for (const address of asService(stored).spec.clusterIPs ?? []) {
        if (address !== noClusterIP && visit(canonical(address))) return true;
      }
    }
    return false;
  });
}

/** One spelling of an address for all that mean it. */
export function canonical(address: string): string {
  return address.includes(':') ? (canonicalAddress(address) ?? address) : address;
}

/** Whether a node port belongs to a Service other than `service`. */
export function takenNodePorts(context: StrategyContext, service: ServiceObject): (port: number) => boolean {
  return memberOf((visit) => {
    for (const stored of context.list('services')) {
      if (stored.metadata.uid !== service.metadata.uid && someNodePort(asService(stored), visit)) return true;
    }
    return false;
  });
}

function someNodePort({ spec }: ServiceObject, visit: Visit<number>): boolean {
  if (spec.healthCheckNodePort && visit(spec.healthCheckNodePort)) return true;
  for (const port of spec.ports ?? []) if (port.nodePort && visit(port.nodePort)) return true;
  return false;
}

export function nodePortsOf(service: ServiceObject): Set<number> {
  const ports = new Set<number>();
  someNodePort(service, (port) => {
    ports.add(port);
    return false;
  });
  return ports;
}
