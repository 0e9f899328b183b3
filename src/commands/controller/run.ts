import { collectDefaultMetrics, Registry } from 'prom-client';
import { realClock } from '../../clock.ts';
import { assembleController } from '../../endpointslice/assemble.ts';
import { limitedClient } from '../../endpointslice/limited-client.ts';
import { createKubeClient } from '../../kube/http-client.ts';
import { writeGate } from '../../kube/leader/write-gate.ts';
import { leaderMetrics } from '../../observe/leader-metrics.ts';
import { levelOf, openLogger } from '../../observe/logger.ts';
import { RecentLines } from '../../observe/recent-lines.ts';
import { RequestMetrics } from '../../observe/request-metrics.ts';
import { VERSION } from '../../version.ts';
import { FairLimiter } from '../../workqueue/fair-limiter.ts';
import { clusterAccess, probe } from '../connect.ts';
import { Candidacy } from './candidacy.ts';
import type { ControllerFlags } from './flags.ts';
import { servePages } from './pages.ts';
import { settingsOf } from './settings.ts';
import { type Running, shutDown } from './shut-down.ts';

const USER_AGENT = `slicewise-controller/${VERSION}`;
/** Warnings and errors that /debug/state shows. */
const REMEMBERED_LINES = 50;

/** Runs until a signal asks for the end. @throws UserError when it cannot even begin */
export async function runController(flags: ControllerFlags): Promise<void> {
  const settings = settingsOf(flags);
  const clock = realClock;
  const recent = new RecentLines(REMEMBERED_LINES);
  const logger = await openLogger({ level: levelOf(flags.v), format: flags.loggingFormat, onTrouble: recent.add });
  const registry = new Registry();
  const access = await clusterAccess({ kubeconfig: flags.kubeconfig, master: flags.master }, clock.now());
  const requests = new RequestMetrics(registry, access.server);
  const connect = (suffix: string, more: Partial<Parameters<typeof createKubeClient>[1]> = {}) =>
    createKubeClient(access, { userAgent: `${USER_AGENT}${suffix}`, logger, onAttempt: requests.attempt, ...more });

  const { election, writes } = settings;
  const candidacy =
    election &&
    new Candidacy({ settings: election, client: connect('/leader-election'), clock, random: Math.random, logger });
  const client = connect('', { beforeSend: writeGate(() => candidacy?.isLeader ?? true) });
  try {
    await probe(client, access);
  } catch (error) {
    await client.close();
    throw error;
  }
  if (election) leaderMetrics(registry, election.name, () => candidacy?.isLeader ?? false);
  const limiter = writes && new FairLimiter({ clock, ...writes });
  const assembly = assembleController({
    client,
    logger,
    registry,
    options: settings.controller,
    ...(limiter && { writes: (slices) => limitedClient(slices, limiter, requests.waited) }),
  });
  const { controller, caches } = assembly;
  if (settings.plain || settings.secure) collectDefaultMetrics({ register: registry });
  const ending = new AbortController();
  const pages = await servePages({
    settings,
    alwaysAllow: flags.authorizationAlwaysAllowPaths,
    registry,
    checked: { candidacy, caches, stopping: () => ending.signal.aborted },
    state: () => ({
      version: VERSION,
      uptimeSeconds: Math.round(process.uptime()),
      leaderElection: candidacy?.status() ?? 'off',
      caches: Object.fromEntries(Object.entries(caches).map(([kind, cache]) => [kind, cache.status()])),
      queue: controller.queueStats(),
      servicesWaitingForTheirTurnToWrite: limiter?.waiting ?? 0,
      recentTrouble: recent.read(),
    }),
    reviewer: () => connect('/reviews'),
    clock,
    logger,
  });
  const running: Running = { ...assembly, client, candidacy, limiter, pages, clock, logger };
  const signal = untilSignal();
  logger.info({ version: VERSION, identity: election?.identity }, 'controller starting');
  // A signal may come first; what work() says once it is stopped is then of no interest.
  await Promise.race([work(running), signal]);
  const ended = await signal;
  ending.abort();
  logger.info({ signal: ended }, 'controller stopping');
  await shutDown(running);
  logger.info('controller stopped');
}

/** Fills the caches whether it leads or not; syncs once it leads; ends the process when it does so no longer. */
async function work({ controller, candidacy, client, logger }: Running): Promise<void> {
  const filled = controller.fillCaches();
  if (candidacy) {
    void candidacy.run().then(() => {
      // Nothing that is still on its way may be delivered once another leads.
      client.sever();
      // As kube-controller-manager does: starting anew is the one way back that is sure to forget everything.
      process.exit(1);
    });
    void filled.then(
      () => candidacy.isLeader || logger.info(candidacy.status(), 'caches are filled; waiting for the lease'),
      () => undefined,
    );
    await candidacy.elected;
  }
  await filled;
  controller.startSyncing();
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
