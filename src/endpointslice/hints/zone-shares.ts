import { isNodeReady, type Node, ZONE_LABEL } from '../../objects/node.ts';
import { milliCpu } from './cpu.ts';

/** Each zone's share of the cluster's CPU, summing up to 1; undefined when the nodes do not tell enough. */
export type ZoneShares = ReadonlyMap<string, number> | undefined;

const EXCLUDED = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/**
 * Shares of CPU by zone (KEP-2433). Nodes of the control plane and nodes that are not ready do not count; one of the
 * others without zone or CPU makes the whole answer unknown, and so does having fewer than two zones.
 */
export function zoneShares(nodes: Iterable<Node>): ZoneShares {
  const cpu = new Map<string, number>();
  let total = 0;
  for (const node of nodes) {
    if (!countsForZones(node)) continue;
    const zone = node.metadata.labels?.[ZONE_LABEL];
    const milli = milliCpu(node.status.allocatable?.cpu);
    if (!zone || milli === 0) return undefined;
    cpu.set(zone, (cpu.get(zone) ?? 0) + milli);
    total += milli;
  }
  if (cpu.size < 2) return undefined;
  return new Map([...cpu].map(([zone, milli]) => [zone, milli / total]));
}

function countsForZones(node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  return isNodeReady(node) && !EXCLUDED.some((key) => Object.hasOwn(labels, key));
}

export function sameShares(a: ZoneShares, b: ZoneShares): boolean {
  if (a === undefined || b === undefined || a.size !== b.size) return a === b;
  for (const [zone, share] of a) if (b.get(zone) !== share) return false;
  return true;
}

/** Whether a change of this node can change the shares; heartbeats, for one, cannot. */
export function affectsShares(before: Node, after: Node): boolean {
  if (countsForZones(before) !== countsForZones(after)) return true;
  return (
    before.metadata.labels?.[ZONE_LABEL] !== after.metadata.labels?.[ZONE_LABEL] ||
    before.status.allocatable?.cpu !== after.status.allocatable?.cpu
  );
}
