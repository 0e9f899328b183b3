import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelMeasured } from './proxier/kernel.ts';
import type { ProcessMeasured } from './proxier/process.ts';
import { percentile, printTable } from './support/table.ts';

/**
 * `npm run bench -- proxier [SERVICES [ENDPOINTS [BACKENDS]]]`, BACKENDS being nft, legacy or both with a comma: the proxier's own
 * work beside bare iptables-restore of the same rules, and whole processes against an API server, kube-proxy too when
 * KUBEBUILDER_ASSETS has it (at 5,000 Services of 10 on nft its first sync takes four minutes). Each in a network namespace of its
 * own; root.
 */
const [services = '2000', endpoints = '10', backendList = 'nft,legacy'] = process.argv.slice(2);
const backends = backendList.split(',');
const file = (name: string) => new URL(`./proxier/${name}`, import.meta.url).pathname;
const maxBuffer = 1 << 24;

/** Runs a script in a fresh network namespace and reads what it prints last. */
function inNamespace<T>(script: string, args: string[]): T {
  const line = 'ip link set lo up && exec "$@"';
  const command = ['-n', 'sh', '-c', line, 'sh', process.execPath, file(script), ...args];
  const output = execFileSync('unshare', command, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer,
  });
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as T;
}

for (const backend of backends) {
  const rows = inNamespace<KernelMeasured[]>('kernel.ts', [backend, services, endpoints]);
  printTable(
    `iptables-${backend}, ${services} Services of ${endpoints} endpoints: from the change to the kernel`,
    ['step', 'floor ms', 'ours ms', 'ratio'],
    rows.map(({ step, floorMs, oursMs }) => [step, floorMs, oursMs, (oursMs / floorMs).toFixed(2)]),
  );
}

const kubeProxy = join(process.env.KUBEBUILDER_ASSETS ?? '/nonexistent', 'kube-proxy');
const candidates = [['slicewise', 'slicewise'], ...(existsSync(kubeProxy) ? [['kube-proxy', kubeProxy]] : [])];
const rows: (string | number)[][] = [];
for (const backend of backends) {
  for (const [name = '', candidate = ''] of candidates) {
    const m = inNamespace<ProcessMeasured>('process.ts', [candidate, backend, services, endpoints]);
    const [p50, worst] = [percentile(m.flipMs, 0.5), Math.max(...m.flipMs)];
    rows.push([name, backend, m.firstSyncMs / 1000, p50, worst, m.flipCpuMs, m.rssMb, m.peakMb]);
  }
}
printTable(
  `whole processes, ${services} Services of ${endpoints} endpoints`,
  ['process', 'backend', 'start to synced s', 'flip p50 ms', 'flip max ms', 'CPU a flip ms', 'RSS MB', 'peak MB'],
  rows,
);
if (candidates.length === 1)
  console.log('\nkube-proxy is not measured: KUBEBUILDER_ASSETS does not name a folder that has it');
