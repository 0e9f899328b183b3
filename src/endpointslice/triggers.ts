import { CONTROLLER_NAME, type EndpointSlice, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from '../objects/endpointslice.ts';
import type { ObjectKey } from '../objects/meta.ts';
import { type Node, ZONE_LABEL } from '../objects/node.ts';
import type { Pod } from '../objects/pod.ts';
import type { PodChange } from './pod-changes.ts';
import type { SelectorIndex } from './selector-index.ts';

/**
 * The Services whose slices a Pod's change concerns: those that select it, if the Pod itself changed; those that
 * select it only before or only after, if it merely changed labels.
 */
export function servicesOfPodChange(index: SelectorIndex, change: PodChange): Iterable<ObjectKey> {
  const after = index.servicesFor(change.namespace, change.labels);
  if (!('labelsBefore' in change)) return after;
  const before = index.servicesFor(change.namespace, change.labelsBefore);
  const [a, b] = [new Set(after), new Set(before)];
  return change.podChanged ? a.union(b) : a.symmetricDifference(b);
}

/** The Services that select a Pod of this node. */
export function servicesOfNode(index: SelectorIndex, podsOnNode: Iterable<Pod>): Set<ObjectKey> {
  const services = new Set<ObjectKey>();
  for (const { metadata } of podsOnNode) {
    for (const key of index.servicesFor(metadata.namespace ?? '', metadata.labels)) services.add(key);
  }
  return services;
}

export function zoneChanged(before: Node, after: Node): boolean {
  return before.metadata.labels?.[ZONE_LABEL] !== after.metadata.labels?.[ZONE_LABEL];
}

export function isOurs(slice: EndpointSlice): boolean {
  return slice.metadata.labels?.[MANAGED_BY_LABEL] === CONTROLLER_NAME;
}

/** Key of the Service that a slice says it belongs to; undefined when it does not say. */
export function serviceOfSlice(slice: EndpointSlice): ObjectKey | undefined {
  const name = slice.metadata.labels?.[SERVICE_NAME_LABEL];
  return name ? `${slice.metadata.namespace}/${name}` : undefined;
}
