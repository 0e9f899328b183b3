import { type IncomingMessage, ServerResponse } from 'node:http';
import { sleep } from '../../clock.ts';
import { isPublicPath } from './auth.ts';
import { serveDiscovery } from './discovery.ts';
import type { Exchange, Serving } from './exchange.ts';
import { serveOpenApi } from './openapi.ts';
import type { RequestInfo, ResourceTarget } from './request.ts';
import { parseRequest } from './request.ts';
import type { LoggedRequest } from './request-log.ts';
import { serveResource } from './resources.ts';
import { sendError, sendText } from './respond.ts';
import { serveReview } from './reviews.ts';
import { badRequest, StatusError, unauthorized } from './status.ts';

/** Answers one request; never rejects. */
export async function handle(serving: Serving, message: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const info = parse(message);
    if (isPublicPath(info.path)) {
      servePublic(serving, message, response, info);
      return;
    }
    const user = serving.authenticator.userOf(message);
    if (user === undefined) throw unauthorized();
    const exchange: Exchange = { serving, message, response, info, user, warnings: [] };
    if (await serveReview(exchange)) return;
    if (info.resource) await serveLogged(exchange, info, info.resource);
    else if (!serveDiscovery(exchange) && !serveOpenApi(exchange)) sendText(response, 404, '404 page not found\n');
  } catch (error) {
    fail(serving, response, error);
  }
}

function parse(message: IncomingMessage): RequestInfo {
  try {
    return parseRequest(message);
  } catch (error) {
    throw badRequest(`invalid request path: ${String(error)}`);
  }
}

async function serveLogged(exchange: Exchange, info: RequestInfo, target: ResourceTarget): Promise<void> {
  const { message, response, serving } = exchange;
  const entry = logEntry(exchange, info);
  serving.requests.add(entry);
  noteStatus(response, entry);
  const verdict = serving.faults.judge(entry);
  if (verdict.delayMs > 0) await sleep(serving.registry.clock, verdict.delayMs);
  await verdict.held;
  if (verdict.cut) {
    response.destroy();
    return;
  }
  if (verdict.fail) throw verdict.fail;
  if (!verdict.failAfterServing) return serveResource(exchange, target);
  // What the server would have answered goes nowhere.
  await serveResource({ ...exchange, response: new ServerResponse(message) }, target);
  throw verdict.failAfterServing;
}

function noteStatus(response: ServerResponse, entry: LoggedRequest): void {
  const writeHead = response.writeHead.bind(response);
  response.writeHead = (code: number, ...rest: unknown[]) => {
    entry.status = code;
    return Reflect.apply(writeHead, response, [code, ...rest]);
  };
}

function logEntry({ message, user }: Exchange, info: RequestInfo): LoggedRequest {
  const { resource } = info;
  return {
    verb: info.verb,
    group: resource?.group ?? '',
    plural: resource?.plural ?? '',
    subresource: resource?.subresource,
    namespace: resource?.namespace,
    name: resource?.name,
    user,
    userAgent: message.headers['user-agent'] ?? '',
    dryRun: info.query.has('dryRun'),
    status: undefined,
  };
}

function servePublic(serving: Serving, message: IncomingMessage, response: ServerResponse, info: RequestInfo): void {
  if (info.path === '/version' || info.path === '/version/') {
    serveDiscovery({ serving, message, response, info, user: '', warnings: [] });
  } else sendText(response, 200, 'ok');
}

function fail({ logger }: Serving, response: ServerResponse, error: unknown): void {
  if (!(error instanceof StatusError)) logger.error({ err: error }, 'request failed');
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const text = error instanceof Error ? error.message : String(error);
  const internal = () => new StatusError(500, 'InternalError', `Internal error occurred: ${text}`);
  sendError(response, error instanceof StatusError ? error : internal());
}
