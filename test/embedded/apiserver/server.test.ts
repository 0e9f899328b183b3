import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { startServer } from './support.ts';

interface Kubeconfig {
  clusters: { cluster: Record<string, string> }[];
  users: { user: Record<string, string> }[];
}

describe('the embedded API server', () => {
  it('serves HTTPS with a certificate of its own CA, for loopback and the given names', async () => {
    const { server, call } = await startServer({ tls: true, extraNames: ['192.0.2.7', 'cluster.example'] });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect((await call('GET', '/api/v1/namespaces/default')).status).toBe(200);
    for (const servername of ['localhost', 'cluster.example']) {
      const dispatcher = new Agent({ connect: { ca: server.caData ?? '', servername } });
      const { statusCode, body } = await request(`${server.url}/healthz`, { dispatcher });
      expect([statusCode, await body.text()]).toEqual([200, 'ok']);
      await dispatcher.destroy();
    }
    const other = new Agent({ connect: { ca: server.caData ?? '', servername: 'elsewhere.example' } });
    await expect(request(`${server.url}/healthz`, { dispatcher: other })).rejects.toThrow(/altnames/);
    await other.destroy();
  });

  it('knows its users by their tokens', async () => {
    const { server } = await startServer({ token: 'admin', users: { 'token-of-kubelet': 'system:node:n1' } });
    expect(server.token).toBe('admin');
    const as = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const { statusCode, body } = await request(`${server.url}/api/v1/pods`, { headers });
      await body.dump();
      return statusCode;
    };
    expect(await as('admin')).toBe(200);
    expect(await as('token-of-kubelet')).toBe(200);
    expect(server.requests.matching({ plural: 'pods' }).map(({ user }) => user)).toEqual([
      'slicewise-admin',
      'system:node:n1',
    ]);
    expect(await as('nobody')).toBe(401);
    const anonymous = await request(`${server.url}/api/v1/pods`);
    expect(anonymous.statusCode).toBe(401);
    expect(await anonymous.body.json()).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
  });

  it('makes up a token when none is given', async () => {
    const [one, two] = [await startServer(), await startServer()];
    expect(one.server.token).toMatch(/^[\w-]{32}$/);
    expect(one.server.token).not.toBe(two.server.token);
  });

  it('writes a kubeconfig that only its owner can read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slicewise-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { server } = await startServer({ tls: true });
    const path = join(folder, 'deep', 'kubeconfig');
    await server.writeKubeconfig(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const config: Kubeconfig = parse(await readFile(path, 'utf8'));
    expect(config.clusters[0]?.cluster).toEqual({
      server: server.url,
      'certificate-authority-data': Buffer.from(server.caData ?? '').toString('base64'),
    });
    expect(config.users[0]?.user).toEqual({ token: server.token });
    const elsewhere: Kubeconfig = parse(server.kubeconfig('https://10.0.0.1:6443'));
    expect(elsewhere.clusters[0]?.cluster.server).toBe('https://10.0.0.1:6443');
  });

  it('says which address is in use', async () => {
    const { server } = await startServer();
    const port = Number(new URL(server.url).port);
    await expect(startServer({ port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the address is already in use`,
    );
  });

  it('serves listeners that were made elsewhere', async () => {
    const { server } = await startServer({ tls: true });
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const address = listener.address();
    await server.addServer(listener);
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const dispatcher = new Agent({ connect: { ca: server.caData ?? '' } });
    const { statusCode, body } = await request(`https://127.0.0.1:${port}/readyz`, { dispatcher });
    expect([statusCode, await body.text()]).toEqual([200, 'ok']);
    await dispatcher.destroy();
  });

  it('ends open watches when it stops', async () => {
    const { server, open } = await startServer();
    const watch = await open('/api/v1/pods?watch=1');
    await server.stop();
    await expect(watch.body.text()).resolves.toBe('');
  });

  it('starts with what a kube-apiserver creates, and creates its Service again', async () => {
    const { call } = await startServer({ kindOptions: { serviceCIDRs: ['10.20.0.0/24'] } });
    const service = await call('GET', '/api/v1/namespaces/default/services/kubernetes');
    expect(service.body).toMatchObject({ spec: { clusterIP: '10.20.0.1', ports: [{ name: 'https', port: 443 }] } });
    const cidr = await call('GET', '/apis/networking.k8s.io/v1/servicecidrs/kubernetes');
    expect(cidr.body).toMatchObject({ spec: { cidrs: ['10.20.0.0/24'] } });
    await call('DELETE', '/api/v1/namespaces/default/services/kubernetes');
    const again = await call('GET', '/api/v1/namespaces/default/services/kubernetes');
    expect(again.status).toBe(200);
  });

  it('gives its Service the endpoint at which Pods reach it', async () => {
    const { call } = await startServer({ advertise: { address: '172.18.0.2', port: 6443 } });
    const slice = await call('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes');
    expect(slice.body).toMatchObject({
      addressType: 'IPv4',
      endpoints: [{ addresses: ['172.18.0.2'], conditions: { ready: true } }],
      ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
    });
    const endpoints = await call('GET', '/api/v1/namespaces/default/endpoints/kubernetes');
    expect(endpoints.body).toMatchObject({ subsets: [{ addresses: [{ ip: '172.18.0.2' }] }] });
  });

  it('can be left without garbage collection', async () => {
    const { server, call } = await startServer({ garbageCollection: false });
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'never' };
    const path = '/api/v1/namespaces/default/configmaps';
    await call('POST', path, { metadata: { name: 'a', ownerReferences: [owner] } });
    await call('POST', path, { metadata: { name: 'b' } });
    expect((await call('GET', `${path}/a`)).status).toBe(200);
    expect(server.requests.writes().map(({ verb, name }) => [verb, name])).toEqual([
      ['create', undefined],
      ['create', undefined],
    ]);
  });

  it('a client that does not read is cut off and delays nobody', async () => {
    const { server, call, open } = await startServer();
    const path = '/api/v1/namespaces/default/configmaps';
    const slow = await open(`${path}?watch=1`);
    slow.body.pause();
    slow.body.on('error', () => {});
    const closed = new Promise((resolve) => slow.body.once('close', resolve));
    const data = { big: 'x'.repeat(900_000) };
    await call('POST', path, { metadata: { name: 'a' }, data });
    // More than a watch may have waiting (64 MiB), on top of what sockets take.
    for (let i = 0; i < 90; i++) {
      expect((await call('PATCH', `${path}/a`, { metadata: { labels: { i: String(i) } } })).status).toBe(200);
    }
    let events = 0;
    slow.body.on('data', (part: Buffer) => {
      events += part.filter((byte) => byte === 0x0a).length;
    });
    slow.body.resume();
    await closed;
    expect(events).toBeGreaterThan(0);
    expect(events).toBeLessThan(91);
    expect(server.requests.count({ verb: 'patch' })).toBe(90);
  });
});
