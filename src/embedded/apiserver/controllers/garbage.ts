import { type DeleteOptions, deleteObject } from '../delete.ts';
import type { RawObject } from '../kind.ts';
import type { Registry, ServedKind } from '../registry.ts';
import type { StoreEvent } from '../store.ts';
import { TurnQueue } from './turn-queue.ts';

interface Node {
  kind: ServedKind;
  key: string;
}

type Owner = NonNullable<RawObject['metadata']['ownerReferences']>[number] & { blockOwnerDeletion?: boolean };

/**
 * What kube-controller-manager's garbage collector does: deletes objects all of whose owners are gone, and carries out foreground deletion
 * (the finalizer `foregroundDeletion`) and orphaning (`orphan`).
 */
export function startGarbageCollector(registry: Registry): () => void {
  const collector = new GarbageCollector(registry);
  const stops = [...registry.storedKinds].map((kind) =>
    kind.bucket.subscribe((event) => collector.observe(kind, event)),
  );
  return () => {
    for (const stop of stops) stop();
    collector.stop();
  };
}

class GarbageCollector {
  readonly #registry: Registry;
  /** uid -> the living object that has it. */
  readonly #living = new Map<string, Node>();
  /** uid of an owner -> uids of the objects that name it. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #queue: TurnQueue<string>;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#queue = new TurnQueue((uid) => this.#visit(uid));
  }

  stop(): void {
    this.#queue.stop();
  }

  observe(kind: ServedKind, { type, key, object, before }: StoreEvent): void {
    const uid = object.metadata.uid ?? '';
    const owners = ownersOf(object);
    for (const owner of ownersOf(before)) this.#unlink(owner.uid, uid);
    if (type === 'DELETED') {
      this.#living.delete(uid);
      for (const dependent of this.#dependents.get(uid) ?? []) this.#queue.add(dependent);
      for (const owner of owners) this.#queue.add(owner.uid);
      return;
    }
    this.#living.set(uid, { kind, key });
    for (const owner of owners) this.#link(owner.uid, uid);
    for (const owner of ownersOf(before))
      if (!owners.some((other) => other.uid === owner.uid)) this.#queue.add(owner.uid);
    if (owners.some((owner) => !this.#isAlive(owner))) this.#queue.add(uid);
    if (object.metadata.deletionTimestamp !== undefined) this.#queue.add(uid);
  }

  #visit(uid: string): void {
    const node = this.#living.get(uid);
    const object = node?.kind.bucket.get(node.key);
    if (!node || !object || object.metadata.uid !== uid) return;
    if (object.metadata.deletionTimestamp === undefined) this.#collect(node, object);
    else if (object.metadata.finalizers?.includes('orphan')) this.#orphanDependents(node, object, uid);
    else if (object.metadata.finalizers?.includes('foregroundDeletion')) this.#deleteForeground(node, object, uid);
  }

  /** Deletes an object whose owners are all gone; drops the owners that are gone when others remain. */
  #collect(node: Node, object: RawObject): void {
    const owners = ownersOf(object);
    const solid = owners.filter((owner) => this.#isAlive(owner));
    if (owners.length === solid.length) return;
    if (solid.length > 0) this.#setOwners(node, object, solid);
    else this.#delete(node, object, 'Background');
  }

  #orphanDependents(node: Node, object: RawObject, uid: string): void {
    for (const dependent of this.#dependentsOf(uid)) {
      const rest = ownersOf(dependent.object).filter((owner) => owner.uid !== uid);
      this.#setOwners(dependent.node, dependent.object, rest);
    }
    this.#removeFinalizer(node, object, 'orphan');
  }

  #deleteForeground(node: Node, object: RawObject, uid: string): void {
    const dependents = this.#dependentsOf(uid);
    for (const dependent of dependents) {
      const others = ownersOf(dependent.object).filter((owner) => owner.uid !== uid && this.#isAlive(owner));
      if (others.length > 0) this.#setOwners(dependent.node, dependent.object, others);
      else if (dependent.object.metadata.deletionTimestamp === undefined) {
        this.#delete(dependent.node, dependent.object, 'Foreground');
      }
    }
    const blocking = this.#dependentsOf(uid).some(({ object: left }) =>
      ownersOf(left).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    );
    if (!blocking) this.#removeFinalizer(node, object, 'foregroundDeletion');
  }

  #dependentsOf(uid: string): { node: Node; object: RawObject }[] {
    const found: { node: Node; object: RawObject }[] = [];
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const node = this.#living.get(dependent);
      const object = node?.kind.bucket.get(node.key);
      if (node && object) found.push({ node, object });
    }
    return found;
  }

  /** An owner of a kind that is not served cannot be looked up, and counts as alive as it does for the real collector. */
  #isAlive({ uid, apiVersion, kind }: Owner): boolean {
    return this.#living.has(uid) || !this.#registry.findKind(apiVersion, kind);
  }

  #delete({ kind }: Node, { metadata }: RawObject, policy: NonNullable<DeleteOptions['propagationPolicy']>): void {
    const propagationPolicy = metadata.finalizers?.includes('orphan')
      ? 'Orphan'
      : metadata.finalizers?.includes('foregroundDeletion')
        ? 'Foreground'
        : policy;
    deleteObject(this.#registry, kind, metadata.namespace, metadata.name ?? '', { propagationPolicy, dryRun: false });
  }

  #setOwners({ kind, key }: Node, object: RawObject, owners: Owner[]): void {
    const { ownerReferences: _old, ...metadata } = object.metadata;
    const next = owners.length > 0 ? { ...metadata, ownerReferences: owners } : metadata;
    kind.bucket.put(key, { ...object, metadata: next });
  }

  #removeFinalizer({ kind, key }: Node, object: RawObject, finalizer: string): void {
    const { finalizers = [], ...metadata } = object.metadata;
    const left = finalizers.filter((other) => other !== finalizer);
    if (left.length === 0 && (metadata.deletionGracePeriodSeconds ?? 0) === 0) kind.bucket.remove(key);
    else kind.bucket.put(key, { ...object, metadata: left.length > 0 ? { ...metadata, finalizers: left } : metadata });
  }

  #link(owner: string, dependent: string): void {
    const known = this.#dependents.get(owner);
    if (known) known.add(dependent);
    else this.#dependents.set(owner, new Set([dependent]));
  }

  #unlink(owner: string, dependent: string): void {
    const known = this.#dependents.get(owner);
    known?.delete(dependent);
    if (known?.size === 0) this.#dependents.delete(owner);
  }
}

function ownersOf(object: RawObject | undefined): Owner[] {
  return object?.metadata.ownerReferences ?? [];
}
