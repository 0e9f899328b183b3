import { answerObject } from '../answer.ts';
import { mediaType, parseAnyYaml, readBody } from '../body.ts';
import { createObject } from '../create.ts';
import { type BodyTarget, decodeObject, decodePatched } from '../decode.ts';
import type { Exchange } from '../exchange.ts';
import { isRecord, type JsonRecord } from '../json.ts';
import type { RawObject } from '../kind.ts';
import { shapeOf } from '../managed/track.ts';
import type { ServedKind } from '../registry.ts';
import { answerScale, scaleOf, withScale } from '../scale.ts';
import { badRequest, conflict, notFound, StatusError } from '../status.ts';
import { storeKey } from '../store.ts';
import { updateObject } from '../update.ts';
import { parseWriteOptions, type WriteOptions } from '../write-options.ts';
import { applyConfiguration, duplicateItem } from './apply.ts';
import { applyJsonPatch } from './json.ts';
import { applyMergePatch } from './merge.ts';
import { applyStrategicPatch } from './strategic.ts';

interface PatchTarget extends BodyTarget {
  name: string;
  subresource: string | undefined;
}

const types = {
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/json-patch+json': 'json',
  'application/apply-patch+yaml': 'apply',
} as const;

type PatchType = (typeof types)[keyof typeof types];

/** Answers a PATCH of an object or of its status. @throws StatusError */
export async function patchObject(exchange: Exchange, kind: ServedKind, target: PatchTarget): Promise<void> {
  const type = patchType(exchange);
  const text = (await readBody(exchange.message)).toString('utf8');
  const { info, message, serving } = exchange;
  const options = parseWriteOptions(info.query, type === 'apply' ? 'Apply' : 'Patch', message.headers['user-agent']);
  if (type === 'apply') {
    applyServerSide(exchange, kind, target, text, options);
    return;
  }
  const patch = parsePatch(text, type);
  const change = (before: RawObject) => {
    const document = { kind: kind.definition.kind, apiVersion: kind.apiVersion, ...before };
    const patched = patchDocument(document, patch, type, kind);
    return { object: decodePatched(exchange, kind, patched, target, options) };
  };
  answerObject(exchange, 200, kind, updateObject(serving.registry, kind, target, change, options));
}

/** Answers a PATCH of the `scale` subresource. @throws StatusError */
export async function patchScale(exchange: Exchange, kind: ServedKind, target: PatchTarget): Promise<void> {
  const type = patchType(exchange);
  const text = (await readBody(exchange.message)).toString('utf8');
  const { info, message, serving } = exchange;
  const options = parseWriteOptions(info.query, 'Patch', message.headers['user-agent']);
  if (type === 'apply') throw unsupportedPatch();
  const patch = parsePatch(text, type);
  const change = (before: RawObject) => ({
    object: withScale(before, patchDocument(scaleOf(before), patch, type, kind)),
  });
  answerScale(exchange, updateObject(serving.registry, kind, target, change, options));
}

function patchType({ message }: Exchange): PatchType {
  const type = mediaType(message);
  const known = Object.entries(types).find(([name]) => name === type)?.[1];
  if (!known) throw unsupportedPatch();
  return known;
}

function unsupportedPatch(): StatusError {
  return new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

function parsePatch(text: string, type: PatchType): unknown {
  const value = parseOrRefuse(text);
  if (type === 'json') return value;
  if (value === null) throw badRequest('Invalid JSON Patch');
  if (isRecord(value)) return value;
  const what = Array.isArray(value) ? 'array' : typeof value;
  const why = `json: cannot unmarshal ${what} into Go value of type map[string]interface {}`;
  throw badRequest(type === 'merge' ? `error decoding patch: ${why}` : why);
}

function parseOrRefuse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function patchDocument(document: JsonRecord, patch: unknown, type: PatchType, kind: ServedKind): JsonRecord {
  const patched =
    type === 'json'
      ? applyJsonPatch(document, patch)
      : type === 'merge'
        ? applyMergePatch(document, patch)
        : applyStrategicPatch(document, patch, kind.definition.strategy.mergeKeys);
  if (!isRecord(patched)) throw badRequest('the patched object is not an object');
  return patched;
}

function applyServerSide(
  exchange: Exchange,
  kind: ServedKind,
  target: PatchTarget,
  text: string,
  options: WriteOptions,
): void {
  const { registry } = exchange.serving;
  const { namespace, name, subresource } = target;
  const config = parseConfiguration(kind, target, text);
  const applyOptions = { manager: options.fieldManager, subresource, force: options.force };
  const stored = kind.bucket.get(storeKey(namespace, name));
  if (!stored) {
    if (subresource !== undefined) throw notFound(kind.definition, name);
    const { uid } = isRecord(config.metadata) ? config.metadata : {};
    if (uid) {
      const why = `uid mismatch: the provided object specified uid ${String(uid)}, and no existing object was found`;
      throw conflict(kind.definition, name, why);
    }
    const { object, managers } = applyConfiguration(kind, undefined, config, applyOptions);
    const created = decodeObject(exchange, kind, object, target, options);
    answerObject(exchange, 201, kind, createObject(registry, kind, namespace, created, options, managers));
    return;
  }
  const change = (before: RawObject) => {
    const { object, managers } = applyConfiguration(kind, before, config, applyOptions);
    const { resourceVersion } = isRecord(config.metadata) ? config.metadata : {};
    const merged = decodeObject(exchange, kind, object, target, options);
    if (typeof resourceVersion === 'string') merged.metadata.resourceVersion = resourceVersion;
    return { object: merged, managers };
  };
  answerObject(exchange, 200, kind, updateObject(registry, kind, target, change, options));
}

/** An apply configuration is YAML, of which JSON is a part. @throws StatusError 400, or 500 where the real server answers so */
function parseConfiguration(kind: ServedKind, { namespace, name }: PatchTarget, text: string): JsonRecord {
  const value = parseAnyYaml(text);
  if (!isRecord(value)) throw badRequest('error decoding YAML: the configuration is not an object');
  const { definition } = kind;
  const { kind: kindName, apiVersion, ...config } = value;
  if (kindName !== definition.kind || apiVersion !== kind.apiVersion) {
    const version = typeof apiVersion === 'string' ? apiVersion : '';
    const group = version.includes('/') ? '' : '/';
    throw badRequest(`invalid object type: ${group}${version}, Kind=${typeof kindName === 'string' ? kindName : ''}`);
  }
  const metadata = isRecord(config.metadata) ? config.metadata : {};
  if (metadata.managedFields !== undefined && metadata.managedFields !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const { error, unknownFields = [] } = definition.decode?.(value) ?? {};
  const [unknown] = unknownFields;
  const problem = error?.replace(/^.*? cannot be handled as an? \w+: /, '');
  const undeclared = unknown === undefined ? undefined : `.${unknown}: field not declared in schema`;
  const why = problem ?? undeclared ?? duplicateItem(config, shapeOf(kind));
  if (why !== undefined) {
    const group = definition.group === '' ? '/' : `${definition.group}/`;
    const what = `${String(metadata.namespace ?? '')}/${String(metadata.name ?? '')}; ${group}${definition.version}, Kind=${definition.kind}`;
    throw new StatusError(500, '', `failed to create typed patch object (${what}): ${why}`);
  }
  if (metadata.namespace !== undefined && namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${String(metadata.name)}) does not match the name on the URL (${name})`);
  }
  return { ...config, metadata };
}
