import type { JsonRecord } from '../../json.ts';
import { type Model, modelOf, type ValueType } from './models.ts';

/** Types that have a name although they are written as one text or number, or whose fields nobody lists. */
const namedScalars: Record<string, JsonRecord> = {
  'slicewise.IntOrString': { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
  'slicewise.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'slicewise.FieldsV1': { type: 'object' },
};

/**
 * OpenAPI schemas of a type of @kubernetes/client-node and of every type that its fields lead to, by the names under which they refer
 * to each other. They tell names and types of fields; the library has no descriptions.
 */
export function schemasOf(className: string): Map<string, JsonRecord> {
  const schemas = new Map<string, JsonRecord>(Object.entries(namedScalars));
  const collect = (model: Model): void => {
    const name = schemaName(model);
    if (schemas.has(name)) return;
    const properties: JsonRecord = {};
    schemas.set(name, { type: 'object', properties });
    for (const [field, { type }] of model.fields) {
      properties[field] = typeSchema(type);
      const inner = innermost(type);
      if (inner.kind === 'model') collect(inner.of);
    }
  };
  collect(modelOf(className));
  return schemas;
}

/** kubectl shows what stands after the last dot; the class keeps apart types that share a name, as both EndpointPorts do. */
export function schemaName({ className, name }: Pick<Model, 'className' | 'name'>): string {
  return `slicewise.${className}.${name}`;
}

function innermost(type: ValueType): ValueType {
  return type.kind === 'list' || type.kind === 'map' ? innermost(type.of) : type;
}

function typeSchema(type: ValueType): JsonRecord {
  switch (type.kind) {
    case 'model':
      return named(schemaName(type.of));
    case 'list':
      return { type: 'array', items: typeSchema(type.of) };
    case 'map':
      return { type: 'object', additionalProperties: typeSchema(type.of) };
    case 'intOrString':
      return named('slicewise.IntOrString');
    case 'quantity':
      return named('slicewise.Quantity');
    case 'bool':
      return { type: 'boolean' };
    case 'int32':
    case 'int64':
      return { type: 'integer', format: type.kind };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'time':
    case 'microTime':
      return { type: 'string', format: 'date-time' };
    case 'string':
      return { type: 'string' };
    case 'any':
      return named('slicewise.FieldsV1');
  }
}

/** kubectl shows the name of what `allOf` holds, and looks through a bare reference. */
function named(name: string): JsonRecord {
  return { allOf: [reference(name)] };
}

export function reference(name: string): JsonRecord {
  return { $ref: `#/components/schemas/${name}` };
}
