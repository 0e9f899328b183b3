import { existsSync } from 'node:fs';
import { Client, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { formatAddress, isLoopback, parseBindAddress } from '../../src/observe/bind-address.ts';
import { json, type RunningHttpServer, startHttpServer, text } from '../../src/observe/http-server.ts';

const open: RunningHttpServer[] = [];
const loopback = { host: '127.0.0.1', port: 0 };

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serve(options: Partial<Parameters<typeof startHttpServer>[0]> = {}): Promise<string> {
  const server = await startHttpServer({ name: 'test', address: loopback, routes: {}, ...options });
  open.push(server);
  return `http://${formatAddress(server.address)}`;
}

describe('a bind address', () => {
  it.each([
    ['0.0.0.0', { host: '0.0.0.0', port: 10256 }],
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['[::]:10249', { host: '::', port: 10249 }],
    ['::1', { host: '::1', port: 10256 }],
  ])('%s is understood', (value, expected) => {
    expect(parseBindAddress('healthzBindAddress', value, 10256)).toEqual(expected);
  });

  it.each(['', 'localhost:80', '10.0.0:80', '1.2.3.4:99999', '1.2.3.4:x'])(
    '"%s" is refused with the field and the value',
    (value) => {
      expect(() => parseBindAddress('metricsBindAddress', value, 1)).toThrow(/metricsBindAddress.*"/);
    },
  );

  it('knows loopback from the rest', () => {
    expect(isLoopback({ host: '::1', port: 1 })).toBe(true);
    expect(isLoopback({ host: '0.0.0.0', port: 1 })).toBe(false);
  });
});

describe('the observe server', () => {
  it('answers routes, falls back, and says 404 otherwise', async () => {
    const url = await serve({ routes: { '/metrics': () => text('a 1\n'), '/state': async () => json({ a: 1 }, 503) } });
    const metrics = await request(`${url}/metrics?x=y`);
    expect([metrics.statusCode, await metrics.body.text()]).toEqual([200, 'a 1\n']);
    expect(metrics.headers['x-content-type-options']).toBe('nosniff');
    const state = await request(`${url}/state`);
    expect([state.statusCode, await state.body.json()]).toEqual([503, { a: 1 }]);
    expect((await request(`${url}/toString`)).statusCode).toBe(404);
  });

  it('turns an exception into a 500 and reports it', async () => {
    const seen: unknown[] = [];
    const boom = () => {
      throw new Error('boom');
    };
    const url = await serve({ routes: { '/': boom }, onError: (error, path) => seen.push([String(error), path]) });
    expect((await request(`${url}/`)).statusCode).toBe(500);
    expect(seen).toEqual([['Error: boom', '/']]);
  });

  it('answers a request line that is no URL as any unknown path', async () => {
    const url = await serve({ routes: { '/': () => text('root') }, fallback: () => text('fallback') });
    const client = new Client(url);
    const answer = await client.request({ path: '//', method: 'GET' });
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'fallback']);
    await client.close();
  });

  const hasIPv6 = existsSync('/proc/net/if_inet6');
  if (!hasIPv6) console.log('SKIPPED: listening on IPv6 only, because this machine has no IPv6');

  it.skipIf(!hasIPv6)('leaves IPv4 to others when told to listen on IPv6 only', async () => {
    const all = await startHttpServer({ name: 'a', address: { host: '0.0.0.0', port: 0 }, routes: {} });
    open.push(all);
    const address = { host: '::', port: all.address.port };
    open.push(await startHttpServer({ name: 'b', address, ipv6Only: true, routes: {} }));
    await expect(startHttpServer({ name: 'c', address, routes: {} })).rejects.toThrow('the port is in use');
  });

  it('names the address when the port is in use', async () => {
    const url = new URL(await serve());
    const address = { host: '127.0.0.1', port: Number(url.port) };
    await expect(startHttpServer({ name: 'metrics', address, routes: {} })).rejects.toThrow(
      `cannot serve metrics on 127.0.0.1:${url.port}: the port is in use`,
    );
  });
});
