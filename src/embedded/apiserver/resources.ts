import { answerObject, sendWarnings } from './answer.ts';
import { decodeBody, mediaType, readBody } from './body.ts';
import { createObject } from './create.ts';
import { decodeObject } from './decode.ts';
import { type DeleteOptions, deleteObject, parseDeleteOptions } from './delete.ts';
import type { Exchange } from './exchange.ts';
import { parseListOptions, parseRevision } from './list-options.ts';
import { encodeList, readPage, serveList } from './lists.ts';
import { isNamespaceKind } from './namespaces.ts';
import { patchObject } from './patch/index.ts';
import type { ServedKind } from './registry.ts';
import type { ResourceTarget } from './request.ts';
import { sendBuffers, sendJson, sendText } from './respond.ts';
import { reachRevision } from './revisions.ts';
import { conflict, methodNotAllowed, noSuchResource, notFound } from './status.ts';
import { storeKey } from './store.ts';
import { serveSubresource } from './subresource-routes.ts';
import { success } from './subresources.ts';
import { uidPreconditionMessage, updateObject } from './update.ts';
import { serveWatch } from './watches.ts';
import { parseWriteOptions } from './write-options.ts';

/** Answers a request to a resource. @throws StatusError */
export async function serveResource(exchange: Exchange, target: ResourceTarget): Promise<void> {
  const { registry } = exchange.serving;
  const { group, version, plural, namespace, name } = target;
  const kind = registry.find(group, version, plural);
  if (!kind) {
    if (registry.servesVersion(group, version)) throw noSuchResource();
    sendText(exchange.response, 404, '404 page not found\n');
    return;
  }
  const { namespaced } = kind.definition;
  if (namespace !== undefined && !namespaced) throw noSuchResource();
  if (name === undefined) return serveCollection(exchange, kind, target);
  if (namespaced && namespace === undefined) throw noSuchResource();
  const named = { ...target, name };
  if (target.subresource !== undefined) return serveSubresource(exchange, kind, named);
  return serveNamed(exchange, kind, named);
}

async function serveCollection(exchange: Exchange, kind: ServedKind, target: ResourceTarget): Promise<void> {
  const acrossNamespaces = kind.definition.namespaced && target.namespace === undefined;
  switch (exchange.info.verb) {
    case 'list':
      return serveList(exchange, kind, target);
    case 'watch':
      return serveWatch(exchange, kind, target);
    case 'create':
      if (acrossNamespaces) throw methodNotAllowed();
      return create(exchange, kind, target);
    case 'deletecollection':
      if (acrossNamespaces || isNamespaceKind(kind)) throw methodNotAllowed();
      return deleteCollection(exchange, kind, target);
    default:
      throw methodNotAllowed();
  }
}

type NamedTarget = ResourceTarget & { name: string };

async function serveNamed(exchange: Exchange, kind: ServedKind, target: NamedTarget): Promise<void> {
  switch (exchange.info.verb) {
    case 'get':
      return get(exchange, kind, target);
    case 'update':
      return update(exchange, kind, target);
    case 'patch':
      return patchObject(exchange, kind, target);
    case 'delete':
      return remove(exchange, kind, target);
    default:
      throw methodNotAllowed();
  }
}

async function get(exchange: Exchange, kind: ServedKind, { namespace, name }: NamedTarget): Promise<void> {
  const { registry } = exchange.serving;
  const revision = parseRevision(exchange.info.query.get('resourceVersion') ?? '', 'list');
  if (revision > registry.store.revision) await reachRevision(registry, revision);
  const found = kind.bucket.get(storeKey(namespace, name));
  if (!found) throw notFound(kind.definition, name);
  answerObject(exchange, 200, kind, found);
}

async function create(exchange: Exchange, kind: ServedKind, { namespace }: ResourceTarget): Promise<void> {
  const { info, message, serving } = exchange;
  const received = await readBody(message);
  const options = parseWriteOptions(info.query, 'Create', message.headers['user-agent']);
  const body = decodeBody(received, mediaType(message), kind.definition.kind);
  const object = decodeObject(exchange, kind, body, { namespace, name: undefined }, options);
  answerObject(exchange, 201, kind, createObject(serving.registry, kind, namespace, object, options));
}

async function update(exchange: Exchange, kind: ServedKind, target: NamedTarget): Promise<void> {
  const { info, message, serving } = exchange;
  const { namespace, name } = target;
  const { definition, bucket } = kind;
  const received = await readBody(message);
  const options = parseWriteOptions(info.query, 'Update', message.headers['user-agent']);
  const object = decodeObject(
    exchange,
    kind,
    decodeBody(received, mediaType(message), kind.definition.kind),
    target,
    options,
  );
  if (!bucket.get(storeKey(namespace, name)) && definition.createOnUpdate) {
    const { uid } = object.metadata;
    if (uid) throw conflict(definition, name, uidPreconditionMessage(kind, target, uid, ''));
    delete object.metadata.resourceVersion;
    answerObject(exchange, 201, kind, createObject(serving.registry, kind, namespace, object, options));
    return;
  }
  const change = () => ({ object, replaces: true });
  answerObject(exchange, 200, kind, updateObject(serving.registry, kind, target, change, options));
}

async function remove(exchange: Exchange, kind: ServedKind, { namespace, name }: NamedTarget): Promise<void> {
  const options = await readDeleteOptions(exchange);
  const { object, gone } = deleteObject(exchange.serving.registry, kind, namespace, name, options);
  const { definition } = kind;
  if (!gone || definition.returnsDeleted) {
    answerObject(exchange, 200, kind, object);
    return;
  }
  const group = definition.group === '' ? {} : { group: definition.group };
  sendWarnings(exchange, kind);
  sendJson(exchange.response, 200, {
    ...success,
    details: { name, ...group, kind: definition.plural, uid: object.metadata.uid },
  });
}

async function deleteCollection(exchange: Exchange, kind: ServedKind, { namespace }: ResourceTarget): Promise<void> {
  const { info, serving } = exchange;
  const options = await readDeleteOptions(exchange);
  const listOptions = parseListOptions(info.query, false, kind.definition);
  const page = await readPage(serving.registry, kind, namespace, listOptions);
  for (const { object } of page.entries) {
    const name = object.metadata.name ?? '';
    // Somebody else may have deleted it since the list was read.
    if (kind.bucket.get(storeKey(namespace, name))) deleteObject(serving.registry, kind, namespace, name, options);
  }
  sendBuffers(exchange.response, 200, [...encodeList(kind, page)]);
}

async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const received = await readBody(exchange.message);
  const body = received.length === 0 ? undefined : decodeBody(received, mediaType(exchange.message), 'DeleteOptions');
  return parseDeleteOptions(body, exchange.info.query);
}
