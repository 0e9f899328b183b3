import type { RawObject } from './kind.ts';
import type { ServedKind } from './registry.ts';
import type { StoreEvent } from './store.ts';

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

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

/** One line of a watch response. */
export function frame(type: EventType, object: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, Buffer.from('}\n')]);
}

const frames = new WeakMap<StoreEvent, Map<string, Buffer>>();

/** The frame of a stored change: built once and shared by all watches that send the same. */
export function sharedFrame(kind: ServedKind, event: StoreEvent, type: EventType, build: () => Buffer): Buffer {
  let built = frames.get(event);
  if (!built) {
    built = new Map();
    frames.set(event, built);
  }
  const key = `${kind.apiVersion} ${type}`;
  let found = built.get(key);
  if (!found) {
    found = frame(type, build());
    built.set(key, found);
  }
  return found;
}
