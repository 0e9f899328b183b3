import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { ClusterAccess } from '../../../src/kube/kubeconfig.ts';

export interface SeenRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Script = (request: SeenRequest, response: ServerResponse, index: number) => unknown;

/** An HTTP server on loopback whose every answer is written by the test. */
export class ScriptedServer {
  readonly url: string;
  readonly requests: SeenRequest[] = [];
  readonly sockets = new Set<Socket>();
  /** Connections accepted so far. */
  connections = 0;
  #server: ReturnType<typeof createServer>;
  #waiting: { count: number; resolve: () => void }[] = [];

  private constructor(server: ReturnType<typeof createServer>, scheme: string) {
    this.#server = server;
    this.url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(script: Script, tls?: ServerOptions): Promise<ScriptedServer> {
    let self: ScriptedServer | undefined;
    const listener: RequestListener = async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://unused');
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const seen: SeenRequest = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      if (!self) throw new Error('request before start');
      const index = self.requests.push(seen) - 1;
      self.#wake();
      await script(seen, response, index);
    };
    const server = tls ? createTlsServer(tls, listener) : createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    self = new ScriptedServer(server, tls ? 'https' : 'http');
    return self;
  }

  /** Resolves once so many requests have arrived in all. */
  seen(count: number): Promise<void> {
    if (this.requests.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  #wake(): void {
    for (const waiter of this.#waiting) if (this.requests.length >= waiter.count) waiter.resolve();
    this.#waiting = this.#waiting.filter((waiter) => this.requests.length < waiter.count);
  }

  /** Breaks every connection without a word. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  access(overrides: Partial<ClusterAccess> = {}): ClusterAccess {
    return accessTo(this.url, overrides);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

export function accessTo(server: string, overrides: Partial<ClusterAccess> = {}): ClusterAccess {
  return {
    server,
    source: 'test',
    namespace: undefined,
    headers: {},
    proxyUrl: undefined,
    tls: () => Promise.resolve({}),
    authorization: () => Promise.resolve(undefined),
    refused: () => false,
    ...overrides,
  };
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A failure as an API server words it. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  more: { headers?: Record<string, string>; details?: object } = {},
): void {
  sendJson(
    response,
    code,
    { kind: 'Status', status: 'Failure', code, reason, message, details: more.details },
    more.headers,
  );
}

/** One line of a watch. */
export function watchLine(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function statusObject(code: number, reason: string, message = reason): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}
