import {
  CONTROLLER_NAME,
  type EndpointSlice,
  HEADLESS_LABEL,
  MANAGED_BY_LABEL,
  SERVICE_NAME_LABEL,
} from '../objects/endpointslice.ts';
import type { Service } from '../objects/service.ts';

type Labels = Record<string, string>;

/** Keys that only the controller may set; on a Service they are ignored. */
const RESERVED = new Set([SERVICE_NAME_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL]);

/** Labels of every slice of `service`: the Service's own and the reserved ones. */
export function sliceLabels(service: Service): Labels {
  const labels: Labels = {};
  for (const [key, value] of Object.entries(service.metadata.labels ?? {})) {
    if (!RESERVED.has(key)) labels[key] = value;
  }
  labels[SERVICE_NAME_LABEL] = service.metadata.name;
  labels[MANAGED_BY_LABEL] = CONTROLLER_NAME;
  if (!service.spec.clusterIP || service.spec.clusterIP === 'None') labels[HEADLESS_LABEL] = '';
  return labels;
}

/**
 * Whether the slice needs its labels rewritten. Reserved keys do not count: a slice whose service-name or managed-by
 * was changed is no longer found as one of ours, and the headless label is put right with the next write.
 */
export function labelsDiffer(slice: EndpointSlice, wanted: Labels): boolean {
  const current = slice.metadata.labels ?? {};
  for (const key in current) {
    if (!RESERVED.has(key) && !Object.hasOwn(wanted, key)) return true;
  }
  for (const key in wanted) {
    if (!RESERVED.has(key) && current[key] !== wanted[key]) return true;
  }
  return false;
}
