import { type DeleteOptions, deleteObject } from './delete.ts';
import { isRecord, type JsonRecord } from './json.ts';
import type { RawObject } from './kind.ts';
import { invalid as invalidValue } from './kinds/validation/causes.ts';
import type { Registry, ServedKind } from './registry.ts';
import { badRequest, conflict, invalid, notFound, type Status, StatusError } from './status.ts';
import { storeKey } from './store.ts';

export const success: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };

/** `Scale` of autoscaling/v1 as the `scale` subresource shows it. */
export function scaleOf(object: RawObject): JsonRecord & { metadata: JsonRecord } {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const spec = isRecord(object.spec) ? object.spec : {};
  const status = isRecord(object.status) ? object.status : {};
  const selector = selectorText(spec.selector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

/** An object with the number of replicas that a decoded `Scale` wants. @throws StatusError 400 or 422 */
export function withScale(before: RawObject, scale: unknown): RawObject {
  if (!isRecord(scale)) throw badRequest('the request body is not a Scale');
  const metadata = isRecord(scale.metadata) ? scale.metadata : {};
  const name = before.metadata.name ?? '';
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${String(metadata.name)}) does not match the name on the URL (${name})`);
  }
  const { replicas = 0 } = isRecord(scale.spec) ? scale.spec : {};
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw badRequest(
      `Scale in version "v1" cannot be handled as a Scale: spec.replicas is not an integer: ${String(replicas)}`,
    );
  }
  if (replicas < 0) {
    const cause = invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [cause]);
  }
  const { resourceVersion, uid } = metadata;
  const spec = isRecord(before.spec) ? before.spec : {};
  return {
    ...before,
    metadata: {
      ...before.metadata,
      resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
      ...(typeof uid === 'string' ? { uid } : {}),
    },
    spec: { ...spec, replicas },
  };
}

/** A label selector in the text form that clients can put into a query. */
function selectorText(selector: unknown): string {
  if (!isRecord(selector)) return '';
  const labels = isRecord(selector.matchLabels) ? selector.matchLabels : {};
  const terms = Object.entries(labels).map(([key, value]) => ({ key, text: `${key}=${String(value)}` }));
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions : [];
  for (const expression of expressions) {
    if (!isRecord(expression)) continue;
    const key = String(expression.key);
    const values = Array.isArray(expression.values) ? expression.values.map(String).sort().join(',') : '';
    const texts: Record<string, string> = {
      In: `${key} in (${values})`,
      NotIn: `${key} notin (${values})`,
      Exists: key,
      DoesNotExist: `!${key}`,
    };
    terms.push({ key, text: texts[String(expression.operator)] ?? key });
  }
  return terms
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',');
}

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
