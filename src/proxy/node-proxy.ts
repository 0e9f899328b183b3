import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ResourceHandler } from '../kube/handler.ts';
import { SERVICES } from '../kube/projections/services.ts';
import { Reflector } from '../kube/reflector.ts';
import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { IPFamily, KubeObject } from '../objects/meta.ts';
import type { Service } from '../objects/service.ts';
import type { Logger } from '../observe/logger.ts';
import type { FamilySettings } from './config/family-settings.ts';
import type { KubeProxyConfiguration } from './config/types.ts';
import type { NfacctCounters } from './config-types.ts';
import { UdpFlowCleaner } from './conntrack-cleaner.ts';
import { ConntrackProgram } from './conntrack-program.ts';
import { nodeReference, type RecordEvent } from './events.ts';
import type { Exec } from './exec.ts';
import { type FamilyStatus, familyStatus } from './health/family-status.ts';
import { ProxyHealthTracker } from './health/proxy-health.ts';
import { serveProxyPages } from './health/serve-pages.ts';
import { ServiceHealthServers } from './health/service-health-servers.ts';
import { supportsRandomFully } from './iptables/backend.ts';
import type { Iptables } from './iptables/runner.ts';
import { type NfacctPackets, ProxyMetrics } from './metrics.ts';
import { nodePortMatch } from './node-ports.ts';
import type { OwnNode } from './own-node.ts';
import { Proxier } from './proxier.ts';
import { PROXY_SLICES, SERVICE_SELECTORS, SLICE_SELECTORS } from './watched.ts';

export interface NodeProxyOptions {
  client: KubeClient;
  config: KubeProxyConfiguration;
  /** One for each family that the machine can do. */
  families: readonly FamilySettings[];
  iptables: Readonly<Record<IPFamily, Iptables>>;
  exec: Exec;
  nodeName: string;
  node: OwnNode;
  zone: string;
  conntrackTCPLiberal: boolean;
  /** The packet counters that rules of each family may name. */
  nfacctCounters: Readonly<Record<IPFamily, NfacctCounters>>;
  /** What they stand at. Absent: this machine has none. */
  readNfacct: (() => Promise<NfacctPackets>) | undefined;
  /** Addresses of the node's interfaces at this moment. */
  nodeAddresses: () => readonly string[];
  record: RecordEvent;
  registry: Registry;
  clock: Clock;
  logger: Logger;
}

interface FamilyParts {
  proxier: Proxier;
  servers: ServiceHealthServers;
  status: FamilyStatus;
}

/** All that runs on one node: a proxier for each address family, what they watch, and what they serve. */
export class NodeProxy {
  /** Resolves when every family has synced once. */
  readonly synced: Promise<void>;

  readonly #options: NodeProxyOptions;
  readonly #metrics: ProxyMetrics;
  readonly #health: ProxyHealthTracker;
  readonly #families: FamilyParts[];
  readonly #reflectors: Reflector<KubeObject>[] = [];
  #pages: { close(): Promise<void> } | undefined;

  constructor(options: NodeProxyOptions) {
    this.#options = options;
    this.#metrics = new ProxyMetrics(options.registry);
    if (options.readNfacct) this.#metrics.showNfacct(options.readNfacct);
    this.#health = new ProxyHealthTracker(options.clock, options.config.iptables.syncPeriod);
    this.#families = options.families.map((settings) => this.#family(settings));
    this.synced = Promise.all(this.#families.map(({ proxier }) => proxier.firstSync)).then(() => undefined);
  }

  /** Resolves once the caches are filled and the proxiers run. @throws UserError when a status port is taken and that is to be fatal */
  async start(): Promise<void> {
    const { client, logger } = this.#options;
    this.#pages = await this.#serve();
    const services = new Reflector<Service>({ client, resource: SERVICES, logger, ...SERVICE_SELECTORS });
    const slices = new Reflector<EndpointSlice>({ client, resource: PROXY_SLICES, logger, ...SLICE_SELECTORS });
    services.addHandler(each((before, after) => this.#proxiers((p) => p.onService(before, after))));
    slices.addHandler(each((before, after) => this.#proxiers((p) => p.onSlice(before, after))));
    this.#reflectors.push(services as unknown as Reflector<KubeObject>, slices as unknown as Reflector<KubeObject>);
    services.start();
    slices.start();
    await Promise.all([services.synced, slices.synced]);
    for (const { proxier, status } of this.#families) {
      status.started();
      proxier.start();
    }
  }

  setZone(zone: string): void {
    this.#proxiers((proxier) => proxier.setZone(zone));
  }

  /** Leaves all rules in place. */
  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
    await Promise.all(this.#families.map(({ proxier }) => proxier.stop()));
    await Promise.all(this.#families.map(({ servers }) => servers.close()));
    await this.#pages?.close();
  }

  #proxiers(fn: (proxier: Proxier) => void): void {
    for (const { proxier } of this.#families) fn(proxier);
  }

  #family(settings: FamilySettings): FamilyParts {
    const { iptables, exec, nodeName, clock, logger, nodeAddresses, record } = this.#options;
    const { ipFamily: family, syncPeriod, minSyncPeriod, ...rules } = settings;
    const metrics = this.#metrics;
    const servers = new ServiceHealthServers({
      family,
      nodeName,
      nodePortMatch: () => nodePortMatch(settings.nodePortAddresses, nodeAddresses(), family),
      proxyHealthy: () => this.#health.health().healthy,
      record,
      logger,
      clock,
    });
    const status = familyStatus(family, this.#health, servers);
    const proxier = new Proxier({
      config: {
        ...rules,
        ipFamily: family,
        nodeName,
        nodeAddresses: nodeAddresses(),
        zone: this.#options.zone,
        randomFully: supportsRandomFully(iptables[family].info.version),
        conntrackTCPLiberal: this.#options.conntrackTCPLiberal,
        nfacctCounters: this.#options.nfacctCounters[family],
      },
      iptables: iptables[family],
      conntrack: new UdpFlowCleaner({
        family,
        conntrack: new ConntrackProgram(exec, family),
        nodeAddresses,
        metrics,
        clock,
        log: logger,
      }),
      nodeAddresses,
      syncPeriod,
      minSyncPeriod,
      metrics,
      clock,
      log: logger,
      onQueued: status.queued,
      onSynced: status.synced,
      record: (event) => record({ ...event, regarding: nodeReference(nodeName) }),
    });
    return { proxier, servers, status };
  }

  #serve(): Promise<{ close(): Promise<void> }> {
    const { config, nodeName, node, registry, record, clock, logger } = this.#options;
    return serveProxyPages({
      config,
      nodeName,
      registry,
      metrics: this.#metrics,
      health: this.#health,
      node: () => node.current,
      record,
      clock,
      logger,
    });
  }
}

function each<T extends KubeObject>(change: (before: T | undefined, after: T | undefined) => void): ResourceHandler<T> {
  return {
    onAdd: (object) => change(undefined, object),
    onUpdate: change,
    onDelete: (last) => change(last, undefined),
  };
}
