import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { startApiServer } from '../../src/embedded/apiserver/server.ts';
import type { IptablesBackend } from '../../src/proxy/iptables/backend.ts';
import { ANCHOR_SHAPE, makeNode, makeService, makeSlice } from '../support/cluster.ts';
import { residentMemory } from '../support/process-stats.ts';

/** One proxier process against an API server in this network namespace. Milliseconds and MB. */
export interface ProcessMeasured {
  firstSyncMs: number;
  flipMs: number[];
  flipCpuMs: number;
  rssMb: number;
  peakMb: number;
}

const [candidate = 'slicewise', backendName = 'nft', servicesText = '2000', podsText = '10', flipsText = '8'] =
  process.argv.slice(2);
const backend = backendName as IptablesBackend;
const shape = { ...ANCHOR_SHAPE, services: Number(servicesText), podsPerService: Number(podsText) };
const folder = mkdtempSync(join(tmpdir(), 'slicewise-bench-'));
const METRICS = 'http://127.0.0.1:10249/metrics';

const server = await startApiServer();
const kubeconfig = join(folder, 'kubeconfig');
await server.writeKubeconfig(kubeconfig);
const agent = new Agent({ connect: { rejectUnauthorized: false }, connections: 16 });

async function send(method: 'POST' | 'PUT', path: string, body: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const response = await request(server.url + path, { method, headers, body: JSON.stringify(body), dispatcher: agent });
  const text = await response.body.text();
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
}

const slicesPath = (namespace: string) => `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;

await send('POST', '/api/v1/nodes', makeNode(shape, 0));
for (let i = 0; i < shape.namespaces; i++) {
  await send('POST', '/api/v1/namespaces', { metadata: { name: `ns-${i}` } });
}
for (let i = 0; i < shape.services; i += 16) {
  const batch = Array.from({ length: Math.min(16, shape.services - i) }, (_, k) => i + k);
  await Promise.all(
    batch.flatMap((index) => {
      const service = makeService(shape, index);
      const slice = makeSlice(shape, index);
      return [
        send('POST', `/api/v1/namespaces/${service.metadata.namespace}/services`, service),
        send('POST', slicesPath(slice.metadata.namespace ?? ''), slice),
      ];
    }),
  );
}

function start(): ChildProcess {
  const common = ['--kubeconfig', kubeconfig, '--hostname-override', 'node-000', '--cluster-cidr', '10.128.0.0/9'];
  const quiet = ['--conntrack-max-per-core', '0', '--healthz-bind-address', '127.0.0.1:10256'];
  const stdio = process.env.BENCH_LOGS ? 'inherit' : 'ignore';
  if (candidate === 'slicewise') {
    // BENCH_MAIN=dist/main.js measures what the images run.
    const main = resolve(process.env.BENCH_MAIN ?? new URL('../../src/main.ts', import.meta.url).pathname);
    return spawn(
      process.execPath,
      ['--max-semi-space-size=4', main, 'proxier', ...common, ...quiet, '--iptables-backend', backend],
      { stdio, env: { MALLOC_ARENA_MAX: '2', ...process.env } },
    );
  }
  // kube-proxy drives whatever is called iptables.
  for (const program of ['iptables', 'iptables-save', 'iptables-restore']) {
    for (const family of ['', '6']) {
      const plain = program.replace('ip', `ip${family}`);
      symlinkSync(`/usr/sbin/${plain.replace('tables', `tables-${backend}`)}`, join(folder, plain));
    }
  }
  const args = [...common, ...quiet, '--kube-api-content-type', 'application/json'];
  return spawn(candidate, args, { stdio, env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } });
}

/** Unix milliseconds of the last successful IPv4 sync; 0 before the first. */
async function lastSync(): Promise<number> {
  try {
    const text = await (await fetch(METRICS)).text();
    const found = /^kubeproxy_sync_proxy_rules_last_timestamp_seconds\{ip_family="IPv4"\} (\S+)$/m.exec(text);
    return Number(found?.[1] ?? 0) * 1000;
  } catch {
    // Not listening yet.
    return 0;
  }
}

async function syncedSince(moment: number, limitMs: number): Promise<number> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    const at = await lastSync();
    if (at >= moment) return at;
    await wait(10);
  }
  throw new Error(`no sync within ${limitMs} ms`);
}

/** CPU milliseconds of the process and of the children it has waited for. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]) * 10, 0);
}

const started = Date.now();
const child = start();
const pid = child.pid ?? 0;
try {
  // kube-proxy takes 33 s at 2,000 Services on nft, and grows with the square.
  const limit = 180_000 * Math.max(1, shape.services / 2000) ** 2;
  const firstSyncMs = (await syncedSince(started, limit)) - started;
  await wait(3_000);
  const flipMs: number[] = [];
  let cpu = 0;
  for (let i = 0; i < Number(flipsText); i++) {
    const slice = makeSlice(shape, Math.floor(shape.services / 2));
    const endpoints = i % 2 === 0 ? slice.endpoints.slice(1) : slice.endpoints;
    const before = cpuMs(pid);
    const sent = Date.now();
    await send('PUT', `${slicesPath(slice.metadata.namespace ?? '')}/${slice.metadata.name}`, { ...slice, endpoints });
    flipMs.push((await syncedSince(sent, 60_000)) - sent);
    await wait(1_700);
    cpu += cpuMs(pid) - before;
  }
  const { now, peak } = residentMemory(pid);
  const result: ProcessMeasured = { firstSyncMs, flipMs, flipCpuMs: cpu / flipMs.length, rssMb: now, peakMb: peak };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
  await agent.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
