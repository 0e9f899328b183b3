import { isEndpointReady } from '../../../../src/endpointslice/endpoint.ts';
import type { Endpoint } from '../../../../src/objects/endpointslice.ts';
import type { ApiObject, Change } from './watch-log.ts';

/**
 * Pods that were ready in some slice before the first of these changes and are after the last, but were in none for a moment between:
 * `web: p1`, by Service and Pod.
 */
export function gaps(before: readonly ApiObject[], changes: readonly Change[]): string[] {
  const slices = new Map(before.map((slice) => [slice.metadata.uid, slice]));
  const ready = () => new Set([...slices.values()].flatMap(readyPods));
  const first = ready();
  const missing = new Set<string>();
  for (const { type, object } of changes) {
    if (type === 'DELETED') slices.delete(object.metadata.uid);
    else slices.set(object.metadata.uid, object);
    for (const pod of first.difference(ready())) missing.add(pod);
  }
  return [...missing.intersection(ready())].sort();
}

function readyPods({ metadata, endpoints }: ApiObject): string[] {
  const service = metadata.labels?.['kubernetes.io/service-name'];
  return ((endpoints ?? []) as Endpoint[])
    .filter(isEndpointReady)
    .map(({ targetRef }) => `${service}: ${targetRef?.name}`);
}
