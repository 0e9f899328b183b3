import { type NamespaceHosts, startNamespaceHosts } from '../../../src/embedded/hosts/namespace-hosts.ts';
import type { Ability } from '../../../src/embedded/hosts/prerequisites.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import { DEFAULT_FEATURE_GATES, type ProxyRulesConfig } from '../../../src/proxy/config-types.ts';
import { binaryNames, type IptablesBackend, parseVersion } from '../../../src/proxy/iptables/backend.ts';
import { RealIptables } from '../../../src/proxy/iptables/runner.ts';
import { effectiveLocalhostNodePorts } from '../../../src/proxy/node-ports.ts';
import { SERVED_PORT, type Target, type Transport } from './agent-protocol.ts';
import {
  type Cluster,
  clusterIPOf,
  clusterOf,
  type Draft,
  externalOf,
  nodePortOf,
  OTHER_PORT,
  SERVICE_PORT,
} from './cluster.ts';
import { attempts, type Outcome, outcomeOf } from './outcome.ts';
import { execOn, Pipeline } from './pipeline.ts';
import {
  addressOf,
  CLUSTER_CIDR,
  hostOf,
  NODE_OF,
  NODES,
  type NodeName,
  nodeOf,
  type Place,
  PODS,
  podAddresses,
  prepareNetwork,
  TOPOLOGY,
} from './places.ts';
import { Probe } from './probe.ts';

/** Where a packet is sent to. */
export type Destination =
  | { kind: 'clusterIP'; port?: number }
  | { kind: 'vip' | 'externalIP'; node: NodeName }
  /** `address`: another one than the node's own. */
  | { kind: 'nodePort'; node: NodeName; address?: Readonly<Record<IPFamily, string>> };

/** How long those wait who expect an answer or a refusal: only a hung machine takes so long. */
const PATIENCE_MS = 10_000;
/** How long those wait who expect silence. */
const SILENCE_MS = 700;

/** The machines of places.ts, an agent in each, and a proxier for each node and family. */
export class World {
  readonly hosts: NamespaceHosts;
  readonly backend: IptablesBackend;
  readonly families: readonly IPFamily[];
  readonly #probes = new Map<string, Probe>();
  readonly #pipelines = new Map<string, Pipeline>();

  /** @throws HostsError, or Error when this kernel does not know the backend; nothing is left behind then */
  static async start(backend: IptablesBackend, ability: Ability, families: readonly IPFamily[]): Promise<World> {
    const hosts = await startNamespaceHosts({ topology: TOPOLOGY, ability });
    try {
      const world = new World(hosts, backend, families);
      await world.#prepare();
      return world;
    } catch (error) {
      await hosts.stop();
      throw error;
    }
  }

  constructor(hosts: NamespaceHosts, backend: IptablesBackend, families: readonly IPFamily[]) {
    this.hosts = hosts;
    this.backend = backend;
    this.families = families;
  }

  async stop(): Promise<void> {
    for (const probe of this.#probes.values()) probe.stop();
    await this.hosts.stop();
  }

  pipeline(node: NodeName, family: IPFamily): Pipeline {
    return found(this.#pipelines, `${node} ${family}`);
  }

  probe(place: Place): Probe {
    return found(this.#probes, hostOf(place));
  }

  /** Makes these the only Services, on every node. */
  async apply(drafts: readonly Draft[], family: IPFamily): Promise<void> {
    await this.applyCluster(clusterOf(drafts, family), family);
  }

  async applyCluster(cluster: Cluster, family: IPFamily): Promise<void> {
    await Promise.all(NODES.map((node) => this.pipeline(node, family).sync(cluster)));
  }

  /** Another configuration, with what is in `change`, on every node until the next call. */
  async configure(family: IPFamily, change: (config: ProxyRulesConfig) => Partial<ProxyRulesConfig>): Promise<void> {
    await Promise.all(
      NODES.map((node) => {
        const config = this.#config(node, family);
        return this.pipeline(node, family).sync(undefined, { ...config, ...change(config) });
      }),
    );
  }

  target(draft: Draft, to: Destination, family: IPFamily, transport: Transport = 'TCP', from?: Place): Target {
    return {
      transport,
      ...addressed(draft, to, family),
      // The client's machine has many addresses.
      ...(from !== undefined && hostOf(from) === 'client' && { from: addressOf(from, family) }),
    };
  }

  /** Asks as often as it takes to be sure of seeing every endpoint in `expected`, and tells what came of it. */
  async outcome(from: Place, target: Target, expected: Outcome): Promise<Outcome> {
    const count = attempts(expected);
    const limitMs = expected === 'dropped' ? SILENCE_MS : PATIENCE_MS;
    return outcomeOf(await this.probe(from).run('ask', { target, count, parallel: 8, limitMs }));
  }

  /** Leaves no connection tracked on any node, as if none had ever been. */
  async forgetFlows(): Promise<void> {
    await Promise.all(NODES.map((node) => this.exec(node, 'conntrack', '-F')));
  }

  async exec(host: string, ...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.hosts.exec(host, argv);
    if (code !== 0) throw new Error(`on ${host}: "${argv.join(' ')}" ended with code ${code}: ${stderr.trim()}`);
    return stdout;
  }

  async #prepare(): Promise<void> {
    await Promise.all(this.families.map((family) => this.#preparePipelines(family)));
    for (const pod of PODS) await this.hosts.addPod(NODE_OF[pod], podAddresses(pod));
    await prepareNetwork(this.hosts, this.families);
    const places: Place[] = [...NODES, ...PODS, 'client'];
    await Promise.all(
      places.map(async (place) => {
        this.#probes.set(hostOf(place), await Probe.start(this.hosts, hostOf(place), place, [SERVED_PORT]));
      }),
    );
    this.#probes.set('wire', await Probe.start(this.hosts, 'wire', 'wire', [SERVICE_PORT, OTHER_PORT]));
  }

  async #preparePipelines(family: IPFamily): Promise<void> {
    const names = binaryNames(family, this.backend);
    for (const node of NODES) {
      const exec = execOn(this.hosts, node);
      const info = parseVersion(await this.exec(node, names.command, '--version'));
      const iptables = new RealIptables(exec, family, names, info);
      await iptables.restore(['*nat\nCOMMIT\n*filter\nCOMMIT\n']);
      const config = this.#config(node, family);
      this.#pipelines.set(`${node} ${family}`, new Pipeline({ exec, iptables, config }));
    }
  }

  #config(nodeName: NodeName, family: IPFamily): ProxyRulesConfig {
    const node = nodeOf(nodeName);
    return {
      ipFamily: family,
      nodeName,
      nodeIP: addressOf(nodeName, family),
      zone: node.zone,
      masqueradeAll: false,
      masqueradeMark: '0x00004000',
      localDetector: { mode: 'ClusterCIDR', value: CLUSTER_CIDR[family] },
      localhostNodePorts: effectiveLocalhostNodePorts(true, [], family),
      nodePortAddresses: [],
      nodeAddresses: [node.ipv4, node.ipv6, node.podGateway, '127.0.0.1', '::1'],
      randomFully: true,
      conntrackTCPLiberal: false,
      nfacctCounters: { ctStateInvalidDropped: false, localhostNodePortsAccepted: false },
      featureGates: DEFAULT_FEATURE_GATES,
    };
  }
}

function addressed({ number }: Draft, to: Destination, family: IPFamily): { address: string; port: number } {
  switch (to.kind) {
    case 'clusterIP':
      return { address: clusterIPOf(number, family), port: to.port ?? SERVICE_PORT };
    case 'nodePort':
      return { address: to.address?.[family] ?? addressOf(to.node, family), port: nodePortOf(number) };
    default:
      return { address: externalOf(to.kind, number, to.node, family), port: SERVICE_PORT };
  }
}

function found<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new RangeError(`there is no ${key}`);
  return value;
}
