import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import type { Occurrence } from '../../../src/kube/events.ts';
import { type HttpServerOptions, startHttpServer } from '../../../src/observe/http-server.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import {
  ServiceHealthServers,
  type ServiceHealthServersOptions,
} from '../../../src/proxy/health/service-health-servers.ts';
import type { NodePortMatch } from '../../../src/proxy/node-ports.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const started: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of started.splice(0)) await one.close();
});

/** Servers on which `listen` only writes down what it is asked for; addresses in `taken` cannot be bound. */
function recorded(options: Partial<ServiceHealthServersOptions> = {}) {
  const actions: string[] = [];
  const taken = new Set<string>();
  const events: Occurrence[] = [];
  const clock = new FakeClock();
  const listen = async ({ address }: HttpServerOptions) => {
    const at = `${address.host}:${address.port}`;
    if (taken.has(at)) {
      actions.push(`refused ${at}`);
      throw new Error(`${at} is in use`);
    }
    actions.push(`open ${at}`);
    const close = async () => {
      actions.push(`close ${at}`);
    };
    return { address, close };
  };
  const servers = new ServiceHealthServers({
    family: 'IPv4',
    nodeName: 'n1',
    nodePortMatch: () => ({ all: true }),
    proxyHealthy: () => true,
    record: (event) => events.push(event),
    logger: silentLogger,
    clock,
    listen,
    ...options,
  });
  started.push(servers);
  return { servers, actions, taken, events, clock, take: () => actions.splice(0) };
}

const ports = (desired: Record<string, number>) => new Map(Object.entries(desired));
const noCounts = new Map<string, number>();

describe('health-check node port servers', () => {
  it('open, move and close with the Services', async () => {
    const { servers, take } = recorded();
    await servers.sync(ports({ 'ns/a': 31001, 'ns/b': 31002 }), noCounts);
    expect(take()).toEqual(['open 0.0.0.0:31001', 'open 0.0.0.0:31002']);
    await servers.sync(ports({ 'ns/a': 31001, 'ns/b': 31002 }), noCounts);
    expect(take()).toEqual([]);
    await servers.sync(ports({ 'ns/b': 31001, 'ns/a': 31002 }), noCounts);
    expect(take()).toEqual(['close 0.0.0.0:31001', 'close 0.0.0.0:31002', 'open 0.0.0.0:31001', 'open 0.0.0.0:31002']);
    await servers.sync(ports({ 'ns/a': 31002 }), noCounts);
    expect(take()).toEqual(['close 0.0.0.0:31001']);
    expect(servers.open).toEqual(ports({ 'ns/a': 31002 }));
  });

  it.each<[string, 'IPv4' | 'IPv6', NodePortMatch, string[]]>([
    ['every address', 'IPv6', { all: true }, ['open :::31001']],
    [
      'the addresses that NodePorts answer on',
      'IPv4',
      { all: false, ips: ['10.0.0.2', '10.0.0.1'] },
      ['open 10.0.0.1:31001', 'open 10.0.0.2:31001'],
    ],
    ['no link-local address', 'IPv6', { all: false, ips: ['fe80::1', 'fd00::1'] }, ['open fd00::1:31001']],
    ['nothing where NodePorts answer nowhere', 'IPv4', { all: false, ips: [] }, []],
  ])('listen on %s', async (_what, family, match, expected) => {
    const { servers, actions } = recorded({ family, nodePortMatch: () => match });
    await servers.sync(ports({ 'ns/a': 31001 }), noCounts);
    expect(actions).toEqual(expected);
  });

  it('move when the addresses that NodePorts answer on have changed', async () => {
    let ips = ['10.0.0.1'];
    const { servers, take } = recorded({ nodePortMatch: () => ({ all: false, ips }) });
    await servers.sync(ports({ 'ns/a': 31001 }), noCounts);
    ips = ['10.0.0.2'];
    await servers.sync(ports({ 'ns/a': 31001 }), noCounts);
    expect(take()).toEqual(['open 10.0.0.1:31001', 'close 10.0.0.1:31001', 'open 10.0.0.2:31001']);
  });

  it('listen on all addresses of a Service or on none, and say so once in an event', async () => {
    const match: NodePortMatch = { all: false, ips: ['10.0.0.1', '10.0.0.2'] };
    const { servers, take, taken, events } = recorded({ nodePortMatch: () => match });
    taken.add('10.0.0.2:31001');
    await servers.sync(ports({ 'ns/a': 31001, 'ns/b': 31002 }), noCounts);
    expect(take()).toEqual([
      'open 10.0.0.1:31001',
      'refused 10.0.0.2:31001',
      'close 10.0.0.1:31001',
      'open 10.0.0.1:31002',
      'open 10.0.0.2:31002',
    ]);
    await servers.sync(ports({ 'ns/a': 31001, 'ns/b': 31002 }), noCounts);
    expect(servers.open).toEqual(ports({ 'ns/b': 31002 }));
    expect(events).toEqual([
      {
        type: 'Warning',
        reason: 'FailedToStartServiceHealthcheck',
        action: 'Listen',
        regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'ns', name: 'a' },
        message: 'node n1 failed to start healthcheck "ns/a" on port 31001: 10.0.0.2:31001 is in use',
      },
    ]);
  });

  it('try again at the next sync', async () => {
    const { servers, take, taken } = recorded();
    taken.add('0.0.0.0:31001');
    await servers.sync(ports({ 'ns/a': 31001 }), noCounts);
    taken.clear();
    await servers.sync(ports({ 'ns/a': 31001 }), noCounts);
    expect(take()).toEqual(['refused 0.0.0.0:31001', 'open 0.0.0.0:31001']);
  });

  it('try again every 5 s without a sync, until the port is free or nobody wants it', async () => {
    const { servers, take, taken, clock, events } = recorded();
    taken.add('0.0.0.0:31001').add('0.0.0.0:31002');
    await servers.sync(ports({ 'ns/a': 31001, 'ns/b': 31002 }), noCounts);
    await clock.advance(4_999);
    expect(take()).toEqual(['refused 0.0.0.0:31001', 'refused 0.0.0.0:31002']);
    taken.delete('0.0.0.0:31001');
    await clock.advance(1);
    expect(take()).toEqual(['open 0.0.0.0:31001', 'refused 0.0.0.0:31002']);
    await servers.sync(ports({ 'ns/a': 31001 }), noCounts);
    expect(clock.nextTimerIn).toBeUndefined();
    expect(events).toHaveLength(2);
  });

  it('close all, and open none any more, when told to close', async () => {
    const { servers, take, taken, clock } = recorded();
    taken.add('0.0.0.0:31002');
    const syncing = servers.sync(ports({ 'ns/a': 31001, 'ns/b': 31002 }), noCounts);
    await servers.close();
    await syncing;
    expect(take()).toEqual([]);
    await servers.sync(ports({ 'ns/a': 31001 }), noCounts);
    await settle();
    expect(take()).toEqual([]);
    expect(clock.nextTimerIn).toBeUndefined();
  });
});

describe('over real sockets', () => {
  it('any path and method gets the count of the last sync and the health of the proxy', async () => {
    let healthy = true;
    const bound: { port: number }[] = [];
    // Port 0, so that the kernel picks one that is free.
    const listen = async (options: HttpServerOptions) => {
      const server = await startHttpServer({ ...options, address: { host: '127.0.0.1', port: 0 } });
      bound.push(server.address);
      return server;
    };
    const { servers } = recorded({ listen, proxyHealthy: () => healthy });
    await servers.sync(ports({ 'ns/a': 31001 }), ports({ 'ns/a': 2 }));
    const url = `http://127.0.0.1:${bound[0]?.port}`;

    const first = await request(`${url}/any/path?x`, { method: 'POST' });
    expect(first.statusCode).toBe(200);
    expect(first.headers).toMatchObject({
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      'x-load-balancing-endpoint-weight': '2',
    });
    expect(await first.body.json()).toEqual({
      service: { namespace: 'ns', name: 'a' },
      localEndpoints: 2,
      serviceProxyHealthy: true,
    });

    healthy = false;
    expect((await request(url)).statusCode).toBe(503);
    healthy = true;
    await servers.sync(ports({ 'ns/a': 31001 }), ports({ 'ns/a': 0 }));
    expect((await request(url)).statusCode).toBe(503);
    await servers.sync(ports({}), noCounts);
    await expect(request(url)).rejects.toThrow();
  });
});
