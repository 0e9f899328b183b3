import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import { createKubeClient, type SeverableClient } from '../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { Churn } from '../../e2e/ha/churn.ts';
import { eventually } from '../../endpointslice/support/cluster.ts';
import { type RealApiServer, startRealApiServer } from '../../support/real-apiserver.ts';
import { controllerManagerBinary, startRealControllerManager } from '../../support/real-controller-manager.ts';
import type { RunningController } from '../../support/running-controller.ts';
import { startSlicewiseController } from '../../support/slicewise-controller.ts';
import { samples } from './arena/metrics-page.ts';
import { countWrites } from './arena/snapshot.ts';
import { WatchLog } from './arena/watch-log.ts';

const assets = process.env.KUBEBUILDER_ASSETS ?? '';
const binary = controllerManagerBinary(assets);
if (!binary) {
  console.log(
    'skipped: "swapping the controllers under load": KUBEBUILDER_ASSETS does not name a folder with kube-controller-manager, kube-apiserver and etcd',
  );
}

/** Small slices, so that every Service has several. */
const FLAGS = ['--max-endpoints-per-slice=3'];
/** How long each controller works before it is replaced; milliseconds. */
const STINT = 3000;

describe.runIf(binary)('swapping the controllers under load', () => {
  let folder: string;
  let server: RealApiServer;
  let client: SeverableClient;
  let churn: Churn;
  let log: WatchLog;
  let running: RunningController | undefined;
  let start: { upstream: () => Promise<RunningController>; slicewise: () => Promise<RunningController> };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slicewise-swap-'));
    const kubeconfig = join(folder, 'kubeconfig');
    server = await startRealApiServer(assets);
    const { token } = server;
    await writeKubeconfig(kubeconfig, { server: server.url, caData: server.caData, token });
    const access = await loadClusterAccess({ kubeconfig });
    client = createKubeClient(access, { userAgent: 'swap-test', logger: silentLogger });
    log = await WatchLog.start(client, '/apis/discovery.k8s.io/v1/endpointslices');
    start = {
      upstream: () => startRealControllerManager(binary ?? '', { kubeconfig, token, flags: FLAGS }),
      slicewise: () => startSlicewiseController({ kubeconfig, flags: FLAGS }),
    };
    churn = new Churn(client);
    await churn.prepare();
    running = await start.upstream();
    await everythingThere();
    churn.start();
  }, 120_000);

  afterAll(async () => {
    await churn?.stop();
    await running?.stop();
    log?.stop();
    await client?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const everythingThere = () =>
    eventually(async () => {
      const { found, expected } = churn.outcome();
      expect(found).toEqual(expected);
    }, 30_000);

  const changesSoFar = () => log.changes('default').length;

  /** Successful calls that `of` has counted, less the changes that were seen since it was started. */
  async function needless(of: RunningController, since: number): Promise<number> {
    const calls = samples(await of.metrics()).filter(({ name }) => name === 'endpoint_slice_controller_changes');
    const { create, update, delete: deleted } = countWrites(log.changes('default').slice(since));
    return calls.reduce((sum, { value }) => sum + value, 0) - create - update - deleted;
  }

  it.each(['first', 'second'])(
    'one after the other, back and forth for the %s time',
    async () => {
      await running?.stop();
      const before = changesSoFar();
      running = await start.slicewise();
      await wait(STINT);
      const slicewise = running;
      // A call is counted here before the watch shows what it changed.
      await eventually(async () => expect(await needless(slicewise, before)).toBeLessThanOrEqual(0), 5000);
      expect(changesSoFar()).toBeGreaterThan(before);
      await running.stop();
      running = await start.upstream();
      await wait(STINT);
    },
    60_000,
  );

  it('with both at work for a while', async () => {
    const upstream = running;
    running = await start.slicewise();
    await wait(STINT);
    await upstream?.stop();
    await wait(STINT);
    const slicewise = running;
    running = await start.upstream();
    await wait(STINT);
    await slicewise.stop();
    await wait(STINT);
  }, 60_000);

  it('loses no endpoint for a moment, and ends with all that should be there and nothing else', async () => {
    await churn.settle();
    await everythingThere();
    expect(churn.missing).toEqual([]);
    await running?.stop();
    running = await start.slicewise();
    await everythingThere();
    expect(churn.missing).toEqual([]);
  }, 60_000);
});
