import * as generated from '@kubernetes/client-node/dist/gen/models/all.js';
import { alwaysPresent, optionalScalars, quantityFields, requiredScalars } from './facts.ts';

export type ValueType =
  | {
      kind: 'string' | 'bool' | 'bytes' | 'int32' | 'int64' | 'time' | 'microTime' | 'intOrString' | 'quantity' | 'any';
    }
  | { kind: 'list' | 'map'; of: ValueType }
  | { kind: 'model'; of: Model };

export interface Field {
  type: ValueType;
  /** Whether a given zero value is kept. */
  keepsZero: boolean;
  /** What stands there when the field is absent; undefined: nothing. */
  absent: unknown;
}

/** The shape of one API type. */
export interface Model {
  /** As @kubernetes/client-node calls it: `V1ServicePort`. */
  className: string;
  /** As the API calls it: `ServicePort`. */
  name: string;
  fields: ReadonlyMap<string, Field>;
}

const models = new Map<string, Model>();

/**
 * The shape of a type by its name in @kubernetes/client-node (`V1Service`, `DiscoveryV1EndpointPort`).
 * @throws RangeError for a name that the library does not know
 */
export function modelOf(className: string): Model {
  const known = models.get(className);
  if (known) return known;
  const fields = new Map<string, Field>();
  const model: Model = { className, name: className.replace(/^(Core|Discovery|Events|Rbac)?V1/, ''), fields };
  models.set(className, model);
  const optional = new Set((optionalScalars[className] ?? '').split(' '));
  const required = new Set((requiredScalars[className] ?? '').split(' '));
  const present = alwaysPresent[className] ?? {};
  for (const { baseName, type, format } of attributesOf(className)) {
    const fieldType = valueType(type, format, quantityFields.has(`${className}.${baseName}`));
    fields.set(baseName, {
      type: fieldType,
      keepsZero: optional.has(baseName) || required.has(baseName),
      absent: required.has(baseName) ? zeroScalar(fieldType) : present[baseName],
    });
  }
  return model;
}

function zeroScalar({ kind }: ValueType): '' | 0 | false {
  if (kind === 'bool') return false;
  return kind === 'int32' || kind === 'int64' ? 0 : '';
}

interface Attribute {
  baseName: string;
  type: string;
  format: string;
}

function attributesOf(className: string): Attribute[] {
  const found: unknown = Object.entries(generated).find(([name]) => name === className)?.[1];
  if (!describesItself(found)) throw new RangeError(`the Kubernetes client library has no API type "${className}"`);
  return found.getAttributeTypeMap();
}

function describesItself(value: unknown): value is { getAttributeTypeMap(): Attribute[] } {
  return typeof value === 'function' && 'getAttributeTypeMap' in value;
}

const scalars: Record<string, ValueType> = {
  string: { kind: 'string' },
  boolean: { kind: 'bool' },
  Date: { kind: 'time' },
  V1MicroTime: { kind: 'microTime' },
  IntOrString: { kind: 'intOrString' },
  any: { kind: 'any' },
};

function valueType(type: string, format: string, quantity: boolean): ValueType {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return { kind: 'list', of: valueType(list, format, quantity) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) return { kind: 'map', of: valueType(map, format, quantity) };
  if (type === 'number') return { kind: format === 'int64' ? 'int64' : 'int32' };
  if (type === 'string' && quantity) return { kind: 'quantity' };
  if (type === 'string' && format === 'byte') return { kind: 'bytes' };
  return scalars[type] ?? { kind: 'model', of: modelOf(type) };
}
