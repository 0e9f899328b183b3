import type { Exchange } from './exchange.ts';
import type { JsonRecord } from './json.ts';
import type { RawObject } from './kind.ts';
import type { ServedKind } from './registry.ts';
import { badRequest, invalid } from './status.ts';
import type { WriteOptions } from './write-options.ts';

/** Where a body goes to; what it says about itself must agree. */
export interface BodyTarget {
  namespace: string | undefined;
  /** Undefined for a create, which takes the name from the body. */
  name: string | undefined;
}

/**
 * Makes an object of a kind out of a decoded body, without `kind` and `apiVersion`, which the store does not hold.
 * @throws StatusError 400
 */
export function decodeObject(
  exchange: Exchange,
  kind: ServedKind,
  body: JsonRecord,
  target: BodyTarget,
  options: Pick<WriteOptions, 'fieldValidation'>,
): RawObject {
  checkType(kind, body);
  const { object, error } = decodeFields(exchange, kind, body, options);
  if (error !== undefined) throw badRequest(error);
  checkTarget(object, target);
  return object;
}

/**
 * The same for what a patch made of an object, with the real server's way to refuse it.
 * @throws StatusError 400, or 422 when the result is no object of the kind
 */
export function decodePatched(
  exchange: Exchange,
  kind: ServedKind,
  body: JsonRecord,
  target: BodyTarget,
  options: Pick<WriteOptions, 'fieldValidation'>,
): RawObject {
  if (!body.kind || !body.apiVersion) throw undeterminable(target.name ?? '');
  const { object, error } = decodeFields(exchange, kind, body, options);
  const wrongKind = body.kind !== undefined && body.kind !== kind.definition.kind;
  const why = wrongKind ? `no kind "${String(body.kind)}" can be stored here` : error;
  if (why !== undefined) {
    const detail = why.replace(/^.*? cannot be handled as an? \w+: /, '');
    const message = `Invalid value: ${JSON.stringify(JSON.stringify(body))}: ${detail}`;
    throw invalid({ group: '', kind: '' }, '', [{ reason: 'FieldValueInvalid', message, field: 'patch' }]);
  }
  checkTarget(object, target);
  return object;
}

function checkType(kind: ServedKind, { apiVersion, kind: name }: JsonRecord): void {
  const { definition } = kind;
  const version = String(apiVersion ?? kind.apiVersion);
  if (name !== undefined && name !== definition.kind) {
    const short = version.split('/').at(-1);
    const group = definition.group === '' ? 'core' : definition.group.split('.')[0];
    throw badRequest(
      `${name} in version "${short}" cannot be handled as a ${definition.kind}: converting (${short}.${name}) to (${group}.${definition.kind}): unknown conversion`,
    );
  }
  if (apiVersion !== undefined && apiVersion !== kind.apiVersion) {
    throw badRequest(
      `the API version in the data (${version}) does not match the expected API version (${kind.apiVersion})`,
    );
  }
}

function decodeFields(
  exchange: Exchange,
  kind: ServedKind,
  body: JsonRecord,
  { fieldValidation }: Pick<WriteOptions, 'fieldValidation'>,
): { object: RawObject; error: string | undefined } {
  const { definition } = kind;
  const decoded = definition.decode(body);
  const { kind: _kind, apiVersion: _apiVersion, ...object } = decoded.object;
  if (decoded.error !== undefined) return { object, error: decoded.error };
  const unknown = decoded.unknownFields.map((field) => `unknown field ${JSON.stringify(field)}`);
  if (unknown.length === 0 || fieldValidation === 'Ignore') return { object, error: undefined };
  if (fieldValidation === 'Warn') {
    exchange.warnings.push(...unknown);
    return { object, error: undefined };
  }
  const error = `${definition.kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: strict decoding error: ${unknown.join(', ')}`;
  return { object, error };
}

function checkTarget({ metadata }: RawObject, { namespace, name }: BodyTarget): void {
  if (namespace !== undefined && metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (name === undefined) return;
  if (!metadata.name) throw undeterminable(name);
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
}

function undeterminable(name: string): Error {
  return badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
}
