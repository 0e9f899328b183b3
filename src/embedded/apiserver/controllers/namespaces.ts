import { deleteObject } from '../delete.ts';
import { finalizeNamespace, specFinalizers } from '../namespaces.ts';
import type { Registry } from '../registry.ts';
import type { StoreEvent } from '../store.ts';
import { TurnQueue } from './turn-queue.ts';

/** What kube-controller-manager's namespace controller does: empties namespaces that are being deleted and then lets go of them. */
export function startNamespaceController(registry: Registry): () => void {
  const namespaces = registry.stored('namespaces');
  if (!namespaces) return () => {};
  const queue = new TurnQueue<string>((name) => {
    const namespace = namespaces.bucket.get(name);
    if (!namespace || namespace.metadata.deletionTimestamp === undefined) return;
    if (!specFinalizers(namespace).includes('kubernetes')) return;
    if (deleteContents(registry, name) > 0) return;
    const left = specFinalizers(namespace).filter((finalizer) => finalizer !== 'kubernetes');
    finalizeNamespace(namespaces, name, left);
  });
  const stops = [namespaces.bucket.subscribe(({ key, type }) => type !== 'DELETED' && queue.add(key))];
  for (const kind of registry.storedKinds) {
    if (!kind.definition.namespaced) continue;
    stops.push(
      kind.bucket.subscribe((event: StoreEvent) => {
        const { namespace } = event.object.metadata;
        if (event.type !== 'DELETED' || namespace === undefined) return;
        if (namespaces.bucket.get(namespace)?.metadata.deletionTimestamp !== undefined) queue.add(namespace);
      }),
    );
  }
  return () => {
    for (const stop of stops) stop();
    queue.stop();
  };
}

/** Asks for the deletion of everything in a namespace; returns how many objects are still there. */
function deleteContents(registry: Registry, namespace: string): number {
  let left = 0;
  for (const kind of registry.storedKinds) {
    if (!kind.definition.namespaced) continue;
    for (const { object } of kind.bucket.list(namespace)) {
      const name = object.metadata.name ?? '';
      const deleting = object.metadata.deletionTimestamp !== undefined;
      const options = { propagationPolicy: 'Background', dryRun: false } as const;
      if (deleting || !deleteObject(registry, kind, namespace, name, options).gone) left++;
    }
  }
  return left;
}
