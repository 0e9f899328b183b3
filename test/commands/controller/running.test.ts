import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestCluster } from '../../endpointslice/support/cluster.ts';
import { ControllerProcess } from './controller-process.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/slicewise-controller';
const quick = [
  '--leader-elect-lease-duration=2s',
  '--leader-elect-renew-deadline=1500ms',
  '--leader-elect-retry-period=200ms',
];

let cluster: TestCluster;
const running: ControllerProcess[] = [];

beforeEach(async () => {
  cluster = await TestCluster.start();
  await cluster.node('node-a');
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((run) => run.stop()));
  await cluster.stop();
});

function start(...args: string[]): ControllerProcess {
  const run = new ControllerProcess([
    `--kubeconfig=${cluster.kubeconfig}`,
    '--metrics-bind-address=127.0.0.1:0',
    ...args,
  ]);
  running.push(run);
  return run;
}

async function page(run: ControllerProcess, path: string) {
  const answer = await fetch(`${await run.pages()}${path}`);
  return { status: answer.status, body: await answer.text() };
}

const holder = async () =>
  ((await cluster.client.request({ method: 'GET', path: LEASE })) as Lease).spec.holderIdentity;

interface Lease {
  spec: { holderIdentity?: string };
}

const sliceWrites = () => cluster.api.requests.writes({ plural: 'endpointslices' }).length;

async function leaseEvents(): Promise<string[]> {
  const list = await cluster.client.request({ method: 'GET', path: '/api/v1/namespaces/kube-system/events' });
  return (list as { items: { message: string }[] }).items.map(({ message }) => message);
}

describe('a replica that waits', () => {
  it('is ready, shows that it does not lead, writes nothing, and takes over a lease that is given back', async () => {
    const first = start(...quick);
    await first.line('controller synced');
    const second = start(...quick);
    await second.line('caches are filled; waiting for the lease');
    expect(await page(second, '/readyz')).toEqual({ status: 200, body: 'ok' });
    expect((await page(second, '/metrics')).body).toContain(
      'leader_election_master_status{name="slicewise-controller"} 0',
    );
    expect((await page(first, '/metrics')).body).toContain(
      'leader_election_master_status{name="slicewise-controller"} 1',
    );
    await cluster.service('web');
    await cluster.pod('web', { name: 'a', ips: ['10.0.0.1'] });
    await eventually(async () => expect(await cluster.endpoints('web')).toEqual(['a']));
    const { identity } = await second.line('controller starting');
    const state = JSON.parse((await page(second, '/debug/state')).body);
    expect(state).toMatchObject({
      leaderElection: { lease: 'kube-system/slicewise-controller', identity, leads: false, holder: await holder() },
      caches: { pods: { synced: true, objects: 1 }, endpointslices: { objects: 1 } },
      queue: { ready: 0, inWork: 0 },
      recentTrouble: [],
    });

    first.kill('SIGTERM');
    expect(await first.exit).toBe(0);
    await second.line('controller synced');
    expect(await holder()).toBe(identity);
    await cluster.pod('web', { name: 'b', ips: ['10.0.0.2'] });
    await eventually(async () => expect(await cluster.endpoints('web')).toEqual(['a', 'b']));
    const { identity: before } = await first.line('controller starting');
    await eventually(async () =>
      expect((await leaseEvents()).sort()).toEqual(
        [`${before} became leader`, `${before} stopped leading`, `${identity} became leader`].sort(),
      ),
    );
  });
});

describe('the end of slicewise controller', () => {
  it('waits for the write in flight, gives the lease back, and is 0', async () => {
    const run = start();
    await run.line('controller synced');
    const hold = cluster.api.faults.holdNext({ verb: 'create', plural: 'endpointslices' });
    await cluster.service('web');
    await cluster.pod('web', { name: 'a', ips: ['10.0.0.1'] });
    await hold.arrived;
    run.kill('SIGTERM');
    await run.line('controller stopping');
    expect((await page(run, '/readyz?verbose')).body).toContain('[-]shutdown failed: the process is shutting down');
    hold.release();
    expect(await run.exit).toBe(0);
    expect(await holder()).toBe('');
    expect(await cluster.slices('web')).toHaveLength(1);
    expect(run.lines.at(-1)?.msg).toBe('controller stopped');
  });

  it('comes within ten seconds, and is 0, when the API server does not answer any more', async () => {
    const run = start();
    await run.line('controller synced');
    cluster.api.faults.delayNext(1000, { userAgent: 'slicewise-controller' }, 60_000);
    await cluster.service('web');
    await cluster.pod('web', { name: 'a', ips: ['10.0.0.1'] });
    await eventually(async () => expect(sliceWrites()).toBe(1));
    run.kill('SIGTERM');
    const asked = performance.now();
    expect(await run.exit).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
  });

  it('is at once and not 0 when the lease is taken from it, in one line', async () => {
    const run = start(...quick);
    await run.line('controller synced');
    const current = (await cluster.client.request({ method: 'GET', path: LEASE })) as Lease;
    const body = { ...current, spec: { ...current.spec, holderIdentity: 'somebody-else' } };
    await cluster.client.request({ method: 'PUT', path: LEASE, body });
    expect(await run.exit).toBe(1);
    expect(run.lines.filter(({ level }) => Number(level) >= 40)).toMatchObject([
      { msg: 'leader election: lease lost', holder: 'somebody-else' },
    ]);
  });
});

describe('a controller without the rights that it needs', () => {
  it('says once what it may not do, is not ready, and goes on once it may', async () => {
    cluster.api.faults.failNext(1000, { plural: 'pods', verb: ['list', 'watch'] }, 403);
    const run = start();
    const line = await run.line('GET /api/v1/pods: pods "" is forbidden: injected fault (403)');
    expect(line).toMatchObject({ level: 40, kind: 'Pod', code: 'FORBIDDEN' });
    await eventually(async () => {
      const { status, body } = await page(run, '/readyz');
      expect(status).toBe(500);
      expect(body).toContain('[-]cache-pods failed: not filled yet: GET /api/v1/pods: pods "" is forbidden');
    });
    expect((await page(run, '/livez')).status).toBe(200);
    const tries = () => cluster.api.requests.count({ plural: 'pods' });
    const before = tries();
    await eventually(async () => expect(tries()).toBeGreaterThan(before));
    expect(run.lines.filter(({ kind }) => kind === 'Pod')).toHaveLength(1);
    cluster.api.faults.clear();
    await run.line('controller synced');
    expect((await page(run, '/readyz')).status).toBe(200);
  }, 60_000);
});

describe('a certificate to serve with', () => {
  it('that cannot be read is one line that names flag and file', async () => {
    const run = start('--secure-port=1', '--tls-cert-file=/does/not/exist', '--tls-private-key-file=/neither');
    expect(await run.exit).toBe(1);
    expect(run.output).toContain('slicewise: --tls-cert-file: cannot read /does/not/exist: ENOENT\n');
  });
});

describe('an address to serve at', () => {
  it.each(['--metrics-bind-address=127.0.0.1:', '--secure-port='])('that is in use is one line: %s', async (flag) => {
    const blocker = createServer().listen(0);
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const run = start(`${flag}${port}`);
    expect(await run.exit).toBe(1);
    expect(run.output).toMatch(
      new RegExp(`^slicewise: cannot serve (metrics|https) on .*:${port}: the port is in use$`, 'm'),
    );
    blocker.close();
  });
});

describe('without leader election', () => {
  it('writes at once and touches no Lease', async () => {
    await cluster.service('web');
    await cluster.pod('web', { name: 'a', ips: ['10.0.0.1'] });
    const run = start('--leader-elect=false');
    await eventually(async () => expect(await cluster.endpoints('web')).toEqual(['a']));
    expect(cluster.api.requests.count({ plural: 'leases' })).toBe(0);
    run.kill('SIGTERM');
    expect(await run.exit).toBe(0);
  });
});

describe('the limit of writes', () => {
  const services = Array.from({ length: 8 }, (_, i) => `service-${i}`);
  const writeServices = async () => {
    for (const service of services) {
      await cluster.service(service);
      await cluster.pod(service, { name: `${service}-a`, ips: ['10.0.0.1'] });
    }
  };

  it('is seen in the metrics, and does not lose a Service', async () => {
    await writeServices();
    const run = start('--kube-api-qps=10', '--kube-api-burst=2');
    await eventually(async () => {
      for (const service of services) expect(await cluster.endpoints(service)).toEqual([`${service}-a`]);
    });
    expect(sliceWrites()).toBe(services.length);
    const { body } = await page(run, '/metrics');
    expect(body).toMatch(/^rest_client_rate_limiter_duration_seconds_count\{verb="POST",host="[^"]+"\} 8$/m);
  });

  it('lets the burst through and no more, when the rate is next to nothing', async () => {
    await writeServices();
    const run = start('--kube-api-qps=0.001', '--kube-api-burst=2');
    // Two are written, the five workers wait with one each, and one has not begun.
    await eventually(async () => {
      expect((await page(run, '/metrics')).body).toContain('workqueue_depth{name="endpoint_slice"} 1\n');
      expect(sliceWrites()).toBe(2);
    });
  });
});
