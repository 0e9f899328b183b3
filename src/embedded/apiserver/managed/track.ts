import type { JsonRecord } from '../json.ts';
import type { RawObject } from '../kind.ts';
import type { ServedKind } from '../registry.ts';
import { type Comparison, compareObjects } from './compare.ts';
import { difference, emptySet, union } from './field-set.ts';
import { isReset, type Manager, ownable, parseManagers, sameManager, writeManagers } from './managers.ts';
import { Shape } from './shape.ts';

export interface Writer {
  manager: string;
  subresource: string | undefined;
  /** RFC 3339. */
  now: string;
}

/**
 * Notes in `managedFields` who wrote what differs between `before` (undefined: a new object) and `object`, as the real server does for
 * every write that is not a server-side apply. Objects whose tracking was reset stay untracked until their first apply.
 */
export function trackUpdate(kind: ServedKind, object: RawObject, before: RawObject | undefined, writer: Writer): void {
  const given = object.metadata.managedFields;
  if (before && isReset(given)) {
    delete object.metadata.managedFields;
    return;
  }
  const live = (before && parseManagers(before.metadata.managedFields)) ?? [];
  const incoming = before ? parseManagers(given) : [];
  const managers = incoming && incoming.length > 0 ? incoming : live;
  if (before && managers.length === 0) {
    delete object.metadata.managedFields;
    return;
  }
  const comparison = compareObjects(comparable(before ?? kind.empty), comparable(object), shapeOf(kind));
  const self: Manager = {
    manager: writer.manager,
    operation: 'Update',
    apiVersion: kind.apiVersion,
    subresource: writer.subresource ?? '',
    time: undefined,
    fields: emptySet(),
  };
  writeManagers(object, withUpdate(kind, managers, self, comparison), live, writer.now);
}

function withUpdate(kind: ServedKind, managers: Manager[], self: Manager, { changed, removed }: Comparison): Manager[] {
  for (const field of resetFields(kind, self.subresource)) {
    changed.children.delete(`f:${field}`);
    removed.children.delete(`f:${field}`);
  }
  const others = managers
    .filter((manager) => !sameManager(manager, self))
    .map((manager) => ({ ...manager, fields: difference(difference(manager.fields, changed), removed) }));
  const own = managers.find((manager) => sameManager(manager, self))?.fields ?? emptySet();
  return [...others, { ...self, fields: union(difference(own, removed), ownable(changed, [])) }];
}

/** Top-level fields that a write to this endpoint cannot change, so that nobody owns them through it. */
export function resetFields(kind: ServedKind, subresource: string): string[] {
  if (subresource === 'status') return ['spec'];
  return kind.definition.subresources.includes('status') ? ['status'] : [];
}

const shapes = new WeakMap<ServedKind, Shape>();

export function shapeOf(kind: ServedKind): Shape {
  let shape = shapes.get(kind);
  if (!shape) {
    shape = new Shape(kind.definition.strategy);
    shapes.set(kind, shape);
  }
  return shape;
}

/** An object without the metadata that nobody owns. */
export function comparable(object: RawObject): JsonRecord {
  const { managedFields: _managed, resourceVersion: _revision, ...metadata } = object.metadata;
  return { ...object, metadata };
}
