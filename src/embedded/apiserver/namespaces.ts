import { isRecord } from './json.ts';
import type { RawObject } from './kind.ts';
import type { Registry, ServedKind } from './registry.ts';
import { forbidden, notFound } from './status.ts';
import { storeKey } from './store.ts';

/** The namespaces that exist from the start. */
export const initialNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
/** Those that nobody may delete (admission plugin NamespaceLifecycle). */
const immortal = new Set(['default', 'kube-public', 'kube-system']);

/**
 * What the NamespaceLifecycle admission plugin checks at each create.
 * @throws StatusError 404 when the namespace is absent, 403 with cause NamespaceTerminating when it is being deleted
 */
export function checkNamespaceAccepts(
  registry: Registry,
  kind: ServedKind,
  namespace: string | undefined,
  name: string,
): void {
  if (namespace === undefined) return;
  const namespaces = registry.stored('namespaces');
  if (!namespaces) return;
  const found = namespaces.bucket.get(namespace);
  if (!found) throw notFound(namespaces.definition, namespace);
  if (found.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(kind.definition, name, why, [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]);
}

export function isNamespaceKind(kind: ServedKind): boolean {
  return kind.definition.group === '' && kind.definition.plural === 'namespaces';
}

/** @throws StatusError 403 for the namespaces that must stay */
export function checkNamespaceMortal(kind: ServedKind, name: string): void {
  if (immortal.has(name)) throw forbidden(kind.definition, name, 'this namespace may not be deleted');
}

/** A namespace with the mark of its deletion, which then waits until its finalizers are off (`spec.finalizers`). */
export function terminatingNamespace(namespace: RawObject, now: string): RawObject {
  const status = isRecord(namespace.status) ? namespace.status : {};
  return {
    ...namespace,
    metadata: { ...namespace.metadata, deletionTimestamp: now },
    status: { ...status, phase: 'Terminating' },
  };
}

/** Whether nothing holds a namespace that is being deleted any more. */
export function isNamespaceReleased(namespace: RawObject): boolean {
  const { metadata } = namespace;
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers?.length ?? 0) > 0) return false;
  return specFinalizers(namespace).length === 0;
}

export function specFinalizers(namespace: RawObject): string[] {
  const spec = isRecord(namespace.spec) ? namespace.spec : {};
  return Array.isArray(spec.finalizers) ? spec.finalizers.map(String) : [];
}

/** Sets `spec.finalizers` (the `finalize` subresource), which may let go of a namespace that is being deleted. */
export function finalizeNamespace(kind: ServedKind, name: string, finalizers: string[]): RawObject {
  const key = storeKey(undefined, name);
  const stored = kind.bucket.get(key);
  if (!stored) throw notFound(kind.definition, name);
  const { finalizers: _old, ...spec } = isRecord(stored.spec) ? stored.spec : {};
  const next = {
    ...stored,
    metadata: { ...stored.metadata },
    spec: finalizers.length > 0 ? { ...spec, finalizers } : spec,
  };
  if (!isNamespaceReleased(next)) return kind.bucket.put(key, next);
  kind.bucket.remove(key);
  return next;
}
