import { join } from 'node:path';
import { startApiServer } from '../../../../src/embedded/apiserver/server.ts';
import { until } from '../../../../src/embedded/demo/until.ts';
import type { HostProcess } from '../../../../src/embedded/hosts/hosts.ts';
import { type NamespaceHosts, startNamespaceHosts } from '../../../../src/embedded/hosts/namespace-hosts.ts';
import { planTopology, type Topology } from '../../../../src/embedded/hosts/topology.ts';
import { HostsPodRuntime } from '../../../../src/embedded/kubelet/hosts-runtime.ts';
import { startWorkload } from '../../../../src/embedded/kubelet/workload.ts';
import { UndoStack } from '../../../../src/embedded/undo-stack.ts';
import { createKubeClient } from '../../../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../../../src/kube/kubeconfig.ts';
import { silentLogger } from '../../../../src/observe/logger.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', '..', 'src', 'main.ts');
const API_PORT = 6443;

/** What kind makes of cluster.yaml: the names and zones of its nodes. */
const topology: Topology = planTopology([
  { name: 'slicewise-control-plane', zone: 'none', controlPlane: true },
  { name: 'slicewise-worker', zone: 'zone-a' },
  { name: 'slicewise-worker2', zone: 'zone-b' },
]);

export const NODES: readonly string[] = topology.nodes.map(({ name }) => name);
/** The nodes that the Deployment's two replicas end up on. */
export const CONTROLLER_NODES = ['slicewise-control-plane', 'slicewise-worker'] as const;

/**
 * kind's cluster with both parts in it, made of network namespaces and an embedded API server: real rules, real requests, and the two
 * parts as real processes. What it lacks is kubelet's containers; a "Pod" of either part is its process on the node.
 */
export class Stage {
  readonly hosts: NamespaceHosts;
  readonly kubeconfig: string;
  readonly #undo: UndoStack;
  readonly #controllers = new Map<string, HostProcess>();
  readonly #proxiers = new Map<string, HostProcess>();
  /** The nodes whose controller runs with filled caches. */
  readonly #ready = new Set<string>();
  #closing = false;
  /** Whether the Deployment of the controller has replicas. */
  #wanted = true;

  private constructor(hosts: NamespaceHosts, kubeconfig: string, undo: UndoStack) {
    this.hosts = hosts;
    this.kubeconfig = kubeconfig;
    this.#undo = undo;
  }

  static async start(): Promise<Stage> {
    const undo = new UndoStack();
    try {
      const hosts = await startNamespaceHosts({ topology });
      undo.push(() => hosts.stop());
      const api = await startApiServer({ extraNames: [topology.wire.ipv4] });
      undo.push(() => api.stop());
      await api.addServer(await hosts.listenOnWire(API_PORT));
      const kubeconfig = join(hosts.runDir, 'kubeconfig');
      await api.writeKubeconfig(kubeconfig);
      await api.writeKubeconfig(join(hosts.runDir, 'node.kubeconfig'), `https://${topology.wire.ipv4}:${API_PORT}`);
      const client = createKubeClient(await loadClusterAccess({ kubeconfig }), {
        userAgent: 'test',
        logger: silentLogger,
      });
      undo.push(() => client.close());
      const runtime = (node: Topology['nodes'][number]) => new HostsPodRuntime(hosts, node);
      const workload = await startWorkload({ client, topology, logger: silentLogger, runtime });
      undo.push(() => workload.stop());
      const stage = new Stage(hosts, kubeconfig, undo);
      for (const { name } of topology.nodes) await stage.startProxier(name);
      await Promise.all(CONTROLLER_NODES.map((node) => stage.startController(node)));
      return stage;
    } catch (error) {
      return undo.undoAndThrow(error);
    }
  }

  stop(): Promise<void> {
    this.#closing = true;
    return this.#undo.undo();
  }

  /** The addresses of a node, those of the second family only where the kernel has it. */
  addressesOf(node: string): string[] {
    const found = topology.nodes.find(({ name }) => name === node);
    if (!found) throw new RangeError(`no node ${node}`);
    return this.hosts.ipv6 ? [found.ipv4, found.ipv6] : [found.ipv4];
  }

  controllerOn(node: string): HostProcess {
    const found = this.#controllers.get(node);
    if (!found) throw new RangeError(`no controller on ${node}`);
    return found;
  }

  /** Resolves once every controller runs, or runs again. */
  async controllersRun(): Promise<void> {
    await until({ what: 'controllers', timeoutMs: 60_000 }, async () =>
      this.#ready.size === CONTROLLER_NODES.length ? true : undefined,
    );
  }

  /** Scales the Deployment to none or to all of its replicas. */
  async scaleControllers(wanted: boolean): Promise<void> {
    this.#wanted = wanted;
    if (wanted) await Promise.all(CONTROLLER_NODES.map((node) => this.startController(node)));
    else
      for (const node of this.#ready) {
        const process = this.controllerOn(node);
        process.kill('SIGTERM');
        await process.exited;
      }
  }

  get runningControllers(): readonly string[] {
    return [...this.#ready];
  }

  get runningProxiers(): readonly string[] {
    return [...this.#proxiers.keys()];
  }

  async stopProxier(node: string): Promise<void> {
    const process = this.#proxiers.get(node);
    this.#proxiers.delete(node);
    process?.kill('SIGTERM');
    await process?.exited;
  }

  /** Replaces each proxier, as a rolling update does: the next one once the one before is synced. */
  async restartProxiers(): Promise<void> {
    for (const [node, process] of this.#proxiers) {
      process.kill('SIGTERM');
      await process.exited;
      await this.startProxier(node);
    }
  }

  async startProxier(node: string): Promise<void> {
    const flags = this.proxyFlags(node);
    const process_ = await this.hosts.spawn(node, [process.execPath, MAIN, 'proxier', ...flags]);
    await process_.waitForLine(/proxier synced/);
    this.#proxiers.set(node, process_);
  }

  /** For either proxy. */
  proxyFlags(node: string): string[] {
    const cidrs = this.hosts.ipv6 ? [topology.clusterCIDR, topology.clusterCIDR6] : [topology.clusterCIDR];
    return [`--kubeconfig=${this.#nodeKubeconfig}`, `--hostname-override=${node}`, `--cluster-cidr=${cidrs}`];
  }

  /** Its end is followed by another, as kubelet would have it. */
  private async startController(node: string): Promise<void> {
    const command = [process.execPath, MAIN, 'controller', `--kubeconfig=${this.#nodeKubeconfig}`];
    // On a node's network a Pod has the node's name for its own, which is what its identity begins with.
    const named = ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', node, ...command];
    const process_ = await this.hosts.spawn(node, named);
    await process_.waitForLine(/controller synced|caches are filled/);
    this.#controllers.set(node, process_);
    this.#ready.add(node);
    void process_.exited
      .then(() => {
        this.#ready.delete(node);
        return this.#closing || !this.#wanted ? undefined : this.startController(node);
      })
      .catch((error: unknown) => {
        // One that was starting when everything ended.
        if (!this.#closing) throw error;
      });
  }

  get #nodeKubeconfig(): string {
    return join(this.hosts.runDir, 'node.kubeconfig');
  }
}
