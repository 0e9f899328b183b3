import { deleteObject } from '../delete.ts';
import type { RawObject } from '../kind.ts';
import { finalizeNamespace, specFinalizers } from '../namespaces.ts';
import type { Registry, ServedKind } from '../registry.ts';
import { TurnQueue } from './turn-queue.ts';

/**
 * What kube-controller-manager's namespace controller does: deletes the contents of namespaces that are being deleted, and lets go of a
 * namespace once it is empty. Returns the function that ends it.
 */
export function startNamespaceController(registry: Registry): () => void {
  const namespaces = registry.stored('namespaces');
  if (!namespaces) return () => {};
  const contents = [...registry.storedKinds].filter(({ definition }) => definition.namespaced);
  const isEmpty = (name: string) => !contents.some(({ bucket }) => bucket.hasAny(name));
  const isWaiting = (namespace: RawObject | undefined): namespace is RawObject =>
    namespace?.metadata.deletionTimestamp !== undefined && specFinalizers(namespace).includes('kubernetes');

  const release = new TurnQueue<string>((name) => {
    const namespace = namespaces.bucket.get(name);
    if (!isWaiting(namespace) || !isEmpty(name)) return;
    const left = specFinalizers(namespace).filter((finalizer) => finalizer !== 'kubernetes');
    finalizeNamespace(namespaces, name, left);
  });
  const deletion = new TurnQueue<{ kind: ServedKind; object: RawObject }>(({ kind, object }) => {
    const { namespace = '', name = '', uid } = object.metadata;
    const found = kind.bucket.get(`${namespace}/${name}`);
    if (found?.metadata.uid !== uid || found?.metadata.deletionTimestamp !== undefined) return;
    deleteObject(registry, kind, namespace, name, { propagationPolicy: 'Background', dryRun: false });
  });
  const empty = new TurnQueue<string>((name) => {
    for (const kind of contents) for (const { object } of kind.bucket.list(name)) deletion.add({ kind, object });
    release.add(name);
  });

  const stops = contents.map(({ bucket }) =>
    bucket.subscribe(({ type, object }) => {
      const { namespace = '' } = object.metadata;
      if (type === 'DELETED' && isWaiting(namespaces.bucket.get(namespace))) release.add(namespace);
    }),
  );
  stops.push(
    namespaces.bucket.subscribe(({ key, object, before }) => {
      if (isWaiting(object) && before?.metadata.deletionTimestamp === undefined) empty.add(key);
    }),
  );
  return () => {
    for (const stop of stops) stop();
    for (const queue of [release, deletion, empty]) queue.stop();
  };
}
