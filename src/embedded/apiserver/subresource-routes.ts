import { answerObject } from './answer.ts';
import { decodeBody, mediaType, readBody } from './body.ts';
import { decodeObject } from './decode.ts';
import { parseDeleteOptions } from './delete.ts';
import type { Exchange } from './exchange.ts';
import { isRecord, type JsonRecord } from './json.ts';
import { invalid as invalidValue } from './kinds/validation/causes.ts';
import { finalizeNamespace, isNamespaceKind } from './namespaces.ts';
import { patchObject, patchScale } from './patch/index.ts';
import type { ServedKind } from './registry.ts';
import type { ResourceTarget } from './request.ts';
import { sendJson } from './respond.ts';
import { answerScale, withScale } from './scale.ts';
import { badRequest, invalid, methodNotAllowed, noSuchResource, notFound, StatusError } from './status.ts';
import { storeKey } from './store.ts';
import { bindPod, evictPod } from './subresources.ts';
import { updateObject } from './update.ts';
import { parseWriteOptions } from './write-options.ts';

type NamedTarget = ResourceTarget & { name: string };

/** Answers a request to a part of an object that is served by itself. @throws StatusError */
export async function serveSubresource(exchange: Exchange, kind: ServedKind, target: NamedTarget): Promise<void> {
  const { subresources } = kind.definition;
  switch (target.subresource) {
    case 'status':
      if (subresources.includes('status')) return serveStatus(exchange, kind, target);
      break;
    case 'scale':
      if (subresources.includes('scale')) return serveScale(exchange, kind, target);
      break;
    case 'binding':
    case 'eviction':
      if (subresources.includes('binding')) return servePodCommand(exchange, kind, target);
      break;
    case 'finalize':
      if (isNamespaceKind(kind)) return serveFinalize(exchange, kind, target);
      break;
  }
  throw notServed(kind, target);
}

/** Subresources that the real server has and this one does not. */
const unserved: Record<string, readonly string[]> = {
  pods: ['attach', 'ephemeralcontainers', 'exec', 'log', 'portforward', 'proxy', 'resize'],
  services: ['proxy'],
  nodes: ['proxy'],
  serviceaccounts: ['token'],
};

function notServed({ definition }: ServedKind, { subresource = '' }: NamedTarget): Error {
  const { group, plural } = definition;
  const [name = ''] = subresource.split('/');
  if (group !== '' || !unserved[plural]?.includes(name)) return noSuchResource();
  const why = plural === 'pods' ? ': there are no containers behind its Pods' : '';
  return new StatusError(404, 'NotFound', `the embedded API server does not serve ${plural}/${name}${why}`, {});
}

async function serveStatus(exchange: Exchange, kind: ServedKind, target: NamedTarget): Promise<void> {
  const { info, message, serving } = exchange;
  switch (info.verb) {
    case 'get':
      return answerObject(exchange, 200, kind, stored(kind, target));
    case 'patch':
      return patchObject(exchange, kind, target);
    case 'update': {
      const received = await readBody(message);
      const options = parseWriteOptions(info.query, 'Update', message.headers['user-agent']);
      const object = decodeObject(
        exchange,
        kind,
        decodeBody(received, mediaType(message), kind.definition.kind),
        target,
        options,
      );
      const change = () => ({ object, replaces: true });
      return answerObject(exchange, 200, kind, updateObject(serving.registry, kind, target, change, options));
    }
    default:
      throw methodNotAllowed();
  }
}

async function serveScale(exchange: Exchange, kind: ServedKind, target: NamedTarget): Promise<void> {
  const { info, message, serving } = exchange;
  switch (info.verb) {
    case 'get':
      return answerScale(exchange, stored(kind, target));
    case 'patch':
      return patchScale(exchange, kind, target);
    case 'update': {
      const scale = decodeBody(await readBody(message), mediaType(message), 'Scale');
      const options = parseWriteOptions(info.query, 'Update', message.headers['user-agent']);
      const change = (before: Parameters<typeof withScale>[0]) => ({
        object: withScale(before, scale),
        replaces: true,
      });
      return answerScale(exchange, updateObject(serving.registry, kind, target, change, options));
    }
    default:
      throw methodNotAllowed();
  }
}

async function servePodCommand(exchange: Exchange, kind: ServedKind, target: NamedTarget): Promise<void> {
  const { info, message, response, serving } = exchange;
  if (info.verb !== 'create') throw methodNotAllowed();
  const { namespace, name, subresource } = target;
  const command = decodeBody(await readBody(message), mediaType(message), subresource ?? '');
  const metadata: JsonRecord = isRecord(command.metadata) ? command.metadata : {};
  if (subresource === 'binding') {
    return sendJson(response, 201, bindPod(serving.registry, kind, namespace, name, command));
  }
  if (metadata.name !== name) throw badRequest('name in URL does not match name in Eviction object');
  const options = parseDeleteOptions(command.deleteOptions ?? {}, info.query);
  return sendJson(response, 201, evictPod(serving.registry, kind, namespace, name, options));
}

async function serveFinalize(exchange: Exchange, kind: ServedKind, target: NamedTarget): Promise<void> {
  const { info, message } = exchange;
  if (info.verb !== 'update') throw methodNotAllowed();
  const options = parseWriteOptions(info.query, 'Update', message.headers['user-agent']);
  const body = decodeBody(await readBody(message), mediaType(message), kind.definition.kind);
  const { spec } = decodeObject(exchange, kind, body, target, options);
  const finalizers = isRecord(spec) && Array.isArray(spec.finalizers) ? spec.finalizers.map(String) : [];
  const causes = finalizers.flatMap((finalizer, i) => {
    if (finalizer === 'kubernetes' || finalizer.split('/').length === 2) return [];
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    return [invalidValue(`spec.finalizers[${i}]`, finalizer, why)];
  });
  if (causes.length > 0) throw invalid(kind.definition, target.name, causes);
  answerObject(exchange, 200, kind, finalizeNamespace(kind, target.name, finalizers));
}

function stored(kind: ServedKind, { namespace, name }: NamedTarget) {
  const found = kind.bucket.get(storeKey(namespace, name));
  if (!found) throw notFound(kind.definition, name);
  return found;
}
