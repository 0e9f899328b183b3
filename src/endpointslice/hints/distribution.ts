import type { Endpoint, EndpointHints } from '../../objects/endpointslice.ts';
import type { Draft } from '../draft.ts';
import { isEndpointReady } from '../endpoint.ts';
import { editHints, promote, sameHints } from './edit.ts';

/** Values of `spec.trafficDistribution` that ask for hints (KEP-4444, KEP-3015). `PreferClose` is `PreferSameZone`. */
export const TRAFFIC_DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'] as const;
export type TrafficDistribution = (typeof TRAFFIC_DISTRIBUTIONS)[number];

export function isTrafficDistribution(value: string | undefined): value is TrafficDistribution {
  return TRAFFIC_DISTRIBUTIONS.some((known) => known === value);
}

/** Points each ready endpoint at its own zone and, for `PreferSameNode`, at its own node; the others get no hints. */
export function hintByDistribution(drafts: readonly Draft[], distribution: TrafficDistribution): void {
  const hintsOf = (endpoint: Endpoint) => (isEndpointReady(endpoint) ? hintsFor(endpoint, distribution) : undefined);
  for (const draft of drafts) {
    if (draft.state === 'delete') continue;
    if (draft.state === 'unchanged') {
      if (draft.endpoints.every((endpoint) => sameHints(endpoint.hints, hintsOf(endpoint)))) continue;
      promote(draft);
    }
    editHints(draft, hintsOf);
  }
}

function hintsFor(endpoint: Endpoint, distribution: TrafficDistribution): EndpointHints | undefined {
  const { zone, nodeName } = endpoint;
  const forZones = zone ? { forZones: [{ name: zone }] } : undefined;
  const forNodes = distribution === 'PreferSameNode' && nodeName ? { forNodes: [{ name: nodeName }] } : undefined;
  return forZones || forNodes ? { ...forZones, ...forNodes } : undefined;
}
