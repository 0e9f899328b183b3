import { equalJson, isRecord, type JsonRecord } from '../json.ts';
import { emptySet, type FieldSet, isEmpty } from './field-set.ts';
import { itemsByElement, memberPattern, type Shape } from './shape.ts';

export interface Comparison {
  /** Paths that only the new object has, or whose value differs. */
  changed: FieldSet;
  /** Paths that only the old object has. */
  removed: FieldSet;
}

/** Where two objects differ, down to the parts that one manager can own. */
export function compareObjects(before: unknown, after: unknown, shape: Shape): Comparison {
  const comparison: Comparison = { changed: emptySet(), removed: emptySet() };
  compare(before, after, '', shape, comparison.changed, comparison.removed);
  return comparison;
}

function compare(
  before: unknown,
  after: unknown,
  pattern: string,
  shape: Shape,
  changed: FieldSet,
  removed: FieldSet,
): void {
  if (before === after) return;
  const old = partsOf(before, pattern, shape);
  const now = partsOf(after, pattern, shape);
  if (old === undefined || now === undefined) {
    if (!equalJson(before, after)) changed.member = true;
    return;
  }
  for (const [element, part] of old.parts) {
    if (now.parts.has(element)) continue;
    addAll(part, patternOf(pattern, element), shape, childOf(removed, element));
  }
  for (const [element, part] of now.parts) {
    const at = patternOf(pattern, element);
    if (!old.parts.has(element)) {
      addAll(part, at, shape, childOf(changed, element));
      continue;
    }
    compare(old.parts.get(element), part, at, shape, childOf(changed, element), childOf(removed, element));
    dropIfEmpty(changed, element);
    dropIfEmpty(removed, element);
  }
}

/** Adds the path to a value and all paths inside it. */
function addAll(value: unknown, pattern: string, shape: Shape, set: FieldSet): void {
  set.member = true;
  for (const [element, part] of partsOf(value, pattern, shape)?.parts ?? []) {
    addAll(part, patternOf(pattern, element), shape, childOf(set, element));
  }
}

/**
 * The paths that a server-side apply configuration states: its leaves, and the items of its lists, but not the maps and lists on the
 * way there; an empty map is stated itself, an empty list is not.
 */
export function fieldsOf(value: unknown, shape: Shape, pattern = ''): FieldSet {
  const found = partsOf(value, pattern, shape);
  if (!found || found.parts.size === 0) return emptySet(!(found && Array.isArray(value)));
  const set = emptySet();
  for (const [element, part] of found.parts) {
    const child = fieldsOf(part, shape, patternOf(pattern, element));
    if (!element.startsWith('f:')) child.member = true;
    if (!isEmpty(child)) set.children.set(element, child);
  }
  return set;
}

interface Parts {
  parts: Map<string, unknown>;
}

/** The separately owned parts of a value by path element; undefined when the value is owned as a whole. */
export function partsOf(value: unknown, pattern: string, shape: Shape): Parts | undefined {
  if (Array.isArray(value)) {
    const type = shape.list(pattern);
    if (type === 'atomic') return undefined;
    const parts = itemsByElement(value, type);
    return parts && { parts };
  }
  // A list that is written even when it has no items is `null` then.
  if (value === null && shape.list(pattern) !== 'atomic') return { parts: new Map() };
  if (!isRecord(value) || shape.isAtomicMap(pattern)) return undefined;
  return { parts: memberParts(value) };
}

function memberParts(value: JsonRecord): Map<string, unknown> {
  const parts = new Map<string, unknown>();
  for (const [key, part] of Object.entries(value)) if (part !== undefined) parts.set(`f:${key}`, part);
  return parts;
}

export function patternOf(pattern: string, element: string): string {
  return element.startsWith('f:') ? memberPattern(pattern, element.slice(2)) : `${pattern}[]`;
}

function childOf(set: FieldSet, element: string): FieldSet {
  let child = set.children.get(element);
  if (!child) {
    child = emptySet();
    set.children.set(element, child);
  }
  return child;
}

function dropIfEmpty(set: FieldSet, element: string): void {
  const child = set.children.get(element);
  if (child && isEmpty(child)) set.children.delete(element);
}
