import { decodeBody, mediaType, parseJson, readBody, unsupportedMediaType } from './body.ts';
import { createObject } from './create.ts';
import { deleteObject } from './delete.ts';
import type { Exchange } from './handler.ts';
import type { JsonRecord } from './json.ts';
import { cloneJson, isRecord } from './json.ts';
import type { RawObject } from './kind.ts';
import { serveList } from './lists.ts';
import { applyMergePatch } from './patch/merge.ts';
import type { ServedKind } from './registry.ts';
import type { RequestInfo, ResourceTarget } from './request.ts';
import { sendBuffers, sendError, sendJson } from './respond.ts';
import { encodeObject } from './serialize.ts';
import { badRequest, methodNotAllowed, noSuchResource, notFound, type StatusError } from './status.ts';
import { storeKey } from './store.ts';
import { updateObject } from './update.ts';
import { serveWatch } from './watches.ts';
import type { WriteOptions } from './write-options.ts';

/** Answers a request to a resource. @throws StatusError */
export async function serveResource(
  exchange: Exchange,
  info: RequestInfo,
  failAfterServing: StatusError | undefined,
): Promise<void> {
  const { registry } = exchange.serving;
  const target = info.resource;
  const kind = target && registry.find(target.group, target.version, target.plural);
  if (!target || !kind) throw noSuchResource();
  const { definition } = kind;
  if (target.namespace !== undefined && !definition.namespaced) throw noSuchResource();
  if (info.verb === 'list') return serveList(exchange, kind, target);
  if (info.verb === 'watch') return serveWatch(exchange, kind, target);

  const text = info.verb === 'get' ? '' : await readBody(exchange.message);
  const answer = (code: number, object: RawObject) => {
    if (failAfterServing) sendError(exchange.response, failAfterServing);
    else sendBuffers(exchange.response, code, [encodeObject(kind, object)]);
  };
  const options = writeOptions(exchange);
  const { namespace, name = '', subresource } = target;
  switch (info.verb) {
    case 'get': {
      const found = kind.bucket.get(storeKey(namespace, name));
      if (!found) throw notFound(definition, name);
      return answer(200, found);
    }
    case 'create': {
      const body = bodyObject(kind, target, decodeBody(text, mediaType(exchange.message)));
      return answer(201, createObject(registry, kind, namespace, body, options));
    }
    case 'update': {
      const body = bodyObject(kind, target, decodeBody(text, mediaType(exchange.message)));
      return answer(
        200,
        updateObject(registry, kind, { namespace, name, subresource }, () => body, options),
      );
    }
    case 'patch': {
      if (mediaType(exchange.message) !== 'application/merge-patch+json') throw unsupportedMediaType();
      const patch = parseJson(text);
      const change = (before: RawObject) =>
        bodyObject(kind, target, applyMergePatch(cloneJson<unknown>(before), patch) as JsonRecord);
      return answer(200, updateObject(registry, kind, { namespace, name, subresource }, change, options));
    }
    case 'delete': {
      const { object, gone } = deleteObject(registry, kind, namespace, name, {
        dryRun: options.dryRun,
        ...parseDelete(text),
      });
      if (gone) {
        sendJson(exchange.response, 200, {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Success',
          details: { name, kind: definition.plural, uid: object.metadata.uid },
        });
        return;
      }
      return answer(200, object);
    }
    default:
      throw methodNotAllowed();
  }
}

function parseDelete(text: string): { gracePeriodSeconds?: number; preconditions?: { uid?: string } } {
  return text === '' ? {} : (parseJson(text) as { gracePeriodSeconds?: number });
}

function writeOptions({ info, message }: Exchange): WriteOptions {
  return {
    dryRun: info.query.get('dryRun') === 'All',
    fieldManager: info.query.get('fieldManager') ?? message.headers['user-agent']?.split('/')[0] ?? 'unknown',
  };
}

/** Checks that a body is what the URL says, and drops `kind` and `apiVersion`, which the store does not hold. */
function bodyObject(kind: ServedKind, target: ResourceTarget, body: JsonRecord): RawObject {
  const { apiVersion, kind: kindName, ...rest } = body;
  const { definition } = kind;
  if (kindName !== undefined && kindName !== definition.kind) {
    throw badRequest(
      `${String(kindName)} in version "${String(apiVersion)}" cannot be handled as a ${definition.kind}`,
    );
  }
  if (apiVersion !== undefined && apiVersion !== kind.apiVersion) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${kind.apiVersion})`,
    );
  }
  const metadata = isRecord(rest.metadata) ? rest.metadata : {};
  const { name, namespace } = metadata;
  if (target.namespace !== undefined && namespace && namespace !== target.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (target.name !== undefined && name && name !== target.name) {
    throw badRequest(`the name of the object (${String(name)}) does not match the name on the URL (${target.name})`);
  }
  return { ...rest, metadata };
}
