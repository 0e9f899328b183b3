import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ClusterShape } from '../support/cluster.ts';

/** A process to measure: how to start it against the API server of a kubeconfig. */
export interface Candidate {
  name: string;
  /** Writes at a time. */
  workers: number;
  start(kubeconfig: string, folder: string): ChildProcess;
}

const root = join(import.meta.dirname, '..', '..');
/** As bin/slicewise.js starts it. */
const runtimeFlags = ['--max-semi-space-size=4'];
const env = {
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'slicewise'),
  MALLOC_ARENA_MAX: '2',
  ...process.env,
};
/** BENCH_MAIN=dist/main.js measures what the images run. */
const main = resolve(process.env.BENCH_MAIN ?? join(root, 'src', 'main.ts'));
/** Upstream's flags too: nobody else to wait for, and no limit but the API server's. */
const unlimited = ['--kube-api-qps=10000', '--kube-api-burst=10000', '--leader-elect=false'];

function node(script: string, args: string[]): ChildProcess {
  return spawn(process.execPath, [...runtimeFlags, script, ...args], { stdio: 'ignore', env });
}

function slicewise(workers: number): Candidate {
  const flags = [...unlimited, `--concurrent-service-endpoint-syncs=${workers}`];
  return {
    name: `slicewise, ${workers} workers`,
    workers,
    start: (kubeconfig) => node(main, ['controller', `--kubeconfig=${kubeconfig}`, ...flags]),
  };
}

function floor(shape: ClusterShape, workers: number): Candidate {
  return {
    name: `floor, ${workers} writes at a time`,
    workers,
    start: (kubeconfig) =>
      node(join(root, 'bench/controller/floor.ts'), [kubeconfig, JSON.stringify(shape), String(workers)]),
  };
}

function upstream(binary: string, workers: number): Candidate {
  return {
    name: `kube-controller-manager, ${workers} workers`,
    workers,
    start: (kubeconfig, folder) =>
      spawn(
        binary,
        [
          `--kubeconfig=${kubeconfig}`,
          '--controllers=endpointslice-controller',
          `--concurrent-service-endpoint-syncs=${workers}`,
          ...unlimited,
          '--bind-address=127.0.0.1',
          '--secure-port=0',
          `--cert-dir=${folder}`,
        ],
        { stdio: 'ignore' },
      ),
  };
}

/** Ours, kube-controller-manager where the folder of KUBEBUILDER_ASSETS holds it, and the floor under both. */
export function candidates(assets: string | undefined, shape: ClusterShape, workers: readonly number[]): Candidate[] {
  const binary = assets === undefined ? '' : join(assets, 'kube-controller-manager');
  return workers.flatMap((n) => [slicewise(n), ...(existsSync(binary) ? [upstream(binary, n)] : []), floor(shape, n)]);
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}
