import { equalJson } from '../json.ts';
import type { Cause, KindDefinition, RawObject } from '../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from './columns.ts';
import { decoderOf } from './schema/decode.ts';
import { strategyOf } from './strategy.ts';
import { eachInvalid, forbidden, invalid, tooLong } from './validation/causes.ts';
import { configMapKey } from './validation/names.ts';

export interface ConfigObject extends RawObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

/** 1 MiB: what a ConfigMap or Secret may hold. */
const mostBytes = 1024 * 1024;

export const configMapKind: KindDefinition = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  singular: 'configmap',
  kind: 'ConfigMap',
  namespaced: true,
  shortNames: ['cm'],
  categories: [],
  subresources: [],
  decode: decoderOf('V1ConfigMap'),
  strategy: strategyOf('V1ConfigMap', {
    validate: (object) => validateConfigMap(asConfig(object)),
    validateUpdate: (object, before) => [
      ...validateConfigMap(asConfig(object)),
      ...validateFrozen(asConfig(object), asConfig(before)),
    ],
    columns: [nameColumn, column('Data', 'Number of keys.'), ageColumn],
    row(object, now) {
      const { data = {}, binaryData = {} } = asConfig(object);
      return [nameCell(object), Object.keys(data).length + Object.keys(binaryData).length, ageCell(object, now)];
    },
  }),
};

export function asConfig(object: RawObject): ConfigObject {
  return object as ConfigObject;
}

function validateConfigMap({ data = {}, binaryData = {} }: ConfigObject): Cause[] {
  const causes: Cause[] = [];
  for (const key of Object.keys(data)) {
    causes.push(...eachInvalid(`data[${key}]`, key, configMapKey(key)));
    if (key in binaryData) causes.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
  }
  for (const key of Object.keys(binaryData)) {
    causes.push(...eachInvalid(`binaryData[${key}]`, key, configMapKey(key)));
  }
  const text = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  const bytes = Object.values(binaryData).reduce((sum, value) => sum + Buffer.byteLength(value, 'base64'), 0);
  if (text + bytes > mostBytes) causes.push(tooLong('[]', mostBytes));
  return causes;
}

/** An immutable ConfigMap or Secret (KEP-1412) keeps its data, and stays immutable. */
export function validateFrozen(object: ConfigObject, before: ConfigObject): Cause[] {
  if (before.immutable !== true) return [];
  const why = 'field is immutable when `immutable` is set';
  const causes = object.immutable === true ? [] : [forbidden('immutable', why)];
  for (const field of ['data', 'binaryData'] as const) {
    if (!equalJson(object[field] ?? {}, before[field] ?? {})) causes.push(forbidden(field, why));
  }
  return causes;
}
