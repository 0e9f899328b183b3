import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { freePorts } from './real-apiserver.ts';
import { LoggedProcess, type RunningController } from './running-controller.ts';

export interface RealControllerManagerOptions {
  kubeconfig: string;
  /** The token in `kubeconfig`; it opens the page of metrics too. */
  token: string;
  /** Further command line flags. */
  flags?: readonly string[];
}

/** The binary in `assets` (the folder that KUBEBUILDER_ASSETS names), or undefined when it is not there. */
export function controllerManagerBinary(assets: string | undefined): string | undefined {
  const binary = assets === undefined ? '' : join(assets, 'kube-controller-manager');
  return existsSync(binary) ? binary : undefined;
}

/**
 * Starts kube-controller-manager on loopback with its EndpointSlice controller only, no leader election and no limit on its calls.
 * Resolves when that controller starts. @throws Error with the end of the log when it does not come up.
 */
export async function startRealControllerManager(
  binary: string,
  options: RealControllerManagerOptions,
): Promise<RunningController> {
  const { kubeconfig, token, flags = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'slicewise-kcm-'));
  const [port = 0] = await freePorts(1);
  const args = [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--authentication-tolerate-lookup-failure=true',
    '--controllers=endpointslice-controller',
    '--kube-api-qps=10000',
    '--kube-api-burst=10000',
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${folder}`,
    ...flags,
  ];
  const run = new LoggedProcess(binary, args, { name: 'kube-controller-manager', log: join(folder, 'log') });
  // Its certificate is one that it made for itself.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const stop = async () => {
    await run.stop();
    await dispatcher.close();
    await rm(folder, { recursive: true, force: true });
  };
  const metrics = async () => {
    const headers = { authorization: `Bearer ${token}` };
    const { statusCode, body } = await request(`https://127.0.0.1:${port}/metrics`, { dispatcher, headers });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`kube-controller-manager's /metrics: ${statusCode} ${text}`);
    return text;
  };
  try {
    await run.until((log) => Promise.resolve(log.includes('"Starting endpoint slice controller"') || undefined));
    return { metrics, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
