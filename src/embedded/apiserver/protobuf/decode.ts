import { isRecord, type JsonRecord } from '../json.ts';
import { type Message, messageOf } from './messages.ts';
import { Reader } from './reader.ts';

/** Before every protobuf body of the API stands this mark (`k8s` and a zero byte). */
const magic = Buffer.from('k8s\0');

/** Names of API groups as the message table shortens them. */
function shortGroup(apiVersion: string): string {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : 'core';
  return group.split('.')[0] ?? '';
}

/**
 * Turns a request body of type `application/vnd.kubernetes.protobuf` into what the same body is in JSON, `kind` and `apiVersion`
 * included. kubectl's typed commands (`create namespace`, `auth can-i`) send nothing else.
 * @throws RangeError on a body that is not of that form or of a type that is not known
 */
export function decodeProtobuf(body: Uint8Array): JsonRecord {
  if (!magic.equals(body.subarray(0, magic.length)))
    throw new RangeError('the body does not start with the mark k8s\\0');
  const envelope = new Reader(body.subarray(magic.length));
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  for (const { number, bytes } of envelope.fields()) {
    if (number === 2) raw = bytes;
    if (number !== 1) continue;
    for (const field of new Reader(bytes).fields()) {
      if (field.number === 1) apiVersion = text(field.bytes);
      if (field.number === 2) kind = text(field.bytes);
    }
  }
  const type = kind === 'DeleteOptions' ? 'meta.DeleteOptions' : `${shortGroup(apiVersion)}.${kind}`;
  const message = messageOf(type);
  if (!message)
    throw new RangeError(`no protobuf form of kind ${JSON.stringify(kind)} in ${JSON.stringify(apiVersion)}`);
  return { kind, apiVersion, ...decodeMessage(raw, message) };
}

function decodeMessage(body: Uint8Array, message: Message): JsonRecord {
  const result: JsonRecord = {};
  for (const { number, bytes, value } of new Reader(body).fields()) {
    const field = message.get(number);
    if (!field) continue;
    const { name, shape, type } = field;
    if (name === undefined) {
      Object.assign(result, decodeValue(type, bytes, value));
    } else if (shape === 'list') {
      const list = result[name];
      const item = decodeValue(type, bytes, value);
      if (Array.isArray(list)) list.push(item);
      else result[name] = [item];
    } else if (shape === 'map') {
      result[name] = { ...(isRecord(result[name]) ? result[name] : {}), ...decodeEntry(type, bytes) };
    } else {
      const decoded = decodeValue(type, bytes, value);
      if (decoded !== undefined) result[name] = decoded;
    }
  }
  return result;
}

function decodeEntry(type: string, body: Uint8Array): JsonRecord {
  let key = '';
  let decoded: unknown = zeroOf(type);
  for (const { number, bytes, value } of new Reader(body).fields()) {
    if (number === 1) key = text(bytes);
    if (number === 2) decoded = decodeValue(type, bytes, value);
  }
  return { [key]: decoded };
}

function zeroOf(type: string): unknown {
  return type === 'string' || type === 'bytes' ? '' : type === 'resource.Quantity' ? '0' : {};
}

function decodeValue(type: string, bytes: Uint8Array, value: bigint): unknown {
  switch (type) {
    case 'string':
      return text(bytes);
    case 'bytes':
      return Buffer.from(bytes).toString('base64');
    case 'bool':
      return value !== 0n;
    case 'int32':
    case 'int64':
      return Number(BigInt.asIntN(64, value));
    case 'double':
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
    case 'meta.Time':
    case 'meta.MicroTime':
      return decodeTime(bytes, type === 'meta.MicroTime');
    case 'meta.FieldsV1':
    case 'runtime.RawExtension': {
      const raw = firstField(bytes, 1);
      return raw === undefined ? undefined : JSON.parse(text(raw));
    }
    case 'resource.Quantity':
      return text(firstField(bytes, 1) ?? new Uint8Array());
    case 'intstr.IntOrString':
      return decodeIntOrString(bytes);
    default: {
      const message = messageOf(type);
      if (!message) throw new RangeError(`no message ${type}`);
      return decodeMessage(bytes, message);
    }
  }
}

/** Seconds and nanoseconds since 1970; a time without either is no time. */
function decodeTime(body: Uint8Array, micro: boolean): string | undefined {
  let seconds = 0n;
  let nanos = 0n;
  let given = false;
  for (const { number, value } of new Reader(body).fields()) {
    given = true;
    if (number === 1) seconds = BigInt.asIntN(64, value);
    if (number === 2) nanos = BigInt.asIntN(32, value);
  }
  if (!given) return undefined;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return micro ? `${whole}.${String(nanos / 1000n).padStart(6, '0')}Z` : `${whole}Z`;
}

function decodeIntOrString(body: Uint8Array): number | string {
  let isString = false;
  let number = 0;
  let string = '';
  for (const field of new Reader(body).fields()) {
    if (field.number === 1) isString = field.value !== 0n;
    if (field.number === 2) number = Number(BigInt.asIntN(32, field.value));
    if (field.number === 3) string = text(field.bytes);
  }
  return isString ? string : number;
}

function firstField(body: Uint8Array, wanted: number): Uint8Array | undefined {
  for (const { number, bytes } of new Reader(body).fields()) if (number === wanted) return bytes;
  return undefined;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
