import { isRecord, type JsonRecord } from '../json.ts';
import type { RawObject } from '../kind.ts';
import { difference, emptySet, equalSets, type FieldSet, isEmpty, parseFieldsV1, toFieldsV1 } from './field-set.ts';

/** One entry of `metadata.managedFields`. */
export interface Manager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  /** RFC 3339; undefined: to be stamped. */
  time: string | undefined;
  fields: FieldSet;
}

export type ManagerId = Pick<Manager, 'manager' | 'operation' | 'apiVersion' | 'subresource'>;

export function sameManager(a: ManagerId, b: ManagerId): boolean {
  const sameWriter = a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;
  return sameWriter && a.apiVersion === b.apiVersion;
}

/** Reads `managedFields`; undefined when it has not the right form. */
export function parseManagers(value: unknown): Manager[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const managers: Manager[] = [];
  for (const entry of value) {
    const manager = parseManager(entry);
    if (!manager) return undefined;
    managers.push(manager);
  }
  return managers;
}

function parseManager(entry: unknown): Manager | undefined {
  if (!isRecord(entry) || entry.fieldsType !== 'FieldsV1') return undefined;
  const { manager, operation, apiVersion, subresource = '', time } = entry;
  const fields = parseFieldsV1(entry.fieldsV1);
  if (!fields || (operation !== 'Apply' && operation !== 'Update')) return undefined;
  if (typeof manager !== 'string' || typeof apiVersion !== 'string' || typeof subresource !== 'string')
    return undefined;
  return { manager, operation, apiVersion, subresource, time: typeof time === 'string' ? time : undefined, fields };
}

/** Whether a client asks to forget all ownership: a list of one empty entry (or, in an update of a tracked object, of none). */
export function isReset(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 1) return false;
  const [entry] = value;
  return isRecord(entry) && Object.keys(entry).length === 0;
}

/** The fields of metadata and type that nobody owns, because the server sets them. */
const unowned: FieldSet = (() => {
  const metadata = emptySet(true);
  for (const field of [
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
  ]) {
    metadata.children.set(`f:${field}`, emptySet(true));
  }
  return {
    member: true,
    children: new Map([
      ['f:apiVersion', emptySet(true)],
      ['f:kind', emptySet(true)],
      ['f:metadata', metadata],
    ]),
  };
})();

/** Takes out what nobody owns. */
export function ownable(fields: FieldSet, resetFields: readonly string[]): FieldSet {
  const left = difference(fields, unowned);
  left.children.get('f:metadata')?.children.delete('f:managedFields');
  for (const field of resetFields) left.children.delete(`f:${field}`);
  for (const [element, child] of left.children) if (isEmpty(child)) left.children.delete(element);
  return left;
}

/**
 * Writes managers into an object: those who own nothing are left out, those whose fields changed get the present time; Apply
 * before Update, older before newer.
 */
export function writeManagers(object: RawObject, managers: Manager[], before: Manager[], now: string): void {
  const entries = managers
    .filter(({ fields }) => !isEmpty(fields))
    .map((manager) => {
      const known = before.find((other) => sameManager(other, manager));
      const unchanged = known?.time !== undefined && equalSets(known.fields, manager.fields);
      return { ...manager, time: unchanged ? known.time : now };
    })
    .sort(byOperationAndTime);
  if (entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries.map(entryOf);
}

function byOperationAndTime(a: Manager, b: Manager): number {
  const text = (entry: Manager) =>
    [entry.operation, entry.time ?? '', entry.manager, entry.apiVersion, entry.subresource].join('\0');
  return text(a) < text(b) ? -1 : 1;
}

function entryOf({ manager, operation, apiVersion, subresource, time, fields }: Manager): JsonRecord {
  return {
    manager,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(fields),
    ...(subresource === '' ? {} : { subresource }),
  };
}
