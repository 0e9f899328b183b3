import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import { controllerManagerBinary, startRealControllerManager } from '../../support/real-controller-manager.ts';

/** A server to test, wherever it runs. */
export interface Endpoint {
  url: string;
  token: string;
  caData: string | undefined;
  forgetHistory(): Promise<void>;
  stop(): Promise<void>;
}

/** A kube-apiserver that runs already, to save its start: SLICEWISE_REAL_APISERVER names a folder with `url`, `token`, `ca.crt`. */
export function runningServer(folder: string): Endpoint {
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  const forgetHistory = () => Promise.reject(new Error('the history of a shared server is not to be forgotten'));
  return { url: read('url'), token: read('token'), caData: read('ca.crt'), forgetHistory, stop: async () => {} };
}

/** The same server with a kube-controller-manager that runs these controllers. */
export async function withControllers(
  endpoint: Endpoint,
  assets: string,
  controllers: readonly string[],
): Promise<Endpoint> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const { url, caData, token } = endpoint;
  const release = async () => {
    await endpoint.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await writeKubeconfig(kubeconfig, { server: url, caData, token });
    const binary = controllerManagerBinary(assets) ?? '';
    const flags = [`--controllers=${controllers.join(',')}`];
    const manager = await startRealControllerManager(binary, { kubeconfig, token, flags });
    const stop = async () => {
      await manager.stop();
      await release();
    };
    return { ...endpoint, stop };
  } catch (error) {
    await release();
    throw error;
  }
}
