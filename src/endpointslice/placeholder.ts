import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { Service } from '../objects/service.ts';
import { isOwnedBy } from './endpoint.ts';

/**
 * Every Service with a selector has at least one slice of each address type, if need be an empty one, so that consumers
 * can tell "no endpoints" from "not yet synced". Whether `slice` already is such a placeholder of `service`: a label
 * that is missing counts as an empty one.
 */
export function isPlaceholder(slice: EndpointSlice, service: Service, labels: Record<string, string>): boolean {
  if (slice.endpoints.length > 0 || slice.ports.length > 0 || !isOwnedBy(slice, service)) return false;
  const current = slice.metadata.labels ?? {};
  for (const key of new Set([...Object.keys(current), ...Object.keys(labels)])) {
    if ((current[key] ?? '') !== (labels[key] ?? '')) return false;
  }
  return true;
}
