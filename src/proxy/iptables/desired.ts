import { isDeepStrictEqual } from 'node:util';
import type { ProxyRulesConfig } from '../config-types.ts';
import type { EndpointsMap, ProxyEndpoint } from '../endpoints.ts';
import { namePrefixes, type ServiceKey, type ServicePortName } from '../names.ts';
import type { ServicePortMap, ServicePortRecord } from '../service-ports.ts';
import { SortedMap } from '../sorted-map.ts';
import type { DesiredRules, ServicePortRules, TableName } from './rules.ts';
import { servicePortRules } from './service-rules.ts';
import { staticRules } from './static-rules.ts';

/**
 * What changed since the previous state: for each Service all the service ports (all the endpoints) that it has now. To apply
 * the same changes twice does no harm.
 */
export interface DesiredChanges {
  readonly services: ReadonlyMap<ServiceKey, { readonly after: ServicePortMap }>;
  readonly endpoints: ReadonlyMap<ServiceKey, { readonly after: EndpointsMap }>;
}

/**
 * The desired rules with everything they were computed from. Immutable: a later state shares what did not change, and an
 * earlier one stays good to start again from.
 */
export interface DesiredState {
  readonly config: ProxyRulesConfig;
  readonly servicePorts: SortedMap<ServicePortName, ServicePortRecord>;
  /** Also endpoints for which no Service exists; they have no rules and do not count for `largeCluster`. */
  readonly endpoints: SortedMap<ServicePortName, readonly ProxyEndpoint[]>;
  readonly desired: DesiredRules;
  /** Endpoints of all service ports, ready or not; one behind three ports counts three times. */
  readonly endpointCount: number;
  /** More than 1000 endpoints: endpoint rules written from now on carry no comments (kube-proxy's large-cluster mode). */
  readonly largeCluster: boolean;
  /** Rules in our chains, jumps from built-in chains not counted. */
  readonly ruleCounts: Readonly<Record<TableName, number>>;
  /** Service ports with policy Local and endpoints somewhere, but none here. */
  readonly noLocalEndpoints: { readonly internal: number; readonly external: number };
}

export const LARGE_CLUSTER_ENDPOINTS = 1000;

/** The state with no Service at all. */
export function emptyDesired(config: ProxyRulesConfig): DesiredState {
  const fixed = staticRules(config);
  return {
    config,
    servicePorts: SortedMap.empty(),
    endpoints: SortedMap.empty(),
    desired: { static: fixed, services: SortedMap.empty() },
    endpointCount: 0,
    largeCluster: false,
    ruleCounts: countStatic(fixed),
    noLocalEndpoints: { internal: 0, external: 0 },
  };
}

/**
 * The state after `changes`. Only service ports in `changes` are computed anew, and those whose rules come out the same keep
 * their entry; the work does not grow with the number of Services. A config that differs in more than the node's addresses
 * changes everything. Crossing the large-cluster line does not touch entries that did not change, as in kube-proxy: they
 * keep or lack their comments until they change or until `rebuildDesired`.
 */
export function computeDesired(
  previous: DesiredState,
  changes: DesiredChanges,
  config: ProxyRulesConfig = previous.config,
): DesiredState {
  const servicePorts = previous.servicePorts.update(replacements(previous.servicePorts, changes.services));
  const endpoints = previous.endpoints.update(replacements(previous.endpoints, changes.endpoints));
  const touched = new Set<ServicePortName>();
  for (const { key } of servicePorts.changesSince(previous.servicePorts)) touched.add(key);
  for (const { key } of endpoints.changesSince(previous.endpoints)) if (servicePorts.has(key)) touched.add(key);
  let { endpointCount } = previous;
  for (const name of touched) {
    if (previous.servicePorts.has(name)) endpointCount -= previous.endpoints.get(name)?.length ?? 0;
    if (servicePorts.has(name)) endpointCount += endpoints.get(name)?.length ?? 0;
  }
  const largeCluster = endpointCount > LARGE_CLUSTER_ENDPOINTS;
  const inputs = { ...previous, config, servicePorts, endpoints, endpointCount, largeCluster };
  const all = !sameForServices(previous.config, config);
  return derive(inputs, all ? new Set([...servicePorts.keys(), ...touched]) : touched);
}

/** Every service port computed anew, for a full sync; entries whose rules come out the same are kept. */
export function rebuildDesired(previous: DesiredState, config: ProxyRulesConfig = previous.config): DesiredState {
  return derive({ ...previous, config }, previous.servicePorts.keys());
}

/** `state` has new inputs and still the old results; `names` are the service ports to compute. */
function derive(state: DesiredState, names: Iterable<ServicePortName>): DesiredState {
  const { config, servicePorts, endpoints, largeCluster } = state;
  const old = state.desired;
  const fixed = staticRules(config);
  const ruleCounts = { ...state.ruleCounts };
  const noLocalEndpoints = { ...state.noLocalEndpoints };
  const entries: [ServicePortName, ServicePortRules | undefined][] = [];
  const account = (entry: ServicePortRules | undefined, sign: 1 | -1) => {
    if (!entry) return;
    for (const { table } of entry.dispatch) ruleCounts[table] += sign;
    for (const rules of entry.chains.values()) ruleCounts.nat += sign * rules.length;
    if (entry.noLocalEndpoints.internal) noLocalEndpoints.internal += sign;
    if (entry.noLocalEndpoints.external) noLocalEndpoints.external += sign;
  };
  for (const name of names) {
    const record = servicePorts.get(name);
    const before = old.services.get(name);
    const after = record && servicePortRules(record, endpoints.get(name) ?? [], config, !largeCluster);
    if (isDeepStrictEqual(before, after)) continue;
    account(before, -1);
    account(after, 1);
    entries.push([name, after]);
  }
  const [before, after] = [countStatic(old.static), countStatic(fixed)];
  ruleCounts.filter += after.filter - before.filter;
  ruleCounts.nat += after.nat - before.nat;
  return {
    ...state,
    ruleCounts,
    noLocalEndpoints,
    desired: {
      static: isDeepStrictEqual(old.static, fixed) ? old.static : fixed,
      services: (old.services as SortedMap<ServicePortName, ServicePortRules>).update(entries),
    },
  };
}

/** Every Service in `changes` loses what it has in `old` and gets what it has now. */
function* replacements<T>(
  old: SortedMap<ServicePortName, T>,
  changes: ReadonlyMap<ServiceKey, { after: ReadonlyMap<ServicePortName, T> }>,
): Generator<[ServicePortName, T | undefined]> {
  for (const [service, { after }] of changes) {
    for (const prefix of namePrefixes(service)) {
      for (const name of old.keysWithPrefix(prefix)) if (!after.has(name)) yield [name, undefined];
    }
    yield* after;
  }
}

/** Whether both configs give the same rules for every service port; node addresses stand only in the static rules. */
function sameForServices(a: ProxyRulesConfig, b: ProxyRulesConfig): boolean {
  const fields = ({ nodeAddresses: _a, nodePortAddresses: _p, ...rest }: ProxyRulesConfig) => rest;
  return a === b || isDeepStrictEqual(fields(a), fields(b));
}

function countStatic({ chains, servicesTail }: DesiredRules['static']): Record<TableName, number> {
  const count = (table: TableName) => [...chains[table].values()].reduce((sum, rules) => sum + rules.length, 0);
  return { filter: count('filter'), nat: count('nat') + servicesTail.length };
}
