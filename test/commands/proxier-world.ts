import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { startApiServer } from '../../src/embedded/apiserver/server.ts';
import { realExec } from '../../src/proxy/exec.ts';

/** What the test asserts on; see proxier.test.ts. Runs inside a network namespace of its own, with an API server beside the proxier. */
export interface World {
  clusterIP: string;
  /** iptables-save of table nat after: the first sync, an endpoint that left, the Service that went, the proxier that stopped. */
  saves: Record<'first' | 'left' | 'gone' | 'stopped', string>;
  healthz: number;
  livez: number;
  proxyMode: string;
  metrics: string;
  /** Of the proxier after SIGTERM. */
  exitCode: number | null;
  endedAfterMs: number;
  log: string;
  cleanup: { code: number; nat: string };
}

const flags = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'slicewise-proxier-'));
const main = new URL('../../src/main.ts', import.meta.url).pathname;
await realExec({ command: 'ip', args: ['link', 'set', 'lo', 'up'], timeoutMs: 10_000 });
const server = await startApiServer();
const kubeconfig = join(folder, 'kubeconfig');
await server.writeKubeconfig(kubeconfig);
const agent = new Agent({ connect: { rejectUnauthorized: false } });

async function api(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
  const response = await request(server.url + path, {
    method,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    dispatcher: agent,
  });
  const answer = await response.body.json();
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const slice = (...ips: string[]) => ({
  metadata: { name: 'nginx-svc-a', labels: { 'kubernetes.io/service-name': 'nginx-svc' } },
  addressType: 'IPv4',
  ports: [{ name: '', port: 80, protocol: 'TCP' }],
  endpoints: ips.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
});

const backend = flags[flags.indexOf('--iptables-backend') + 1] ?? 'nft';

async function save(): Promise<string> {
  const { stdout } = await realExec({ command: `iptables-${backend}-save`, args: ['-t', 'nat'], timeoutMs: 10_000 });
  return stdout;
}

async function saveWhen(matches: (text: string) => boolean): Promise<string> {
  for (let i = 0; i < 500; i++) {
    const text = await save();
    if (matches(text)) return text;
    await wait(20);
  }
  throw new Error(`the rules did not come; the log so far:\n${log}`);
}

let log = '';
await api('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
const service = (await api('POST', '/api/v1/namespaces/default/services', {
  metadata: { name: 'nginx-svc' },
  spec: { selector: { app: 'nginx' }, ports: [{ port: 3000, targetPort: 80 }] },
})) as { spec: { clusterIP: string } };
await api('POST', SLICES, slice('10.244.1.2', '10.244.1.3', '10.244.2.2'));

const common = ['--conntrack-max-per-core', '0', '--cluster-cidr', '10.244.0.0/16', ...flags];
// With an address on the Node the wait for one would end at once; a status of its own would need a second request.
const args = [main, 'proxier', '--kubeconfig', kubeconfig, '--hostname-override', 'n1', '--bind-address', '127.0.0.1'];
const node = {
  path: '/api/v1/nodes/n1/status',
  status: { addresses: [{ type: 'InternalIP', address: '192.168.7.2' }] },
};
// Nobody may have to wait for an event, at the end neither.
const held = server.faults.holdNext({ plural: 'events' });
await api('PUT', node.path, { metadata: { name: 'n1' }, status: node.status });
const child = spawn(process.execPath, [...args, ...common], { stdio: ['ignore', 'ignore', 'pipe'] });
child.stderr.setEncoding('utf8').on('data', (text: string) => {
  log += text;
});
const exited = once(child, 'exit');
try {
  const first = await saveWhen((text) => text.includes('10.244.2.2:80'));
  await api('PUT', `${SLICES}/nginx-svc-a`, slice('10.244.1.2', '10.244.1.3'));
  const left = await saveWhen((text) => !text.includes('10.244.2.2:80'));
  await api('DELETE', '/api/v1/namespaces/default/services/nginx-svc');
  const gone = await saveWhen((text) => !text.includes('KUBE-SVC-'));
  const get = async (url: string) => {
    const response = await request(url);
    return { status: response.statusCode, text: await response.body.text() };
  };
  const healthz = await get('http://127.0.0.1:10256/healthz');
  const livez = await get('http://127.0.0.1:10256/livez');
  const proxyMode = await get('http://127.0.0.1:10249/proxyMode');
  const metrics = await get('http://127.0.0.1:10249/metrics');
  const asked = performance.now();
  child.kill('SIGTERM');
  const [exitCode] = (await exited) as [number | null];
  const endedAfterMs = performance.now() - asked;
  const stopped = await save();
  const cleanup = await realExec({
    command: process.execPath,
    args: [main, 'proxier', '--cleanup', ...flags],
    timeoutMs: 30_000,
  });
  const world: World = {
    clusterIP: service.spec.clusterIP,
    saves: { first, left, gone, stopped },
    healthz: healthz.status,
    livez: livez.status,
    proxyMode: proxyMode.text,
    metrics: metrics.text,
    exitCode,
    endedAfterMs,
    log,
    cleanup: { code: cleanup.exitCode, nat: await save() },
  };
  process.stdout.write(JSON.stringify(world));
} finally {
  child.kill('SIGKILL');
  held.release();
  await agent.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
