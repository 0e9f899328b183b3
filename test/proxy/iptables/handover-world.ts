import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { startApiServer } from '../../../src/embedded/apiserver/server.ts';
import { realExec } from '../../../src/proxy/exec.ts';

/** Runs in a network namespace of its own: kube-proxy, then slicewise, then kube-proxy again, on the same cluster. See handover.test.ts. */
export interface Handover {
  /** iptables-save (filter and nat) once each of the three has synced. */
  saves: string[];
  /** The log line of slicewise's first IPv4 sync. */
  synced: Record<string, unknown>;
}

const [kubeProxy = ''] = process.argv.slice(2);
const main = new URL('../../../src/main.ts', import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), 'slicewise-handover-'));
await realExec({ command: 'ip', args: ['link', 'set', 'lo', 'up'], timeoutMs: 10_000 });
const server = await startApiServer();
const kubeconfig = join(folder, 'kubeconfig');
await server.writeKubeconfig(kubeconfig);
const agent = new Agent({ connect: { rejectUnauthorized: false } });

async function post(path: string, body: unknown, method: 'POST' | 'PUT' = 'POST'): Promise<void> {
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const answer = await request(server.url + path, {
    method,
    headers,
    body: JSON.stringify(body),
    dispatcher: agent,
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${path}: ${text}`);
}

await post('/api/v1/nodes', { metadata: { name: 'n1' } });
// Without an address both wait 30 s for one.
const addresses = [{ type: 'InternalIP', address: '192.168.7.2' }];
await post('/api/v1/nodes/n1/status', { metadata: { name: 'n1' }, status: { addresses } }, 'PUT');
const specs = [
  { type: 'ClusterIP' },
  { type: 'NodePort', externalTrafficPolicy: 'Local' },
  { type: 'LoadBalancer', loadBalancerSourceRanges: ['192.0.2.0/24'], sessionAffinity: 'ClientIP' },
  { type: 'ClusterIP', internalTrafficPolicy: 'Local' },
];
for (const [i, spec] of specs.entries()) {
  await post('/api/v1/namespaces/default/services', {
    metadata: { name: `svc-${i}` },
    spec: {
      selector: { app: 'x' },
      ports: [
        { name: 'http', port: 80, protocol: 'TCP' },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
      ...spec,
    },
  });
  // The last one has no endpoints.
  if (i === 3) continue;
  await post('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    metadata: { name: `svc-${i}-a`, labels: { 'kubernetes.io/service-name': `svc-${i}` } },
    addressType: 'IPv4',
    ports: [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: 'dns', port: 5353, protocol: 'UDP' },
    ],
    endpoints: [1, 2, 3].map((n) => ({
      addresses: [`10.244.${i}.${n}`],
      nodeName: n === 1 ? 'n1' : 'n2',
      conditions: { ready: true },
    })),
  });
}

const common = ['--kubeconfig', kubeconfig, '--hostname-override', 'n1', '--cluster-cidr', '10.244.0.0/16'];
const quiet = ['--conntrack-max-per-core', '0', '--bind-address', '127.0.0.1', '--v', '2'];

/** Starts one, waits for its first sync, saves, and stops it the hard way: rules have to survive that. */
async function turn(command: string, args: string[]): Promise<{ save: string; log: string }> {
  const child: ChildProcess = spawn(command, [...args, ...common, ...quiet], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  try {
    for (let i = 0; !(await hasSynced()); i++) {
      if (i > 400) throw new Error(`${command} did not sync:\n${log.slice(-2000)}`);
      await wait(50);
    }
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
  const { stdout } = await realExec({ command: 'iptables-save', args: [], timeoutMs: 10_000 });
  return { save: stdout, log };
}

async function hasSynced(): Promise<boolean> {
  try {
    const page = await (await request('http://127.0.0.1:10249/metrics')).body.text();
    return /^kubeproxy_sync_proxy_rules_last_timestamp_seconds\{ip_family="IPv4"\} [1-9]/m.test(page);
  } catch {
    // Not listening yet.
    return false;
  }
}

try {
  const contentType = ['--kube-api-content-type', 'application/json'];
  const first = await turn(kubeProxy, contentType);
  const ours = await turn(process.execPath, [main, 'proxier']);
  const last = await turn(kubeProxy, contentType);
  const line = ours.log.split('\n').find((l) => l.includes('"msg":"synced"') && l.includes('"IPv4"'));
  const handover: Handover = { saves: [first.save, ours.save, last.save], synced: JSON.parse(line ?? '{}') };
  process.stdout.write(JSON.stringify(handover));
} finally {
  await agent.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
