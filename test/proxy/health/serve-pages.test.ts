import { Registry } from 'prom-client';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import type { Occurrence } from '../../../src/kube/events.ts';
import type { Node } from '../../../src/objects/node.ts';
import { type HttpServerOptions, type RunningHttpServer, startHttpServer } from '../../../src/observe/http-server.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { familyStatus } from '../../../src/proxy/health/family-status.ts';
import { ProxyHealthTracker } from '../../../src/proxy/health/proxy-health.ts';
import { serveProxyPages } from '../../../src/proxy/health/serve-pages.ts';
import { ProxyMetrics } from '../../../src/proxy/metrics.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { loadFile } from '../config/support.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

/** Pages on loopback, on ports that the kernel picks; `bound` has what was asked for and what it became. */
async function serve(body: string, { refuse }: { refuse?: string } = {}) {
  const clock = new FakeClock();
  const registry = new Registry();
  const health = new ProxyHealthTracker(clock, 30_000);
  const events: Occurrence[] = [];
  const bound = new Map<string, RunningHttpServer>();
  const closed: string[] = [];
  let node: Node | undefined = { metadata: { name: 'n1' }, spec: {}, status: {} };
  const listen = async (options: HttpServerOptions) => {
    const asked = `${options.name} ${options.address.host} ${options.address.port}`;
    if (options.name === refuse) throw new Error('the port is in use');
    const server = await startHttpServer({ ...options, address: { host: '127.0.0.1', port: 0 } });
    bound.set(asked, server);
    const close = async () => {
      closed.push(asked);
      await server.close();
    };
    return { ...server, close };
  };
  const serving = serveProxyPages({
    config: loadFile(body).config,
    nodeName: 'n1',
    registry,
    metrics: new ProxyMetrics(registry),
    health,
    node: () => node,
    record: (event) => events.push(event),
    clock,
    logger: silentLogger,
    listen,
  });
  const get = async (asked: string, path: string) => {
    const answer = await request(`http://127.0.0.1:${bound.get(asked)?.address.port}${path}`);
    return { status: answer.statusCode, body: await answer.body.text() };
  };
  const losesNode = () => {
    node = undefined;
  };
  return { serving, clock, health, events, bound, closed, get, losesNode };
}

const HEALTHZ = 'healthz 0.0.0.0 10256';
const METRICS = 'metrics 127.0.0.1 10249';

describe("the proxy's pages", () => {
  it('are served where the configuration says, and follow health and node', async () => {
    const { serving, clock, health, bound, get, losesNode } = await serve('');
    open.push(await serving);
    expect([...bound.keys()]).toEqual([HEALTHZ, METRICS]);
    health.updated('IPv4');
    expect((await get(HEALTHZ, '/healthz')).status).toBe(200);
    losesNode();
    expect((await get(HEALTHZ, '/healthz')).status).toBe(503);
    expect((await get(HEALTHZ, '/livez')).status).toBe(200);
    health.queuedUpdate('IPv4');
    await clock.advance(60_000);
    expect((await get(HEALTHZ, '/livez')).status).toBe(503);
    const { body } = await get(METRICS, '/metrics');
    expect(body).toContain('kubeproxy_proxy_healthz_total{code="200"} 1');
    expect(body).toContain('kubeproxy_proxy_healthz_total{code="503"} 1');
    expect(body).toContain('kubeproxy_proxy_livez_total{code="503"} 1');
  });

  it('may be on IPv6, or with leading zeros', async () => {
    const { serving, bound } = await serve('bindAddress: "::"\nmetricsBindAddress: 127.000.0.01:80');
    open.push(await serving);
    expect([...bound.keys()]).toEqual(['healthz :: 10256', 'metrics 127.0.0.1 80']);
  });

  it('that cannot be bound end the process with an event, when told to, and leave nothing open', async () => {
    const { serving, events, bound, closed } = await serve('bindAddressHardFail: true', { refuse: 'metrics' });
    await expect(serving).rejects.toThrow('the port is in use');
    expect(closed).toEqual([...bound.keys()]);
    expect(events).toEqual([
      {
        type: 'Warning',
        reason: 'FailedToStartMetricServer',
        action: 'StartKubeProxy',
        regarding: { apiVersion: 'v1', kind: 'Node', name: 'n1' },
        message: 'the port is in use',
      },
    ]);
  });
});

describe('the status of one family', () => {
  it('counts a first sync that does not come against the health of the proxy', async () => {
    const clock = new FakeClock();
    const health = new ProxyHealthTracker(clock, 30_000);
    const synced: unknown[] = [];
    const status = familyStatus('IPv4', health, { sync: async (...args) => void synced.push(args) });
    status.started();
    status.queued();
    await clock.advance(60_000);
    expect(health.health().healthy).toBe(false);
    status.synced({ servicePorts: new Map(), endpoints: new Map() });
    expect(health.health().healthy).toBe(true);
    expect(synced).toEqual([[new Map(), new Map()]]);
  });
});
