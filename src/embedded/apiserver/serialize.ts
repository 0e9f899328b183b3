import type { RawObject } from './kind.ts';
import type { ServedKind } from './registry.ts';

const bodies = new WeakMap<RawObject, Buffer>();

/** The JSON text of an object without `kind` and `apiVersion`; built once for each state of an object. */
export function bodyOf(object: RawObject): Buffer {
  let body = bodies.get(object);
  if (!body) {
    body = Buffer.from(JSON.stringify(object));
    bodies.set(object, body);
  }
  return body;
}

/** The JSON text of a stored object as one group serves it, `kind` and `apiVersion` first. */
export function encodeObject(kind: ServedKind, stored: RawObject): Buffer {
  return Buffer.concat([typePrefix(kind), bodyOf(kind.view(stored)).subarray(1)]);
}

const prefixes = new WeakMap<ServedKind, Buffer>();

function typePrefix(kind: ServedKind): Buffer {
  let prefix = prefixes.get(kind);
  if (!prefix) {
    prefix = Buffer.from(`{"kind":"${kind.definition.kind}","apiVersion":"${kind.apiVersion}",`);
    prefixes.set(kind, prefix);
  }
  return prefix;
}
