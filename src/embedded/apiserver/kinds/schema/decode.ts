import { isRecord, type JsonRecord } from '../../json.ts';
import type { Decoded, Decoder } from '../../kind.ts';
import { type Field, type Model, modelOf, type ValueType } from './models.ts';
import { canonicalQuantity } from './quantity.ts';
import { canonicalMicroTime, canonicalTime } from './time.ts';

/** How a value of the wrong type is refused, in the words of the real server's JSON decoder. */
class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** Where the walk stands: `keys` for messages (no indexes), `text` with them for unknown fields. */
interface Place {
  owner: string;
  keys: string;
  text: string;
}

/** A decoder for the kind whose type @kubernetes/client-node calls `className`. */
export function decoderOf(className: string): Decoder {
  const model = modelOf(className);
  const decode = (body: JsonRecord): Decoded => {
    const unknownFields: string[] = [];
    try {
      const decoded = decodeModel(body, model, { owner: '', keys: '', text: '' }, unknownFields);
      const metadata = isRecord(decoded.metadata) ? decoded.metadata : {};
      return { object: { ...decoded, metadata }, unknownFields };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const kind = typeof body.kind === 'string' ? body.kind : model.name;
      const version = typeof body.apiVersion === 'string' ? (body.apiVersion.split('/').at(-1) ?? '') : 'v1';
      const message = `${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`;
      return { object: { metadata: {} }, unknownFields, error: message };
    }
  };
  return Object.assign(decode, { className });
}

function decodeModel(value: JsonRecord, model: Model, place: Place, unknown: string[]): JsonRecord {
  const result: JsonRecord = {};
  for (const [key, given] of Object.entries(value)) {
    const field = model.fields.get(key);
    const at: Place = {
      owner: model.name,
      keys: place.keys === '' ? key : `${place.keys}.${key}`,
      text: place.text === '' ? key : `${place.text}.${key}`,
    };
    if (!field) unknown.push(at.text);
    else if (given !== null && given !== undefined) {
      const decoded = decodeValue(given, field.type, at, unknown);
      if (field.keepsZero || !isZero(decoded, field)) result[key] = decoded;
    }
  }
  for (const [key, field] of model.fields) {
    if (field.absent === undefined || result[key] !== undefined) continue;
    result[key] =
      isRecord(field.absent) && field.type.kind === 'model'
        ? decodeModel({}, field.type.of, place, unknown)
        : field.absent;
  }
  return result;
}

function isZero(value: unknown, field: Field): boolean {
  if (value === '' || value === 0 || value === false) return field.type.kind !== 'intOrString';
  if (Array.isArray(value)) return value.length === 0;
  return field.type.kind === 'map' && isRecord(value) && Object.keys(value).length === 0;
}

function decodeValue(value: unknown, type: ValueType, place: Place, unknown: string[]): unknown {
  switch (type.kind) {
    case 'any':
      return value;
    case 'model':
      if (!isRecord(value)) throw mismatch(value, type, place);
      return decodeModel(value, type.of, place, unknown);
    case 'list':
      if (!Array.isArray(value)) throw mismatch(value, type, place);
      return value.map((item, i) => {
        const at = { ...place, text: `${place.text}[${i}]` };
        return item === null ? zeroOf(type.of, at, unknown) : decodeValue(item, type.of, at, unknown);
      });
    case 'map':
      if (!isRecord(value)) throw mismatch(value, type, place);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          item === null ? zeroOf(type.of, place, unknown) : decodeValue(item, type.of, place, unknown),
        ]),
      );
    case 'string':
      if (typeof value !== 'string') throw mismatch(value, type, place);
      return value;
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch(value, type, place);
      return value;
    case 'int32':
    case 'int64':
      return decodeInteger(value, type.kind, place);
    case 'bytes':
      return decodeBytes(value, place);
    case 'intOrString':
      return typeof value === 'string' ? value : decodeInteger(value, 'int32', place);
    case 'quantity':
      return decodeQuantity(value, place);
    case 'time':
    case 'microTime':
      return decodeTime(value, type.kind, place);
  }
}

/** A `null` inside a list or map stands for the zero value of its element type. */
function zeroOf(type: ValueType, place: Place, unknown: string[]): unknown {
  switch (type.kind) {
    case 'model':
      return decodeModel({}, type.of, place, unknown);
    case 'string':
    case 'bytes':
      return '';
    case 'bool':
      return false;
    case 'list':
      return [];
    case 'map':
      return {};
    case 'quantity':
      return '0';
    case 'any':
    case 'time':
    case 'microTime':
      return null;
    case 'int32':
    case 'int64':
    case 'intOrString':
      return 0;
  }
}

const integerLimits = { int32: 2 ** 31, int64: 2 ** 63 };

function decodeInteger(value: unknown, kind: 'int32' | 'int64', place: Place): number {
  if (typeof value !== 'number') throw mismatch(value, { kind }, place);
  const limit = integerLimits[kind];
  if (!Number.isInteger(value) || value >= limit || value < -limit) {
    throw new DecodeError(
      `json: cannot unmarshal number ${value} into Go struct field ${fieldName(place)} of type ${kind}`,
    );
  }
  return value;
}

function decodeQuantity(value: unknown, place: Place): string {
  if (typeof value !== 'string' && typeof value !== 'number') throw mismatch(value, { kind: 'string' }, place);
  const canonical = canonicalQuantity(String(value));
  if (canonical === undefined) {
    const pattern = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    throw new DecodeError(`quantities must match the regular expression ${pattern}`);
  }
  return canonical;
}

/** Base64 in its one proper spelling. */
function decodeBytes(value: unknown, place: Place): string {
  if (typeof value !== 'string') throw mismatch(value, { kind: 'string' }, place);
  const proper = Buffer.from(value, 'base64').toString('base64');
  if (proper === value) return value;
  const at = [...value].findIndex((letter, i) => letter !== proper[i]);
  throw new DecodeError(`illegal base64 data at input byte ${Math.max(at, 0)}`);
}

const timeLayouts = { time: '2006-01-02T15:04:05Z07:00', microTime: '2006-01-02T15:04:05.000000Z07:00' };

function decodeTime(value: unknown, kind: 'time' | 'microTime', place: Place): string {
  if (typeof value !== 'string') throw mismatch(value, { kind: 'string' }, place);
  const canonical = kind === 'time' ? canonicalTime(value) : canonicalMicroTime(value);
  if (canonical === undefined) {
    throw new DecodeError(
      `parsing time ${JSON.stringify(value)} as ${JSON.stringify(timeLayouts[kind])}: cannot parse it`,
    );
  }
  return canonical;
}

function mismatch(value: unknown, expected: ValueType, place: Place): DecodeError {
  const given = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new DecodeError(
    `json: cannot unmarshal ${given} into Go struct field ${fieldName(place)} of type ${typeName(expected)}`,
  );
}

function fieldName({ owner, keys }: Place): string {
  return owner === '' ? keys : `${owner}.${keys}`;
}

function typeName(type: ValueType): string {
  switch (type.kind) {
    case 'model':
      return `v1.${type.of.name}`;
    case 'list':
      return `[]${typeName(type.of)}`;
    case 'map':
      return `map[string]${typeName(type.of)}`;
    case 'intOrString':
      return 'int32';
    default:
      return type.kind;
  }
}
