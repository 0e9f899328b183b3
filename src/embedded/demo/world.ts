import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKubeClient } from '../../kube/http-client.ts';
import { loadClusterAccess } from '../../kube/kubeconfig.ts';
import { silentLogger } from '../../observe/logger.ts';
import { type ApiServer, startApiServer } from '../apiserver/server.ts';
import type { HostProcess } from '../hosts/hosts.ts';
import { type NamespaceHosts, startNamespaceHosts } from '../hosts/namespace-hosts.ts';
import type { Ability } from '../hosts/prerequisites.ts';
import { planTopology, type Topology } from '../hosts/topology.ts';
import { HostsPodRuntime } from '../kubelet/hosts-runtime.ts';
import { startWorkload, type Workload } from '../kubelet/workload.ts';
import { UndoStack } from '../undo-stack.ts';
import { CheckFailed } from './check.ts';
import type { Narrator } from './narrator.ts';
import { StatusTimes } from './status-times.ts';
import { aborted } from './until.ts';
import type { ClusterView } from './view.ts';

export const DEMO_TOPOLOGY: Topology = planTopology([
  { name: 'control', zone: 'zone-a', controlPlane: true },
  { name: 'worker1', zone: 'zone-a' },
  { name: 'worker2', zone: 'zone-b' },
]);

/** The whole small cluster of the demo. */
export interface World extends ClusterView {
  hosts: NamespaceHosts;
  api: ApiServer;
  /** For people: reaches the API server over this machine's loopback. */
  kubeconfig: string;
  controller: HostProcess;
  /** By node. */
  proxiers: ReadonlyMap<string, HostProcess>;
  statusTimes: StatusTimes;
  /** Ends everything, in order. Safe to call more than once. */
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url));
const API_PORT = 6443;
/** How long a controller or proxier may take until it is synced. */
const START_MS = 30_000;

export interface WorldOptions {
  ability: Ability;
  out: Narrator;
  /** Aborted when the person at the terminal wants to leave. */
  signal: AbortSignal;
}

/** @throws HostsError, CheckFailed or an error of the API server's start; nothing is left behind then. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { out } = options;
  const topology = DEMO_TOPOLOGY;
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const stack = new UndoStack();

  /** A process that has to last: its end breaks the world. */
  const lasting = async (host: string, args: string[], started: RegExp): Promise<HostProcess> => {
    const process_ = await hosts.spawn(host, [process.execPath, MAIN, ...args]);
    const timeout = AbortSignal.timeout(START_MS);
    const given = aborted(AbortSignal.any([signal, timeout]));
    await Promise.race([process_.waitForLine(started), given]).catch((error: unknown) => {
      if (error !== timeout.reason) throw error;
      throw new CheckFailed(`"slicewise ${args[0]}" on ${host} was not synced within ${START_MS / 1000} s`);
    });
    void process_.exited.then(({ code, signal: by }) => {
      if (stack.begun) return;
      const last = process_.recentLines.slice(-5).join('\n');
      broken.abort(new CheckFailed(`"slicewise ${args[0]}" on ${host} ended (${by ?? `code ${code}`}):\n${last}`));
    });
    return process_;
  };

  let hosts: NamespaceHosts;
  try {
    hosts = await out.during(
      'a network with three nodes and a client outside',
      startNamespaceHosts({ topology, ability: options.ability }),
    );
    stack.push(() => hosts.stop());
    void hosts.lost.then((error) => broken.abort(error));
    signal.throwIfAborted();

    const api = await startApiServer({ extraNames: [topology.wire.ipv4] });
    stack.push(() => api.stop());
    await api.addServer(await hosts.listenOnWire(API_PORT));
    const kubeconfig = join(hosts.runDir, 'kubeconfig');
    const nodeKubeconfig = join(hosts.runDir, 'node.kubeconfig');
    await api.writeKubeconfig(kubeconfig);
    await api.writeKubeconfig(nodeKubeconfig, `https://${topology.wire.ipv4}:${API_PORT}`);
    const client = createKubeClient(await loadClusterAccess({ kubeconfig }), {
      userAgent: 'slicewise-demo',
      logger: silentLogger,
    });
    stack.push(() => client.close());
    out.holds(`a Kubernetes API server at ${api.url}, on the network as ${topology.wire.ipv4}:${API_PORT}`);

    const statusTimes = new StatusTimes();
    const workload: Workload = await out.during(
      'three kubelets, a scheduler and a deployment controller',
      startWorkload({
        client,
        topology,
        logger: silentLogger,
        runtime: (node) => new HostsPodRuntime(hosts, node),
        onStatusWritten: (pod, status) => statusTimes.record(pod, status),
      }),
    );
    stack.push(() => workload.stop());
    signal.throwIfAborted();

    const [control] = topology.nodes;
    const clusterCIDR = hosts.ipv6 ? `${topology.clusterCIDR},${topology.clusterCIDR6}` : topology.clusterCIDR;
    const starting = Promise.all([
      lasting(control?.name ?? '', ['controller', '--kubeconfig', nodeKubeconfig], /controller synced/),
      Promise.all(
        topology.nodes.map(async ({ name }) => {
          const args = ['--kubeconfig', nodeKubeconfig, '--hostname-override', name, '--cluster-cidr', clusterCIDR];
          return [name, await lasting(name, ['proxier', ...args], /proxier synced/)] as const;
        }),
      ),
    ]);
    const [controller, proxiers] = await out.during(
      'slicewise controller, and slicewise proxier on every node',
      starting,
    );
    const rules = async (node: string) => {
      const { code, stdout, stderr } = await hosts.exec(node, ['iptables-save']);
      if (code !== 0) throw new CheckFailed(`iptables-save on ${node} ended with code ${code}: ${stderr.trim()}`);
      return stdout;
    };
    return {
      computed: false,
      rules,
      hosts,
      topology,
      api,
      client,
      kubeconfig,
      controller,
      proxiers: new Map(proxiers),
      statusTimes,
      signal,
      stop: () => stack.undo(),
    };
  } catch (error) {
    return stack.undoAndThrow(error);
  }
}
