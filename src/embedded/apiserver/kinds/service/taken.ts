import type { StrategyContext } from '../../kind.ts';
import { canonicalAddress } from '../validation/addresses.ts';
import { asService, noClusterIP, type ServiceObject } from './types.ts';

/** A few look-ups scan; many (a nearly full range) are worth an index. */
const scansBeforeIndex = 3;

/** Membership in a collection that is dear to copy. */
function memberOf<T>(values: () => Iterable<T>): (value: T) => boolean {
  let calls = 0;
  let index: Set<T> | undefined;
  return (value) => {
    if (++calls > scansBeforeIndex) {
      index ??= new Set(values());
      return index.has(value);
    }
    for (const item of values()) if (item === value) return true;
    return false;
  };
}

/** Whether an address (in canonical form) is some Service's. */
export function takenAddresses(context: StrategyContext): (address: string) => boolean {
  return memberOf(function* () {
    for (const stored of context.list('services')) {
      for (const address of asService(stored).spec.clusterIPs ?? []) {
        if (address !== noClusterIP) yield canonical(address);
      }
    }
  });
}

/** One spelling of an address for all that mean it. */
export function canonical(address: string): string {
  return address.includes(':') ? (canonicalAddress(address) ?? address) : address;
}

/** Whether a node port belongs to a Service other than `service`. */
export function takenNodePorts(context: StrategyContext, service: ServiceObject): (port: number) => boolean {
  return memberOf(function* () {
    for (const stored of context.list('services')) {
      if (stored.metadata.uid !== service.metadata.uid) yield* nodePortsOf(asService(stored));
    }
  });
}

export function* nodePortsOf({ spec }: ServiceObject): Iterable<number> {
  for (const port of spec.ports ?? []) if (port.nodePort) yield port.nodePort;
  if (spec.healthCheckNodePort) yield spec.healthCheckNodePort;
}
