import { Agent, request } from 'undici';
import { afterEach } from 'vitest';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../../../src/embedded/apiserver/server.ts';

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: unknown;
}

export interface Client {
  server: ApiServer;
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Reply>;
  /** The raw response of a long request. */
  open(path: string): ReturnType<typeof request>;
}

const stops: (() => Promise<void>)[] = [];

/** Starts a server that ends with the test, with a client for it. */
export async function startServer(options: ApiServerOptions = {}): Promise<Client> {
  const server = await startApiServer({ tls: false, ...options });
  const dispatcher = new Agent({ connect: server.caData === undefined ? {} : { ca: server.caData } });
  stops.push(async () => {
    await dispatcher.destroy();
    await server.stop();
  });
  const headers = { authorization: `Bearer ${server.token}`, 'user-agent': 'unit/1' };
  return {
    server,
    async call(method, path, body) {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const response = await request(new URL(path, server.url), {
        method,
        dispatcher,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await response.body.text();
      const json = text.startsWith('{');
      return { status: response.statusCode, headers: response.headers, body: json ? JSON.parse(text) : text };
    },
    open: (path) => request(new URL(path, server.url), { dispatcher, headers }),
  };
}

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
