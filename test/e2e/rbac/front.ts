import { createServer, type Server } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { Agent, request } from 'undici';
import { generateCertificate } from '../../../src/embedded/apiserver/tls.ts';

/** A server in front of an API server that can keep the news of slices back. */
export interface Front {
  /** PEM */
  caData: string;
  /** Watches of EndpointSlices fall silent until `release`. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

/** Listens on loopback at `port`, and at `socket`, which network namespaces do not keep apart. */
export async function startFront(api: { url: string; caData: string }, port: number, socket: string): Promise<Front> {
  const certificate = await generateCertificate();
  const dispatcher = new Agent({ connect: { ca: api.caData }, headersTimeout: 0, bodyTimeout: 0 });
  let gate = Promise.resolve();
  let release = () => {};

  async function* held(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      await gate;
      yield chunk;
    }
  }

  const listener: Parameters<typeof createServer>[1] = (incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const slices = /\/endpointslices\?.*watch=(1|true)/.test(url);
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort());
    const forward = async () => {
      const { host: _, connection: __, ...rest } = headers;
      const body = method === 'GET' ? null : incoming;
      const reply = await request(`${api.url}${url}`, {
        method: method as 'GET',
        headers: rest,
        body,
        dispatcher,
        signal: gone.signal,
      });
      const { 'transfer-encoding': ___, connection: ____, ...shown } = reply.headers;
      outgoing.writeHead(reply.statusCode, shown as Record<string, string>).flushHeaders();
      await pipeline(slices ? held(reply.body) : reply.body, outgoing);
    };
    // The client has gone, or is to see that the server has.
    forward().catch(() => outgoing.destroy());
  };
  const servers: Server[] = [];
  for (const where of [{ host: '127.0.0.1', port }, { path: socket }]) {
    const server = createServer({ cert: certificate.cert, key: certificate.key }, listener);
    await new Promise<void>((resolve) => server.listen(where, resolve));
    servers.push(server);
  }
  return {
    caData: certificate.ca,
    hold() {
      ({ promise: gate, resolve: release } = Promise.withResolvers<void>());
    },
    release: () => release(),
    async close() {
      release();
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      await dispatcher.destroy();
    },
  };
}
