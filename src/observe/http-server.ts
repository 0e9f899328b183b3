import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { UserError } from '../user-error.ts';
import { type BindAddress, formatAddress } from './bind-address.ts';
import type { ServingCertificate } from './serving-certificate.ts';

export interface HttpReply {
  status: number;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
}

/** Answers one request; what it throws becomes a 500 and goes to `onError`. */
export type Route = (request: IncomingMessage, url: URL) => HttpReply | Promise<HttpReply>;

export interface HttpServerOptions {
  /** What the server is for, as it appears in error lines: `healthz`, `metrics`. */
  name: string;
  address: BindAddress;
  /** `::` is not to take IPv4 connections too, so that another server can have the same port there. */
  ipv6Only?: boolean;
  /** Exact path -> route. Everything else is answered by `fallback`, or 404. */
  routes: Record<string, Route>;
  fallback?: Route;
  /** Makes it an HTTPS server. The caller closes the certificate after the server. */
  certificate?: ServingCertificate;
  /** Asked before any route; a reply is a refusal. */
  guard?: (request: IncomingMessage, path: string) => Promise<HttpReply | undefined>;
  onError?: (error: unknown, path: string) => void;
}

export interface RunningHttpServer {
  /** With the port that was really bound. */
  address: BindAddress;
  close(): Promise<void>;
}

export const text = (body: string, status = 200): HttpReply => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
});

export const json = (value: unknown, status = 200): HttpReply => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify(value),
});

/** @throws UserError naming the address when it cannot be bound. */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const server = createListener(options, (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.onError?.(error, request.url ?? '');
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
      response.end('internal error\n');
    });
  });
  await listen(server, options);
  const bound = server.address() as AddressInfo;
  return {
    address: { host: options.address.host, port: bound.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createListener({ certificate }: HttpServerOptions, listener: RequestListener): Server {
  if (!certificate) return createServer(listener);
  const server = createTlsServer({ ...certificate.current, minVersion: 'TLSv1.2' }, listener);
  certificate.onRenewal((pair) => server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' }));
  return server;
}

function listen(server: Server, { name, address, ipv6Only = false }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new UserError(`cannot serve ${name} on ${formatAddress(address)}: ${why}`, { cause: error }));
    });
    server.listen({ host: address.host, port: address.port, ipv6Only }, () => resolve());
  });
}

async function answer(options: HttpServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A request line may hold what is no URL, such as `//`: nobody's path then, but still answered.
  const url = URL.parse(request.url ?? '/', 'http://localhost') ?? new URL('http://localhost/%');
  const route = Object.hasOwn(options.routes, url.pathname) ? options.routes[url.pathname] : options.fallback;
  // Not for what is nobody's path: it would let anybody make us ask about as many as they like.
  const refusal = route && (await options.guard?.(request, url.pathname));
  const reply = refusal ?? (route ? await route(request, url) : text('404 page not found\n', 404));
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(reply.body),
    ...reply.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}
