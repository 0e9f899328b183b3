import { Registry } from 'prom-client';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { formatAddress } from '../../../src/observe/bind-address.ts';
import { startHttpServer, text } from '../../../src/observe/http-server.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { metricsPages } from '../../../src/proxy/health/metrics-pages.ts';
import { type StatusServerOptions, serveStatus } from '../../../src/proxy/health/status-server.ts';
import { ProxyMetrics } from '../../../src/proxy/metrics.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { loadFile } from '../config/support.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function occupied() {
  const server = await startHttpServer({ name: 'other', address: { host: '127.0.0.1', port: 0 }, routes: {} });
  open.push(server);
  return server;
}

function options(more: Partial<StatusServerOptions> & Pick<StatusServerOptions, 'address'>): StatusServerOptions {
  const routes = { '/healthz': () => text('mine') };
  return { name: 'healthz', routes, hardFail: false, clock: new FakeClock(), logger: silentLogger, ...more };
}

describe('a status server', () => {
  it('serves at once where the address is free', async () => {
    const server = await serveStatus(options({ address: { host: '127.0.0.1', port: 0 } }));
    open.push(server);
    const { address } = server;
    expect(address && (await (await request(`http://${formatAddress(address)}/healthz`)).body.text())).toBe('mine');
  });

  it('tries again every 5 s while the port is in use', async () => {
    const other = await occupied();
    const clock = new FakeClock();
    const server = await serveStatus(options({ address: other.address, clock }));
    open.push(server);
    expect(server.address).toBeUndefined();
    expect(clock.nextTimerIn).toBe(5_000);
    await clock.advance(5_000);
    expect(server.address).toBeUndefined();
    await other.close();
    await clock.advance(5_000);
    while (server.address === undefined) await settle();
    const answer = await request(`http://${formatAddress(other.address)}/healthz`);
    expect(await answer.body.text()).toBe('mine');
    expect(clock.nextTimerIn).toBeUndefined();
  });

  it('fails at once instead when told to', async () => {
    const { address } = await occupied();
    const clock = new FakeClock();
    await expect(serveStatus(options({ address, hardFail: true, clock }))).rejects.toThrow(
      `cannot serve healthz on ${formatAddress(address)}: the port is in use`,
    );
    expect(clock.nextTimerIn).toBeUndefined();
  });

  it('stops trying when closed', async () => {
    const { address } = await occupied();
    const clock = new FakeClock();
    const server = await serveStatus(options({ address, clock }));
    await server.close();
    expect(clock.nextTimerIn).toBeUndefined();
  });
});

describe('the pages on metricsBindAddress', () => {
  it('are those of kube-proxy', async () => {
    const registry = new Registry();
    new ProxyMetrics(registry).healthAnswered('healthz', 503);
    const routes = metricsPages(registry, loadFile('clusterCIDR: 10.0.0.0/8').config);
    const server = await serveStatus(options({ name: 'metrics', address: { host: '127.0.0.1', port: 0 }, routes }));
    open.push(server);
    const get = async (path: string) => {
      const { statusCode, headers, body } = await request(`http://127.0.0.1:${server.address?.port}${path}`);
      return [statusCode, headers['content-type'], headers['x-content-type-options'], await body.text()];
    };
    expect(await get('/healthz')).toEqual([200, 'text/plain; charset=utf-8', 'nosniff', 'ok']);
    expect(await get('/proxyMode')).toEqual([200, 'text/plain; charset=utf-8', 'nosniff', 'iptables']);
    const [status, type, , body] = await get('/configz');
    expect([status, type]).toEqual([200, 'application/json']);
    expect(JSON.parse(String(body))).toMatchObject({
      'kubeproxy.config.k8s.io': { kind: 'KubeProxyConfiguration', clusterCIDR: '10.0.0.0/8' },
    });
    const metrics = await get('/metrics');
    expect(metrics[1]).toContain('text/plain; version=0.0.4');
    expect(metrics[3]).toContain('kubeproxy_proxy_healthz_total{code="503"} 1');
    expect((await get('/'))[0]).toBe(404);
  });
});
