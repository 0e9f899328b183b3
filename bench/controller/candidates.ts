import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A controller to measure: how to start it against the API server of a kubeconfig. */
export interface Candidate {
  name: string;
  start(kubeconfig: string, folder: string): ChildProcess;
}

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

function slicewise(workers: number): Candidate {
  const flags = ['--concurrent-service-endpoint-syncs', String(workers)];
  return {
    name: `slicewise, ${workers} workers`,
    start: (kubeconfig) =>
      spawn(process.execPath, ['--max-semi-space-size=4', main, 'controller', '--kubeconfig', kubeconfig, ...flags], {
        stdio: 'ignore',
      }),
  };
}

function upstream(binary: string, workers: number): Candidate {
  return {
    name: `kube-controller-manager, ${workers} workers`,
    start: (kubeconfig, folder) =>
      spawn(
        binary,
        [
          `--kubeconfig=${kubeconfig}`,
          '--controllers=endpointslice-controller',
          `--concurrent-service-endpoint-syncs=${workers}`,
          '--kube-api-qps=10000',
          '--kube-api-burst=10000',
          '--leader-elect=false',
          '--bind-address=127.0.0.1',
          '--secure-port=0',
          `--cert-dir=${folder}`,
        ],
        { stdio: 'ignore' },
      ),
  };
}

/** Ours, and kube-controller-manager where the folder of KUBEBUILDER_ASSETS holds it. */
export function candidates(assets: string | undefined): Candidate[] {
  const ours = [slicewise(5), slicewise(50)];
  const binary = assets === undefined ? '' : join(assets, 'kube-controller-manager');
  return existsSync(binary) ? [...ours, upstream(binary, 5), upstream(binary, 50)] : ours;
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}
