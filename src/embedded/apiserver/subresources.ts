import { type DeleteOptions, deleteObject } from './delete.ts';
import { isRecord, type JsonRecord } from './json.ts';
import type { Registry, ServedKind } from './registry.ts';
import { conflict, notFound, type Status, StatusError } from './status.ts';
import { storeKey } from './store.ts';

export const success: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };

/**
 * Assigns a Pod to a node (the `binding` subresource), as a scheduler does.
 * @throws StatusError 409 when the Pod is assigned already
 */
export function bindPod(
  registry: Registry,
  kind: ServedKind,
  namespace: string | undefined,
  name: string,
  binding: JsonRecord,
): Status {
  const key = storeKey(namespace, name);
  const pod = kind.bucket.get(key);
  if (!pod) throw notFound(kind.definition, name);
  const target = isRecord(binding.target) ? binding.target : {};
  if (typeof target.name !== 'string' || target.name === '') {
    throw new StatusError(500, '', 'target.name: Required value');
  }
  const spec = isRecord(pod.spec) ? pod.spec : {};
  const refuse = (why: string) => conflict({ ...kind.definition, plural: 'pods/binding' }, name, why);
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (typeof spec.nodeName === 'string' && spec.nodeName !== '') {
    throw refuse(`pod ${name} is already assigned to node "${spec.nodeName}"`);
  }
  const status = isRecord(pod.status) ? pod.status : {};
  const conditions = (Array.isArray(status.conditions) ? status.conditions : []).filter(
    (condition) => !isRecord(condition) || condition.type !== 'PodScheduled',
  );
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: registry.timestamp(),
  };
  kind.bucket.put(key, {
    ...pod,
    metadata: { ...pod.metadata },
    spec: { ...spec, nodeName: target.name },
    status: { ...status, conditions: [...conditions, scheduled] },
  });
  return { ...success, code: 201 };
}

/** Deletes a Pod on behalf of the `eviction` subresource; there are no disruption budgets here to refuse it. */
export function evictPod(
  registry: Registry,
  kind: ServedKind,
  namespace: string | undefined,
  name: string,
  options: DeleteOptions,
): Status {
  deleteObject(registry, kind, namespace, name, options);
  return { ...success, code: 201 };
}
