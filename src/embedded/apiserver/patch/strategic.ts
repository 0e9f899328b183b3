import { goText } from '../go-text.ts';
import { equalJson, isRecord, type JsonRecord } from '../json.ts';
import type { Strategy } from '../kind.ts';
import { badRequest, invalid, StatusError } from '../status.ts';
import { normalizeOrder } from './order.ts';

type MergeKeys = Strategy['mergeKeys'];

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/**
 * Strategic merge patch (kubernetes community doc strategic-merge-patch.md): like a JSON merge patch, but lists with a merge key are
 * merged item by item, and directives (`$patch`, `$retainKeys`, `$setElementOrder/...`, `$deleteFromPrimitiveList/...`) say the rest.
 * @param mergeKeys path of a list -> its merge key, `''` for a set of primitives; other lists are replaced
 * @returns a new object that may share parts with both arguments; neither is mutated
 * @throws StatusError
 */
export function applyStrategicPatch(original: JsonRecord, patch: unknown, mergeKeys: MergeKeys): JsonRecord {
  if (!isRecord(patch)) throw badRequest('json: cannot unmarshal array into Go value of type map[string]interface {}');
  return mergeMap(original, patch, '', mergeKeys);
}

function mergeMap(original: JsonRecord, patch: JsonRecord, path: string, mergeKeys: MergeKeys): JsonRecord {
  const { $patch: directive, $retainKeys: retainKeys, ...rest } = patch;
  if (directive === 'delete') return {};
  if (directive === 'replace') return rest;
  if (directive !== undefined && directive !== 'merge') throw unknownDirective(directive, patch);
  const result: JsonRecord = retainKeys === undefined ? { ...original } : retained(original, rest, retainKeys);
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith('$')) {
      mergeByDirective(result, rest, key, value, path, mergeKeys);
      continue;
    }
    const at = path === '' ? key : `${path}.${key}`;
    const current = result[key];
    if (value === null) delete result[key];
    else if (Array.isArray(value)) {
      const list = mergeList(listAt(current), value, rest[orderPrefix + key], rest[deletePrefix + key], at, mergeKeys);
      result[key] = list;
    } else if (isRecord(value)) {
      if (Object.hasOwn(mergeKeys, at) && current !== undefined && !isRecord(current)) throw notAList(patch, value);
      result[key] = mergeMap(isRecord(current) ? current : {}, value, at, mergeKeys);
    } else {
      if (Array.isArray(current)) throw notAList(patch, value);
      result[key] = value;
    }
  }
  return result;
}

/** A `$setElementOrder` or `$deleteFromPrimitiveList` whose list the patch itself does not name. */
function mergeByDirective(
  result: JsonRecord,
  patch: JsonRecord,
  key: string,
  value: unknown,
  path: string,
  mergeKeys: MergeKeys,
): void {
  const [name = '', member] = key.split('/');
  const known = `${name}/` === orderPrefix || `${name}/` === deletePrefix;
  if (!known || member === undefined || !Array.isArray(value)) {
    throw new StatusError(500, '', `expected a []interface {}, but received a ${typeof value}`);
  }
  if (Object.hasOwn(patch, member) && patch[member] !== null) return;
  const current = result[member];
  if (current === undefined) return;
  const at = path === '' ? member : `${path}.${member}`;
  result[member] = mergeList(
    listAt(current),
    [],
    patch[orderPrefix + member],
    patch[deletePrefix + member],
    at,
    mergeKeys,
  );
}

function retained(original: JsonRecord, patch: JsonRecord, retainKeys: unknown): JsonRecord {
  const keys = Array.isArray(retainKeys) ? new Set<unknown>(retainKeys) : undefined;
  const stated = Object.entries(patch).filter(([key, value]) => !key.startsWith('$') && value !== null);
  if (!keys || stated.some(([key]) => !keys.has(key))) throw badRequest('invalid patch format of retainKeys');
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.has(key)));
}

function listAt(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function mergeList(
  original: unknown[],
  patch: unknown[],
  order: unknown,
  remove: unknown,
  path: string,
  mergeKeys: MergeKeys,
): unknown[] {
  const mergeKey = Object.hasOwn(mergeKeys, path) ? mergeKeys[path] : undefined;
  if (mergeKey === undefined) return patch;
  const wantedOrder = Array.isArray(order) ? order : undefined;
  if (mergeKey === '') {
    const removed = Array.isArray(remove) ? remove : [];
    const kept = original.filter((item) => !removed.some((other) => equalJson(item, other)));
    const added = patch.filter((item) => !kept.some((other) => equalJson(item, other)));
    return normalizeOrder([...kept, ...added], wantedOrder ?? patch, original, (item) => item);
  }
  return mergeItems(original, patch, wantedOrder, mergeKey, path, mergeKeys);
}

function mergeItems(
  original: unknown[],
  patch: unknown[],
  order: unknown[] | undefined,
  mergeKey: string,
  path: string,
  mergeKeys: MergeKeys,
): unknown[] {
  const plain: JsonRecord[] = [];
  let result = [...original];
  let replaces = false;
  for (const item of patch) {
    if (!isRecord(item)) throw new StatusError(500, '', `expected a map in a list with merge key ${mergeKey}`);
    if (item.$patch === 'replace') {
      replaces = true;
      if (Object.keys(item).length > 1) plain.push(withoutDirective(item));
    } else if (item.$patch === 'delete') {
      const key = keyOf(item, mergeKey);
      result = result.filter((other) => !equalJson(isRecord(other) ? other[mergeKey] : undefined, key));
    } else if (item.$patch === undefined || item.$patch === 'merge') plain.push(withoutDirective(item));
    else throw unknownDirective(item.$patch, item);
  }
  if (replaces) return plain;
  for (const item of plain) {
    const key = keyOf(item, mergeKey);
    const at = result.findIndex((other) => isRecord(other) && equalJson(other[mergeKey], key));
    const found = result[at];
    if (isRecord(found)) result[at] = mergeMap(found, item, `${path}[]`, mergeKeys);
    else result.push(mergeMap({}, item, `${path}[]`, mergeKeys));
  }
  return normalizeOrder(result, order ?? plain, original, (item) => (isRecord(item) ? item[mergeKey] : item));
}

function withoutDirective({ $patch: _directive, ...item }: JsonRecord): JsonRecord {
  return item;
}

function keyOf(item: JsonRecord, mergeKey: string): unknown {
  const key = item[mergeKey];
  if (key !== undefined) return key;
  throw new StatusError(500, '', `map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
}

function unknownDirective(directive: unknown, map: JsonRecord): StatusError {
  return new StatusError(500, '', `unknown patch type: ${goText(directive)} in map: ${goText(map)}`);
}

function notAList(patch: JsonRecord, value: unknown): StatusError {
  const message = `Invalid value: "${goText(patch)}": cannot restore slice from ${isRecord(value) ? 'map' : typeof value}`;
  return invalid({ group: '', kind: '' }, '', [{ reason: 'FieldValueInvalid', message, field: 'patch' }]);
}
