import { afterEach, describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/observe/bind-address.ts';
import { type HealthCheck, healthRoutes, ping } from '../../src/observe/health-checks.ts';
import { type RunningHttpServer, startHttpServer } from '../../src/observe/http-server.ts';

const open: RunningHttpServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serve(checks: HealthCheck[], showReasons = true) {
  const server = await startHttpServer({
    name: 'test',
    address: { host: '127.0.0.1', port: 0 },
    routes: healthRoutes({ page: 'readyz', checks, showReasons }),
  });
  open.push(server);
  return async (path: string) => {
    const answer = await fetch(`http://${formatAddress(server.address)}${path}`);
    return [answer.status, await answer.text()];
  };
}

const problems: Record<string, string | undefined> = {};
const pods: HealthCheck = { name: 'cachePods', problem: () => problems.pods };

describe('a health page', () => {
  it('says ok, and with verbose what was looked at', async () => {
    problems.pods = undefined;
    const get = await serve([ping, pods]);
    expect(await get('/readyz')).toEqual([200, 'ok']);
    expect(await get('/readyz?verbose')).toEqual([200, '[+]ping ok\n[+]cachePods ok\nreadyz check passed\n']);
    expect(await get('/readyz/cachePods')).toEqual([200, 'ok']);
    expect((await get('/readyz/other'))[0]).toBe(404);
  });

  it('names what fails, with the reason for those who may know', async () => {
    problems.pods = 'not filled yet';
    const get = await serve([ping, pods]);
    expect(await get('/readyz')).toEqual([
      500,
      '[+]ping ok\n[-]cachePods failed: not filled yet\nreadyz check failed\n',
    ]);
    expect(await get('/readyz/cachePods')).toEqual([500, 'internal server error: not filled yet\n']);
    const outside = await serve([ping, pods], false);
    expect(await outside('/readyz')).toEqual([
      500,
      '[+]ping ok\n[-]cachePods failed: reason withheld\nreadyz check failed\n',
    ]);
  });

  it('leaves out what it is told to, and warns of what it does not know', async () => {
    problems.pods = 'not filled yet';
    const get = await serve([ping, pods]);
    expect(await get('/readyz?exclude=cachePods')).toEqual([200, 'ok']);
    expect(await get('/readyz?verbose&exclude=cachePods&exclude=etcd')).toEqual([
      200,
      '[+]ping ok\n[+]cachePods excluded: ok\n' +
        'warn: some health checks cannot be excluded: no matches for "etcd"\nreadyz check passed\n',
    ]);
  });
});
