import type { ProtoWriter } from './writer.ts';

/** How a field of an object in the API's JSON shape is written: its number, and its type, or the fields of the message it holds. */
export type Field = readonly [number: number, type: 'string' | 'int' | 'bool' | 'time' | 'map' | Fields];

/** Field name -> field. Whether it is repeated, the value tells: protobuf writes a list as the same field again and again. */
export interface Fields {
  readonly [name: string]: Field;
}

/** The object has a field, or a value, that the message cannot hold. */
export class NoProtobufForm extends Error {
  override readonly name = 'NoProtobufForm';
}

/** Writes the fields of `object` that are set. @throws NoProtobufForm rather than leave anything out */
export function encodeFields(writer: ProtoWriter, fields: Fields, object: object): void {
  const values = object as Readonly<Record<string, unknown>>;
  for (const name in values) {
    const value = values[name];
    if (value === undefined || value === null) continue;
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) throw new NoProtobufForm(`field "${name}"`);
    if (!Array.isArray(value)) encodeValue(writer, name, field, value);
    else for (let i = value.length - 1; i >= 0; i--) encodeValue(writer, name, field, value[i]);
  }
}

function encodeValue(writer: ProtoWriter, name: string, [number, type]: Field, value: unknown): void {
  if (type === 'string' && typeof value === 'string') writer.string(number, value);
  else if (type === 'bool' && typeof value === 'boolean') writer.bool(number, value);
  else if (type === 'int' && Number.isSafeInteger(value)) writer.int(number, value as number);
  else if (type === 'time' && typeof value === 'string') encodeTime(writer, name, number, value);
  else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (type === 'map') encodeMap(writer, name, number, value);
    else if (typeof type === 'object') {
      const before = writer.length;
      encodeFields(writer, type, value);
      writer.wrap(number, before);
    } else throw unfit(name, value);
  } else throw unfit(name, value);
}

function encodeMap(writer: ProtoWriter, name: string, number: number, map: object): void {
  for (const [key, value] of Object.entries(map)) {
    if (typeof value !== 'string') throw unfit(`${name}.${key}`, value);
    const before = writer.length;
    writer.string(2, value);
    writer.string(1, key);
    writer.wrap(number, before);
  }
}

/** meta/v1 Time: whole seconds since 1970. */
function encodeTime(writer: ProtoWriter, name: string, number: number, text: string): void {
  const seconds = Date.parse(text) / 1000;
  if (!Number.isSafeInteger(seconds)) throw unfit(name, text);
  const before = writer.length;
  writer.int(1, seconds);
  writer.wrap(number, before);
}

function unfit(name: string, value: unknown): NoProtobufForm {
  return new NoProtobufForm(`field "${name}": ${JSON.stringify(value)}`);
}
