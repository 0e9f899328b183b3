import { isRecord, type JsonRecord } from '../json.ts';

/**
 * A set of paths into an object, as `managedFields` holds it (KEP-555). Path elements have the form of `FieldsV1` keys: `f:name` a
 * member, `k:{"port":80}` a list item by its keys, `v:"x"` an item of a list that is a set. Sets are values: never mutate one that
 * somebody else may hold.
 */
export interface FieldSet {
  /** Whether the path that leads here is itself in the set. */
  member: boolean;
  children: Map<string, FieldSet>;
}

export function emptySet(member = false): FieldSet {
  return { member, children: new Map() };
}

export function isEmpty(set: FieldSet): boolean {
  return !set.member && [...set.children.values()].every(isEmpty);
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result: FieldSet = { member: a.member || b.member, children: new Map(a.children) };
  for (const [element, child] of b.children) {
    const other = a.children.get(element);
    result.children.set(element, other ? union(other, child) : child);
  }
  return result;
}

export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const result = emptySet(a.member && !b.member);
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    const left = other ? difference(child, other) : child;
    if (!isEmpty(left)) result.children.set(element, left);
  }
  return result;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result = emptySet(a.member && b.member);
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (!other) continue;
    const both = intersection(child, other);
    if (!isEmpty(both)) result.children.set(element, both);
  }
  return result;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  return isEmpty(difference(a, b)) && isEmpty(difference(b, a));
}

/** Every path in the set, as lists of elements, parents before children, in the order of their text. */
export function* paths(set: FieldSet, prefix: readonly string[] = []): Iterable<readonly string[]> {
  if (set.member) yield prefix;
  for (const [element, child] of sortedChildren(set)) yield* paths(child, [...prefix, element]);
}

/** Reads `fieldsV1`; undefined when the value has not that form. */
export function parseFieldsV1(value: unknown): FieldSet | undefined {
  if (!isRecord(value)) return undefined;
  const set = emptySet();
  for (const [element, fields] of Object.entries(value)) {
    if (element === '.') {
      set.member = true;
      continue;
    }
    if (!/^[fkvi]:/.test(element)) return undefined;
    const child = parseFieldsV1(fields);
    if (!child) return undefined;
    // A path without children is in the set; one with children only when `.` says so.
    if (child.children.size === 0) child.member = true;
    set.children.set(element, child);
  }
  return set;
}

export function toFieldsV1(set: FieldSet): JsonRecord {
  const result: JsonRecord = {};
  if (set.member && set.children.size > 0) result['.'] = {};
  for (const [element, child] of sortedChildren(set)) result[element] = toFieldsV1(child);
  return result;
}

/** `.spec.ports[port=80,protocol="TCP"].name`: a path as conflict messages show it. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

function elementText(element: string): string {
  const value = element.slice(2);
  switch (element[0]) {
    case 'k': {
      const keys: unknown = JSON.parse(value);
      const pairs = isRecord(keys) ? Object.entries(keys) : [];
      return `[${pairs.map(([key, part]) => `${key}=${JSON.stringify(part)}`).join(',')}]`;
    }
    case 'v':
      return `[=${value}]`;
    case 'i':
      return `[${value}]`;
    default:
      return `.${value}`;
  }
}

function sortedChildren(set: FieldSet): [string, FieldSet][] {
  return [...set.children].sort(([a], [b]) => (a < b ? -1 : 1));
}
