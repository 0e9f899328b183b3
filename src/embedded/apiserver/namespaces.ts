import type { Registry, ServedKind } from './registry.ts';
import { forbidden, notFound } from './status.ts';

/** The namespaces that exist from the start and cannot be deleted. */
export const initialNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/**
 * What the NamespaceLifecycle admission plugin checks at each create.
 * @throws StatusError 404 when the namespace is absent, 403 with cause NamespaceTerminating when it is being deleted.
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
  throw forbidden(
    kind.definition,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  );
}
