import type { Endpoint, EndpointPort, EndpointSlice } from '../objects/endpointslice.ts';
import type { Service } from '../objects/service.ts';
import type { Candidate } from './candidates.ts';
import { type Draft, draftOf, freshDraft, inState } from './draft.ts';
import { endpointIdentity, isOwnedBy, podEndpoint, type WrittenAddressType } from './endpoint.ts';
import { mergeSparse } from './merge-sparse.ts';
import { packGroup } from './packing.ts';
import { isPlaceholder } from './placeholder.ts';
import type { FamilyStats, PlanOptions } from './plan.ts';
import { portsKey } from './ports.ts';

export interface FamilyInput {
  service: Service;
  addressType: WrittenAddressType;
  candidates: readonly Candidate[];
  /** Of this address type. */
  slices: readonly EndpointSlice[];
  labels: Record<string, string>;
  options: PlanOptions;
}

interface DesiredGroup {
  ports: EndpointPort[];
  endpoints: Map<string, Endpoint>;
}

/** What is to become of the slices of one address type, hints not yet considered and nothing recycled. */
export function draftFamily(input: FamilyInput): { drafts: Draft[]; stats: FamilyStats } {
  const { service, labels, options } = input;
  const desired = desiredGroups(input);
  const { groups: existing, foreign } = sortOut(input.slices, service);
  const stats: FamilyStats = { added: 0, removed: 0, groups: new Map() };

  const drafts = foreign.map((slice) => draftOf(slice, 'delete'));
  for (const [key, slices] of existing) {
    if (!desired.has(key)) drafts.push(...slices.map((slice) => draftOf(slice, 'delete')));
  }
  const leaving = drafts.map((draft) => draft.before).filter((slice) => slice !== undefined);
  for (const [key, group] of desired) {
    const endpoints = group.endpoints.size;
    const packing = packGroup({
      ports: group.ports,
      existing: existing.get(key) ?? [],
      desired: group.endpoints,
      labels,
      maxEndpoints: options.maxEndpointsPerSlice,
      leaving,
    });
    if (options.mergeSparse) mergeSparse(packing.drafts, options.maxEndpointsPerSlice);
    drafts.push(...packing.drafts);
    stats.added += packing.added;
    stats.removed += packing.removed;
    stats.groups.set(key, { endpoints, slices: packing.drafts.filter((draft) => draft.state !== 'delete').length });
  }
  return { drafts: ensureOne(drafts, input, stats), stats };
}

/** Endpoints by port group. A Pod that yields no endpoint still makes its group one that is wanted. */
function desiredGroups({ service, addressType, candidates }: FamilyInput): Map<string, DesiredGroup> {
  const groups = new Map<string, DesiredGroup>();
  for (const { pod, group, node, addresses, leftOut } of candidates) {
    let desired = groups.get(group.key);
    if (desired === undefined) {
      desired = { ports: group.ports, endpoints: new Map() };
      groups.set(group.key, desired);
    }
    if (leftOut || addresses[addressType].length === 0) continue;
    const endpoint = podEndpoint(pod, service, node, addresses[addressType]);
    desired.endpoints.set(endpointIdentity(endpoint), endpoint);
  }
  return groups;
}

/** Slices of this very Service by port group, in the order of their names; the rest was written for another. */
function sortOut(slices: readonly EndpointSlice[], service: Service) {
  const groups = new Map<string, EndpointSlice[]>();
  const foreign: EndpointSlice[] = [];
  const ordered = slices.length < 2 ? slices : [...slices].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const slice of ordered) {
    if (!isOwnedBy(slice, service)) {
      foreign.push(slice);
      continue;
    }
    const key = portsKey(slice.ports);
    const group = groups.get(key);
    if (group) group.push(slice);
    else groups.set(key, [slice]);
  }
  return { groups, foreign };
}

/** If nothing would be left: an empty slice, for which an existing empty one will do. */
function ensureOne(drafts: Draft[], { service, labels }: FamilyInput, stats: FamilyStats): Draft[] {
  if (drafts.some((draft) => draft.state !== 'delete')) return drafts;
  stats.groups.set('', { endpoints: 0, slices: 1 });
  const deletes = inState(drafts, 'delete');
  const [only] = deletes;
  if (deletes.length === 1 && only?.before && isPlaceholder(only.before, service, labels)) {
    only.state = 'unchanged';
    return drafts;
  }
  return [...drafts, freshDraft([])];
}
