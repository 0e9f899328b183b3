import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { LoggedProcess, type RunningController } from './running-controller.ts';

/** The file that `slicewise` runs. */
export const slicewiseMain = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** Starts `slicewise controller` as a process. Resolves when its caches are filled. @throws Error with the end of its log. */
export async function startSlicewiseController(options: {
  kubeconfig: string;
  flags?: readonly string[];
}): Promise<RunningController> {
  const folder = await mkdtemp(join(tmpdir(), 'slicewise-run-'));
  const args = [
    slicewiseMain,
    'controller',
    `--kubeconfig=${options.kubeconfig}`,
    '--metrics-bind-address=127.0.0.1:0',
    // As kube-controller-manager is started beside it: nobody else to wait for, and no limit on its calls.
    '--leader-elect=false',
    '--kube-api-qps=10000',
    '--kube-api-burst=10000',
    ...(options.flags ?? []),
  ];
  const run = new LoggedProcess(process.execPath, args, { name: 'slicewise controller', log: join(folder, 'log') });
  const stop = async () => {
    await run.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const port = await run.until((log) =>
      Promise.resolve(log.includes('"controller synced"') ? /"port":(\d+)/.exec(log)?.[1] : undefined),
    );
    const metrics = async () => (await request(`http://127.0.0.1:${port}/metrics`)).body.text();
    return { metrics, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
