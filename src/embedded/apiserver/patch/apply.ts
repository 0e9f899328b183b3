import { isRecord, type JsonRecord } from '../json.ts';
import type { RawObject } from '../kind.ts';
import { compareObjects, fieldsOf, partsOf } from '../managed/compare.ts';
import {
  difference,
  emptySet,
  type FieldSet,
  intersection,
  isEmpty,
  paths,
  pathText,
  union,
} from '../managed/field-set.ts';
import { type Manager, ownable, parseManagers, sameManager } from '../managed/managers.ts';
import { itemElement, itemsByElement, memberPattern, type Shape, valueElement } from '../managed/shape.ts';
import { comparable, resetFields, shapeOf } from '../managed/track.ts';
import type { ServedKind } from '../registry.ts';
import { StatusError } from '../status.ts';

export interface ApplyOptions {
  manager: string;
  subresource: string | undefined;
  force: boolean;
}

export interface Applied {
  /** The merged object; its `managedFields` are still those of before. */
  object: JsonRecord;
  /** Who owns what afterwards. */
  managers: Manager[];
}

/**
 * Server-side apply (KEP-555): merges a manager's configuration into the live object, takes out what the manager stated before and
 * states no more, and finds conflicts with what others own.
 * @param live undefined when there is no object yet
 * @param config what the manager wants; neither is mutated
 * @throws StatusError 409 with one cause for each field owned by someone else, unless forced; 500 when lists of `config` hold
 *   the same item twice, as the real server answers
 */
export function applyConfiguration(
  kind: ServedKind,
  live: RawObject | undefined,
  config: JsonRecord,
  options: ApplyOptions,
): Applied {
  const shape = shapeOf(kind);
  const self: Manager = {
    manager: options.manager,
    operation: 'Apply',
    apiVersion: kind.apiVersion,
    subresource: options.subresource ?? '',
    time: undefined,
    fields: emptySet(),
  };
  const managers = liveManagers(kind, live, shape);
  const stated = ownable(fieldsOf(withoutNulls(config), shape), resetFields(kind, self.subresource));
  const others = managers.filter((manager) => !sameManager(manager, self));
  const last = managers.find((manager) => sameManager(manager, self))?.fields ?? emptySet();
  const start: JsonRecord = live ? comparable(live) : kind.empty;
  const keep = others.reduce((all, { fields }) => union(all, fields), stated);
  const merged = prune(merge(start, config, '', shape), difference(last, stated), keep, '', shape);
  const object = isRecord(merged) ? merged : {};
  const { changed, removed } = compareObjects(start, object, shape);
  if (live && !options.force) refuseConflicts(others, changed);
  const reduced = others.map((other) => ({
    ...other,
    fields: live ? difference(difference(other.fields, changed), removed) : other.fields,
  }));
  return { object, managers: [...reduced, { ...self, fields: stated }] };
}

/** An object that nobody's writes were tracked on counts as written by one manager before the first apply. */
function liveManagers(kind: ServedKind, live: RawObject | undefined, shape: Shape): Manager[] {
  if (!live) return [];
  const managers = parseManagers(live.metadata.managedFields) ?? [];
  if (managers.length > 0) return managers;
  const { changed } = compareObjects(comparable(kind.empty), comparable(live), shape);
  const fields = ownable(changed, []);
  const manager = 'before-first-apply';
  if (isEmpty(fields)) return [];
  return [{ manager, operation: 'Update', apiVersion: kind.apiVersion, subresource: '', time: undefined, fields }];
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutNulls(member)]));
}

function merge(live: unknown, config: unknown, pattern: string, shape: Shape): unknown {
  if (Array.isArray(config)) return Array.isArray(live) ? mergeLists(live, config, pattern, shape) : config;
  if (!isRecord(config) || !isRecord(live) || shape.isAtomicMap(pattern)) return withoutNulls(config);
  const result: JsonRecord = { ...live };
  for (const [key, value] of Object.entries(config)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value, memberPattern(pattern, key), shape);
  }
  return result;
}

/**
 * Items that only the live object has stay where they stand between the items that both have, as far as the configuration's own order
 * allows.
 */
function mergeLists(live: unknown[], config: unknown[], pattern: string, shape: Shape): unknown[] {
  const type = shape.list(pattern);
  if (type === 'atomic') return config;
  const old = itemsByElement(live, type);
  const wanted = itemsByElement(config, type);
  if (!old || !wanted) return config;
  const shared = [...wanted.keys()].filter((element) => old.has(element));
  const liveElements = [...old.keys()];
  const wantedElements = [...wanted.keys()];
  const result: unknown[] = [];
  const takeWanted = (element: string) =>
    result.push(
      old.has(element) ? merge(old.get(element), wanted.get(element), `${pattern}[]`, shape) : wanted.get(element),
    );
  let j = 0;
  for (const element of liveElements) {
    if (!wanted.has(element)) {
      result.push(old.get(element));
      continue;
    }
    if (element !== shared[0]) continue;
    for (let next = wantedElements[j]; next !== undefined; next = wantedElements[j]) {
      takeWanted(next);
      j++;
      if (next === element) break;
    }
    shared.shift();
  }
  for (const element of wantedElements.slice(j)) takeWanted(element);
  return result;
}

/**
 * Takes out of `value` what is in `remove`, except for members inside of which somebody in `keep` owns something. A list item stays only
 * if somebody owns the item itself: it goes with all that others have added to it.
 */
function prune(value: unknown, remove: FieldSet, keep: FieldSet | undefined, pattern: string, shape: Shape): unknown {
  if (remove.children.size === 0) return value;
  const parts = partsOf(value, pattern, shape)?.parts;
  if (!parts) return value;
  let lost = false;
  const left = new Map<string, unknown>();
  for (const [element, part] of parts) {
    const gone = remove.children.get(element);
    const kept = keep?.children.get(element);
    if (!gone) {
      left.set(element, part);
      continue;
    }
    const isKept = element.startsWith('f:') ? kept !== undefined && !isEmpty(kept) : kept?.member === true;
    if (gone.member && !isKept) {
      lost = true;
      continue;
    }
    const at = element.startsWith('f:') ? memberPattern(pattern, element.slice(2)) : `${pattern}[]`;
    const rest = prune(part, gone, kept, at, shape);
    if (rest === undefined) lost = true;
    else left.set(element, rest);
  }
  if (lost && left.size === 0 && !keep?.member && pattern !== '') return undefined;
  if (Array.isArray(value)) return [...left.values()];
  return Object.fromEntries([...left].map(([element, part]) => [element.slice(2), part]));
}

function refuseConflicts(others: Manager[], changed: FieldSet): void {
  const causes: { reason: string; message: string; field: string }[] = [];
  const groups: { who: string; fields: string[] }[] = [];
  for (const other of others) {
    const fields = [...paths(intersection(other.fields, changed))].map(pathText);
    if (fields.length === 0) continue;
    const subresource = other.subresource === '' ? '' : ` with subresource ${JSON.stringify(other.subresource)}`;
    const using = other.operation === 'Apply' ? '' : ` using ${other.apiVersion}`;
    const who = `with ${JSON.stringify(other.manager)}${subresource}${using}`;
    groups.push({ who, fields });
    causes.push(...fields.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict ${who}`, field })));
  }
  if (causes.length === 0) return;
  groups.sort((a, b) => (a.who < b.who ? -1 : 1));
  const single = causes.length === 1;
  const texts = groups.map(({ who, fields }) =>
    single ? `conflict ${who}: ${fields.join()}` : `conflicts ${who}:\n- ${fields.join('\n- ')}`,
  );
  const count = single ? '1 conflict' : `${causes.length} conflicts`;
  throw new StatusError(409, 'Conflict', `Apply failed with ${count}: ${texts.join('\n')}`, { causes });
}

/**
 * The first list of a configuration that names the same item twice, as a message says it; undefined when there is none. Such a
 * configuration has no meaning.
 */
export function duplicateItem(
  value: unknown,
  shape: Shape,
  pattern = '',
  path: readonly string[] = [],
): string | undefined {
  if (Array.isArray(value)) {
    const type = shape.list(pattern);
    if (type === 'atomic') return undefined;
    const seen = new Set<string>();
    for (const item of value) {
      const element = type === 'set' ? valueElement(item) : itemElement(item, type);
      if (element === undefined) continue;
      if (seen.has(element)) return `${pathText(path)}: duplicate entries for key ${pathText([element])}`;
      seen.add(element);
      const inside = duplicateItem(item, shape, `${pattern}[]`, [...path, element]);
      if (inside !== undefined) return inside;
    }
    return undefined;
  }
  if (!isRecord(value) || shape.isAtomicMap(pattern)) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const inside = duplicateItem(member, shape, memberPattern(pattern, key), [...path, `f:${key}`]);
    if (inside !== undefined) return inside;
  }
  return undefined;
}
