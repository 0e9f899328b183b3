import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { realClock } from '../clock.ts';
import { createEventRecorder, NEW_EVENTS } from '../kube/events.ts';
import { createKubeClient, type SeverableClient } from '../kube/http-client.ts';
import { NODES } from '../kube/projections/nodes.ts';
import { Reflector } from '../kube/reflector.ts';
import type { IPFamily } from '../objects/meta.ts';
import { createLogger, type Logger } from '../observe/logger.ts';
import { addProxyFlags, givenFlags } from '../proxy/config/command-line.ts';
import type { GivenFlags } from '../proxy/config/flags.ts';
import { defaultProxyConfig, type LoadedProxyConfig, loadProxyConfig } from '../proxy/config/load.ts';
import { configYaml } from '../proxy/config/print.ts';
import { logLevel, runOptions } from '../proxy/config/run-options.ts';
import type { KubeProxyConfiguration } from '../proxy/config/types.ts';
import { Ending } from '../proxy/ending.ts';
import { eventReporter, startingEvent } from '../proxy/events.ts';
import { realExec } from '../proxy/exec.ts';
import { followConfig, followNode } from '../proxy/follow.ts';
import { type DetectedBackend, detectBackend, type IptablesBackend } from '../proxy/iptables/backend.ts';
import type { Iptables } from '../proxy/iptables/runner.ts';
import { prepareKernel, setConntrack } from '../proxy/kernel-settings.ts';
import { interfaceAddresses, iptablesOf, probeFamilies } from '../proxy/machine.ts';
import { keepNewSpaceSmall, stayCompact } from '../proxy/memory.ts';
import { counterReader, ensureCounters, NfacctProgram, NO_COUNTERS, usableCounters } from '../proxy/nfacct.ts';
import { removeNftablesLeftovers } from '../proxy/nftables-leftovers.ts';
import { nodeName } from '../proxy/node.ts';
import { NodeProxy } from '../proxy/node-proxy.ts';
import { setOomScore } from '../proxy/oom-score.ts';
import { OwnNode } from '../proxy/own-node.ts';
import { removeRules } from '../proxy/remove-rules.ts';
import { planStart } from '../proxy/start-plan.ts';
import { conntrackIsLiberal, ensureRouteLocalnet, realSettingFiles } from '../proxy/sysctls.ts';
import { UserError } from '../user-error.ts';
import { VERSION } from '../version.ts';
import { clusterAccess, probe } from './connect.ts';
import { endInTime } from './last-resort.ts';
import { within } from './within.ts';

/** Milliseconds that events and the connections to the API server may keep a process that ends. */
const EVENTS_MS = 1000;
const CLOSE_MS = 500;

/** `slicewise proxier`: every flag of kube-proxy 1.36, and `--iptables-backend`. */
export function proxierCommand(): Command {
  const command = new Command('proxier').description(
    "The node's proxy: turns Services and EndpointSlices into iptables rules, as kube-proxy does.",
  );
  command.version(`slicewise ${VERSION}`, '--version', 'print the version and exit');
  addProxyFlags(command, defaultProxyConfig());
  command.addOption(
    new Option('--iptables-backend <backend>', 'which iptables to drive; auto: the one that kubelet uses')
      .choices(['auto', 'nft', 'legacy'])
      .default('auto'),
  );
  return command.action(async ({ iptablesBackend }: { iptablesBackend: IptablesBackend | 'auto' }) => {
    await run(givenFlags(command), iptablesBackend);
  });
}

async function run(flags: GivenFlags, backend: IptablesBackend | 'auto'): Promise<void> {
  const todo = runOptions(flags);
  const loaded = loadProxyConfig({ flags, readFile: (path) => readFileSync(path, 'utf8') });
  const { config } = loaded;
  const logger = createLogger({ level: logLevel(config.logging.verbosity) });
  for (const warning of loaded.warnings) logger.warn(warning);
  if (todo.writeConfigTo !== undefined) {
    writeFileSync(todo.writeConfigTo, configYaml(config));
    logger.info({ file: todo.writeConfigTo }, 'wrote the configuration');
    return;
  }
  if (todo.initOnly) {
    await prepareKernel(config, realExec, logger);
    return;
  }
  const detected = await detectBackend(realExec, backend);
  if (detected.warning) logger.warn(detected.warning);
  const iptables = iptablesOf(realExec, detected);
  if (todo.cleanup) await removeRules(iptables, { exec: realExec, support: await probeFamilies(iptables), logger });
  else await proxy({ loaded, flags, detected, iptables, master: todo.master, logger });
}

interface RunInputs {
  loaded: LoadedProxyConfig;
  flags: GivenFlags;
  detected: DetectedBackend;
  iptables: Record<IPFamily, Iptables>;
  master: string | undefined;
  logger: Logger;
}

/** Runs until a signal asks for the end, or until something changes that only a new start can follow. */
async function proxy({ loaded, flags, detected, iptables, master, logger }: RunInputs): Promise<void> {
  const { config } = loaded;
  keepNewSpaceSmall();
  const name = nodeName(config.hostnameOverride, hostname());
  const support = await probeFamilies(iptables);
  const ending = new Ending((signal, listener) => process.once(signal, listener));
  const client = await connect(config, master, logger);
  const node = new OwnNode(name, realClock);
  const nodes = new Reflector({ client, resource: NODES, logger, fieldSelector: `metadata.name=${name}` });
  const recorder = createEventRecorder({ client, reporter: eventReporter(name), format: NEW_EVENTS, logger });
  let running: NodeProxy | undefined;
  let watch: { stop(): void } | undefined;
  let compacting: { stop(): void } | undefined;
  let failed = true;
  try {
    nodes.addHandler(node);
    nodes.start();
    await ending.unlessEnded(nodes.synced);
    const ready = await ending.unlessEnded(node.ready(config.detectLocalMode === 'NodeCIDR'));
    if (!ready) {
      failed = false;
      return;
    }
    if (ready.problem) logger.warn(ready.problem);
    const facts = ready.facts;
    const plan = planStart(config, facts, support);
    for (const note of plan.notes) logger.info(note);
    for (const warning of plan.warnings) logger.warn(warning);
    if (plan.fatal !== undefined) throw new UserError(plan.fatal);
    const { families, settings } = plan;
    await setConntrack(config, realExec, logger);
    if (settings.some((s) => s.localhostNodePorts)) ensureRouteLocalnet(realSettingFiles);
    const oom = setOomScore(config.oomScoreAdj, writeFileSync);
    if (oom !== undefined) logger.info(oom);

    const nfacct = new NfacctProgram(realExec);
    const counters = await ensureCounters(nfacct, logger);
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    running = new NodeProxy({
      client,
      config,
      families: settings,
      iptables,
      exec: realExec,
      nodeName: name,
      node,
      zone: facts.zone,
      conntrackTCPLiberal: conntrackIsLiberal(realSettingFiles),
      nfacctCounters: {
        IPv4: families.includes('IPv4') ? await usableCounters(iptables.IPv4, counters, logger) : NO_COUNTERS,
        IPv6: families.includes('IPv6') ? await usableCounters(iptables.IPv6, counters, logger) : NO_COUNTERS,
      },
      readNfacct: counters && counterReader(nfacct),
      nodeAddresses: interfaceAddresses,
      record: (event) => recorder.record(event),
      registry,
      clock: realClock,
      logger,
    });
    const { detectLocalMode } = config;
    const setZone = running.setZone.bind(running);
    followNode(node, { start: facts, detectLocalMode, setZone, ending, logger });
    const read = (path: string) => readFile(path, 'utf8');
    watch = followConfig(loaded, { flags, readFile: read, ending, clock: realClock, logger });
    recorder.record(startingEvent(name));
    const { backend, version: iptablesVersion, reason } = detected;
    logger.info({ version: VERSION, node: name, families, backend, reason, iptablesVersion }, 'proxier starting');
    const synced = running.synced.then(async () => {
      logger.info('proxier synced');
      compacting = stayCompact(realClock);
      // Not before: until now those rules served the node.
      const { removed, problems } = await removeNftablesLeftovers(realExec);
      if (removed.length > 0) logger.info({ tables: removed }, 'removed what kube-proxy left in mode nftables');
      for (const problem of problems) logger.warn(problem);
    });
    void synced.catch((error: unknown) => logger.error({ err: error }, 'looking for nftables tables failed'));
    await ending.unlessEnded(running.start());
    await ending.ended;
    failed = false;
  } finally {
    endInTime(failed ? 1 : 0, logger);
    watch?.stop();
    compacting?.stop();
    await running?.stop();
    await nodes.stop();
    const onError = (error: unknown) => logger.warn({ err: error }, 'shutdown');
    // An API server that does not answer gets no events, and does not keep the process.
    if (!(await within(realClock, EVENTS_MS, recorder.stop(), onError))) client.sever();
    await within(realClock, CLOSE_MS, client.close(), onError);
    logger.info('proxier stopped; the rules stay in place');
  }
}

/** @throws UserError in one line when the kubeconfig is no good or the server does not answer */
async function connect(
  config: KubeProxyConfiguration,
  master: string | undefined,
  logger: Logger,
): Promise<SeverableClient> {
  const kubeconfig = config.clientConnection.kubeconfig || undefined;
  const access = await clusterAccess({ kubeconfig, master }, realClock.now());
  const client = createKubeClient(access, { userAgent: `slicewise-proxier/${VERSION}`, logger });
  try {
    await probe(client, access);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}
