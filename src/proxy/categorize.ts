import type { ProxyRulesConfig } from './config-types.ts';
import { byAddress, type ProxyEndpoint } from './endpoints.ts';
import { type PolicyFields, usesClusterEndpoints, usesLocalEndpoints } from './service-ports.ts';

/** The endpoints that one service port's traffic may reach on this node. All lists keep the order of `address`. */
export interface CategorizedEndpoints {
  /** For traffic with policy Cluster; empty also when the service port has no such traffic. */
  readonly cluster: readonly ProxyEndpoint[];
  /** For traffic with policy Local; empty also when the service port has no such traffic. */
  readonly local: readonly ProxyEndpoint[];
  /** The union of the two. */
  readonly allReachable: readonly ProxyEndpoint[];
  /** Usable endpoints exist somewhere, perhaps not on this node. */
  readonly hasAny: boolean;
}

type Topology = Pick<ProxyRulesConfig, 'nodeName' | 'zone'> & {
  featureGates: Pick<ProxyRulesConfig['featureGates'], 'PreferSameTrafficDistribution'>;
};
type Admits = (endpoint: ProxyEndpoint) => boolean;

const NONE: readonly ProxyEndpoint[] = [];

/**
 * Which endpoints are usable, after KEP-2433 and KEP-3015 (hints), KEP-1669 (terminating endpoints) and KEP-2086 (internal
 * policy). Hints count only when every ready endpoint carries one and some endpoint is hinted for this node (or zone); they
 * never apply to policy Local nor to the fallback, which takes endpoints that are serving while they terminate.
 */
export function categorizeEndpoints(
  record: PolicyFields,
  endpoints: readonly ProxyEndpoint[],
  topology: Topology,
): CategorizedEndpoints {
  if (endpoints.length === 0) return { cluster: NONE, local: NONE, allReachable: NONE, hasAny: false };

  let cluster = NONE;
  let admits: Admits | undefined;
  const clusterUsed = usesClusterEndpoints(record);
  if (clusterUsed) {
    const ready = endpoints.filter(isReady);
    admits = hintFilter(ready, topology);
    cluster = admits ? ready.filter(admits) : ready;
    if (cluster.length === 0) cluster = endpoints.filter(isFallback);
  }
  if (!usesLocalEndpoints(record)) return { cluster, local: NONE, allReachable: cluster, hasAny: cluster.length > 0 };

  const hasAny = cluster.length > 0 || endpoints.some((e) => isReady(e) || isFallback(e));
  const here = endpoints.filter((e) => e.isLocal);
  const localReady = here.filter(isReady);
  const local = localReady.length > 0 ? localReady : here.filter(isFallback);
  const localIsFallback = localReady.length === 0 && local.length > 0;
  let allReachable = cluster;
  if (!clusterUsed) allReachable = local;
  else if (admits || localIsFallback) allReachable = union(cluster, local);
  return { cluster, local, allReachable, hasAny };
}

function isReady(endpoint: ProxyEndpoint): boolean {
  return endpoint.ready;
}

function isFallback(endpoint: ProxyEndpoint): boolean {
  return endpoint.serving && endpoint.terminating;
}

/** Same node before same zone; `undefined`: hints do not apply. */
function hintFilter(ready: readonly ProxyEndpoint[], topology: Topology): Admits | undefined {
  const candidates: { hints: (e: ProxyEndpoint) => readonly string[]; here: string }[] = [];
  if (topology.featureGates.PreferSameTrafficDistribution) {
    candidates.push({ hints: (e) => e.nodeHints, here: topology.nodeName });
  }
  candidates.push({ hints: (e) => e.zoneHints, here: topology.zone });
  for (const { hints, here } of candidates) {
    const admits = (e: ProxyEndpoint) => hints(e).includes(here);
    if (ready.every((e) => hints(e).length > 0) && ready.some(admits)) return admits;
  }
  return undefined;
}

function union(a: readonly ProxyEndpoint[], b: readonly ProxyEndpoint[]): readonly ProxyEndpoint[] {
  const byKey = new Map([...a, ...b].map((endpoint) => [endpoint.address, endpoint]));
  return [...byKey.values()].sort(byAddress);
}
