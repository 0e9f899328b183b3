import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { generateCertificate } from '../../src/embedded/apiserver/tls.ts';
import { createKubeClient, type SeverableClient } from '../../src/kube/http-client.ts';
import type { ClusterAccess } from '../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../src/observe/logger.ts';

const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A server that takes connections and never answers. */
async function mute(certificate?: {
  cert: string;
  key: string;
}): Promise<{ port: number; connection: Promise<Socket> }> {
  const server: Server = createServer();
  const connection = new Promise<Socket>((resolve) => {
    server.on('connection', (socket) => {
      open.push(() => socket.destroy());
      socket.on('error', () => undefined);
      const spoken = certificate ? new TLSSocket(socket, { isServer: true, ...certificate }) : socket;
      spoken.on('error', () => undefined);
      spoken.once('data', () => resolve(spoken));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => server.close());
  const address = server.address();
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, connection };
}

function clientOf(server: string, ca?: string, beforeSend?: () => void): SeverableClient {
  const access: ClusterAccess = {
    server,
    source: 'test',
    namespace: undefined,
    headers: {},
    proxyUrl: undefined,
    tls: async () => (ca === undefined ? {} : { ca }),
    authorization: async () => undefined,
    refused: () => false,
  };
  const client = createKubeClient(access, {
    userAgent: 'test',
    logger: silentLogger,
    ...(beforeSend && { beforeSend }),
  });
  open.push(() => void client.close());
  return client;
}

describe('a client that is severed', () => {
  it.each(['http', 'https'])('resets its %s connections and fails what is in flight', async (scheme) => {
    const certificate = scheme === 'https' ? await generateCertificate() : undefined;
    const { port, connection } = await mute(certificate);
    const client = clientOf(`${scheme}://127.0.0.1:${port}`, certificate?.ca);
    const call = client.request({ method: 'POST', path: '/x', body: {} });
    const failed = expect(call).rejects.toMatchObject({ code: 'UNREACHABLE' });
    const socket = await connection;
    // An ordinary close would be seen as the end of the stream, after everything that was still to be sent.
    const reset = once(socket, 'error');
    // Not within the server's own handling of the request: they share a process here.
    await new Promise((resolve) => setImmediate(resolve));
    client.sever();
    await failed;
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
    await expect(client.request({ method: 'GET', path: '/y' })).rejects.toThrow('is closed');
  });
});

describe('a call that cannot connect', () => {
  it('ends when its caller gives it up, not when connecting is given up', async () => {
    // TCP connects, but nobody there speaks TLS.
    const { port } = await mute();
    const client = clientOf(`https://127.0.0.1:${port}`, (await generateCertificate()).ca);
    const giveUp = new AbortController();
    const call = client.request({ method: 'GET', path: '/x', signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), 50);
    const startedAt = performance.now();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await expect(client.request({ method: 'GET', path: '/x', timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    // Connecting is given up after ten.
    expect(performance.now() - startedAt).toBeLessThan(8000);
  });
});

describe('the last word before a request is sent', () => {
  it('is asked after everything else, and its refusal is the failure of the call', async () => {
    const { port, connection } = await mute();
    let arrived = false;
    void connection.then(() => {
      arrived = true;
    });
    const refusal = new DOMException('this replica does not lead', 'AbortError');
    const asked: string[] = [];
    const client = clientOf(`http://127.0.0.1:${port}`, undefined, () => {
      asked.push('asked');
      throw refusal;
    });
    await expect(client.request({ method: 'PUT', path: '/x', body: {} })).rejects.toBe(refusal);
    expect({ asked, arrived }).toEqual({ asked: ['asked'], arrived: false });
  });
});
