import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { realClock } from '../clock.ts';
import { createKubeClient, type SeverableClient } from '../kube/http-client.ts';
import { NODES } from '../kube/projections/nodes.ts';
import { Reflector } from '../kube/reflector.ts';
import { resourceClient } from '../kube/typed.ts';
import type { IPFamily } from '../objects/meta.ts';
import { createLogger, type Logger } from '../observe/logger.ts';
import { checkAgainstCluster } from '../proxy/config/cluster-checks.ts';
import { addProxyFlags, givenFlags } from '../proxy/config/command-line.ts';
import { familySettings, nodePortCIDRs } from '../proxy/config/family-settings.ts';
import type { GivenFlags } from '../proxy/config/flags.ts';
import { defaultProxyConfig, type LoadedProxyConfig, loadProxyConfig } from '../proxy/config/load.ts';
import { configYaml } from '../proxy/config/print.ts';
import { logLevel, runOptions } from '../proxy/config/run-options.ts';
import { isDetectLocalMode, type KubeProxyConfiguration } from '../proxy/config/types.ts';
import { watchConfigFile } from '../proxy/config/watch.ts';
import { EVENTS, ProxyEventRecorder } from '../proxy/event-recorder.ts';
import { startingEvent } from '../proxy/events.ts';
import { realExec } from '../proxy/exec.ts';
import { supportedFamilies } from '../proxy/ip-families.ts';
import { type DetectedBackend, detectBackend, type IptablesBackend } from '../proxy/iptables/backend.ts';
import { cleanupRules } from '../proxy/iptables/cleanup.ts';
import type { Iptables } from '../proxy/iptables/runner.ts';
import { prepareKernel, setConntrack } from '../proxy/kernel-settings.ts';
import { interfaceAddresses, iptablesOf, probeFamilies } from '../proxy/machine.ts';
import { keepNewSpaceSmall, stayCompact } from '../proxy/memory.ts';
import { removeNftablesLeftovers } from '../proxy/nftables-leftovers.ts';
import { chooseNodeIPs, nodeChange, nodeFacts, nodeIPsWarning, nodeName } from '../proxy/node.ts';
import { NodeProxy } from '../proxy/node-proxy.ts';
import { setOomScore } from '../proxy/oom-score.ts';
import { OwnNode } from '../proxy/own-node.ts';
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
  if (todo.cleanup) await cleanUp(iptables, logger);
  else await proxy({ loaded, flags, detected, iptables, master: todo.master, logger });
}

async function cleanUp(iptables: Record<IPFamily, Iptables>, logger: Logger): Promise<void> {
  const support = await probeFamilies(iptables);
  const left: string[] = [];
  for (const family of ['IPv4', 'IPv6'] as const) {
    if (support.iptablesProblem[family] !== undefined) continue;
    const report = await cleanupRules(iptables[family]);
    left.push(...report.left);
    logger.info({ family, chains: report.chainsRemoved, jumps: report.jumpsRemoved }, 'rules removed');
  }
  const nftables = await removeNftablesLeftovers(realExec);
  if (nftables.removed.length > 0) logger.info({ tables: nftables.removed }, 'nftables tables removed');
  if (nftables.problems.length > 0) throw new UserError(nftables.problems.join('; '));
  if (left.length > 0)
    throw new UserError(`some chains could only be emptied, because foreign rules jump to them: ${left.join(', ')}`);
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
  const ending = new Ending();
  const client = await connect(config, master, logger);
  const node = new OwnNode(name, realClock);
  const nodes = new Reflector({ client, resource: NODES, logger, fieldSelector: `metadata.name=${name}` });
  const recorder = new ProxyEventRecorder({
    events: resourceClient(client, EVENTS),
    nodeName: name,
    clock: realClock,
    logger,
  });
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
    const nodeIPs = chooseNodeIPs(facts.hostIPs, config.bindAddress);
    const doubt = nodeIPsWarning(nodeIPs);
    if (doubt) logger.warn(doubt);
    const { families, notes } = supportedFamilies(support, nodeIPs.primaryFamily);
    for (const note of notes) logger.info(note);
    const inputs = { nodeIPs: nodeIPs.ips, podCIDRs: facts.podCIDRs };
    const checks = checkAgainstCluster({
      config,
      nodePortCIDRs: nodePortCIDRs(config, inputs),
      podCIDRs: facts.podCIDRs,
      primaryFamily: nodeIPs.primaryFamily,
      dualStack: families.length === 2,
    });
    for (const warning of checks.warnings) logger.warn(warning);
    if (checks.fatal !== undefined) throw new UserError(checks.fatal);
    const settings = families.map((family) => familySettings(config, family, inputs));
    await setConntrack(config, realExec, logger);
    if (settings.some((s) => s.localhostNodePorts)) ensureRouteLocalnet(realSettingFiles);
    const oom = setOomScore(config.oomScoreAdj, writeFileSync);
    if (oom !== undefined) logger.info(oom);

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
      nodeAddresses: interfaceAddresses,
      record: recorder.record,
      registry,
      clock: realClock,
      logger,
    });
    followNode(node, facts, config, running, ending, logger);
    watch = followConfig(loaded, flags, ending, logger);
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
    if (!(await within(realClock, EVENTS_MS, recorder.drained(), onError))) client.sever();
    await within(realClock, CLOSE_MS, client.close(), onError);
    logger.info('proxier stopped; the rules stay in place');
  }
}

/** What ends the run: a signal, or a reason to be started anew. */
class Ending {
  /** Resolves on SIGTERM or SIGINT, or when all is well and a new start is due; rejects with a UserError. */
  readonly ended: Promise<void>;
  readonly end: () => void;
  readonly fail: (reason: string) => void;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ended = promise;
    this.end = resolve;
    this.fail = (reason) => reject(new UserError(reason));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
    // Whoever waits hears of it; until then it must not end the process by itself.
    promise.catch(() => {});
  }

  /** The promise's value, or undefined when the end came first. */
  async unlessEnded<T>(promise: Promise<T>): Promise<T | undefined> {
    return Promise.race([promise, this.ended.then(() => undefined)]);
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

function followNode(
  node: OwnNode,
  start: ReturnType<typeof nodeFacts>,
  config: KubeProxyConfiguration,
  running: NodeProxy,
  ending: Ending,
  logger: Logger,
): void {
  const mode = config.detectLocalMode;
  let facts = start;
  node.onChange(() => {
    if (!node.current || !isDetectLocalMode(mode)) return;
    const now = nodeFacts(node.current);
    const change = nodeChange(facts, now, mode);
    facts = now;
    for (const note of change.notes) logger.warn(note);
    if (change.zone !== undefined) running.setZone(change.zone);
    if (change.exit !== undefined) ending.fail(change.exit);
  });
}

function followConfig(
  loaded: LoadedProxyConfig,
  flags: GivenFlags,
  ending: Ending,
  logger: Logger,
): { stop(): void } | undefined {
  const { file, config } = loaded;
  if (!file) return undefined;
  return watchConfigFile({
    file,
    config,
    load: (text) => loadProxyConfig({ flags, readFile: () => text }).config,
    readFile: (path) => readFile(path, 'utf8'),
    clock: realClock,
    onWarning: (line) => logger.warn(line),
    onRestart: () => {
      logger.info({ file: file.path }, 'the configuration file has changed; ending, to be started with it');
      ending.end();
    },
  });
}
