import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { writeKubeconfig } from '../../../../src/embedded/apiserver/kubeconfig.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { createKubeClient } from '../../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../../../src/observe/logger.ts';
import { startRealApiServer } from '../../../support/real-apiserver.ts';
import type { RunningController } from '../../../support/running-controller.ts';
import { Heartbeat } from './heartbeat.ts';
import { WatchLog } from './watch-log.ts';

/** Starts one kind of controller. */
export type StartController = (cluster: { kubeconfig: string; token: string }) => Promise<RunningController>;

/**
 * With no write for so long, nothing more is to come: upstream looks at a slice changed by others after one second, and tries again
 * one second after a failure. Milliseconds.
 */
const SILENCE = 1500;
/** For what a step says it waits for: upstream tries a failed sync again after 1, 2, 4, 8, 16 s. */
const PATIENCE = 40_000;

/** One API server of its own, with one controller at work on it. */
export class Side {
  readonly name: string;
  readonly client: KubeClient;
  readonly slices: WatchLog;
  readonly events: WatchLog;
  readonly #cluster: { kubeconfig: string; token: string };
  readonly #tearDown: () => Promise<void>;
  readonly #heartbeat: Heartbeat;
  #controller: RunningController | undefined;

  private constructor(
    parts: Pick<Side, 'name' | 'client' | 'slices' | 'events'> & {
      cluster: { kubeconfig: string; token: string };
      tearDown: () => Promise<void>;
    },
  ) {
    this.name = parts.name;
    this.client = parts.client;
    this.slices = parts.slices;
    this.events = parts.events;
    this.#cluster = parts.cluster;
    this.#tearDown = parts.tearDown;
    this.#heartbeat = new Heartbeat(parts.client, parts.slices);
  }

  static async start(name: string, assets: string): Promise<Side> {
    const server = await startRealApiServer(assets);
    const folder = await mkdtemp(join(tmpdir(), 'slicewise-side-'));
    const kubeconfig = join(folder, 'kubeconfig');
    await writeKubeconfig(kubeconfig, { server: server.url, caData: server.caData, token: server.token });
    const client = createKubeClient(await loadClusterAccess({ kubeconfig }), {
      userAgent: 'differential-test',
      logger: silentLogger,
    });
    const slices = await WatchLog.start(client, '/apis/discovery.k8s.io/v1/endpointslices');
    const events = await WatchLog.start(client, '/api/v1/events');
    const tearDown = async () => {
      slices.stop();
      events.stop();
      await client.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    };
    const side = new Side({ name, client, slices, events, cluster: { kubeconfig, token: server.token }, tearDown });
    await side.#heartbeat.prepare();
    return side;
  }

  /** Starts a controller in place of the one that runs, if any. */
  async startController(start: StartController): Promise<void> {
    await this.#controller?.stop();
    this.#controller = undefined;
    this.#controller = await start(this.#cluster);
    await this.#heartbeat.beat();
  }

  async stop(): Promise<void> {
    await this.#controller?.stop();
    await this.#tearDown();
  }

  async metrics(): Promise<string> {
    if (this.#controller === undefined) throw new Error(`no controller runs on the side ${this.name}`);
    return this.#controller.metrics();
  }

  /** Resolves when the controller has seen all that was done before this call. */
  keepsUp(): Promise<void> {
    return this.#heartbeat.beat();
  }

  /**
   * Resolves when the controller has seen all that was done before this call, `reached` holds (or has failed to for long), and no
   * slice in these namespaces has been written for a while. That the controller is then seen at work once more shows that it was the
   * controller that was at rest, not this process or the machine that was too busy to notice.
   */
  async settled(namespaces: readonly string[], reached: () => boolean = () => true): Promise<void> {
    await this.#heartbeat.beat();
    const since = performance.now();
    for (;;) {
      const now = performance.now();
      const last = this.slices.lastChangeAt(namespaces);
      const quiet = now - Math.max(since, last);
      if (quiet < SILENCE || !(reached() || now - since > PATIENCE)) {
        await wait(Math.max(20, Math.min(SILENCE - quiet, 200)));
        continue;
      }
      await this.#heartbeat.beat();
      if (this.slices.lastChangeAt(namespaces) === last) return;
    }
  }
}
