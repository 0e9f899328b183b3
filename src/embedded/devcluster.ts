import { readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createKubeClient } from '../kube/http-client.ts';
import { loadClusterAccess } from '../kube/kubeconfig.ts';
import type { Logger } from '../observe/logger.ts';
import { type ApiServer, startApiServer } from './apiserver/server.ts';
import type { Hosts } from './hosts/hosts.ts';
import { MemoryHosts } from './hosts/memory-hosts.ts';
import { startNamespaceHosts } from './hosts/namespace-hosts.ts';
import { type NodeSpec, planTopology } from './hosts/topology.ts';
import { HostsPodRuntime } from './kubelet/hosts-runtime.ts';
import { MemoryPodRuntime } from './kubelet/memory-runtime.ts';
import { startWorkload } from './kubelet/workload.ts';
import { UndoStack } from './undo-stack.ts';

export interface DevClusterOptions {
  /** How many nodes; the first is the control plane. 0: an API server and nothing else. */
  nodes: number;
  /** 0: any free port. */
  port: number;
  /** Where to write the kubeconfig; a private directory when absent. Removed at the end. */
  kubeconfigOut?: string | undefined;
  /** Nodes and Pods as network namespaces; else Pods have addresses but run nothing. */
  realHosts: boolean;
  logger: Logger;
}

export interface DevCluster {
  api: ApiServer;
  kubeconfig: string;
  hosts: Hosts;
  stop(): Promise<void>;
}

/** Where nodes reach the API server on their own network. */
const WIRE_PORT = 6443;
const ZONES = ['zone-a', 'zone-b', 'zone-c'];

/** @throws Error in one line: a port in use, a kubeconfig that is not ours to replace, namespaces that cannot be had. */
export async function startDevCluster(options: DevClusterOptions): Promise<DevCluster> {
  const { port, realHosts, logger } = options;
  const specs = nodeSpecs(options.nodes);
  // The hosts need at least one node; without nodes they only lend their directory.
  const topology = planTopology(specs.length > 0 ? specs : [{ name: 'unused', zone: 'none' }]);
  const out = options.kubeconfigOut === undefined ? undefined : resolve(options.kubeconfigOut);
  if (out !== undefined) assertReplaceable(out);
  const stack = new UndoStack();
  try {
    const api = await startApiServer({ port, extraNames: realHosts ? [topology.wire.ipv4] : [] });
    stack.push(() => api.stop());
    const hosts = realHosts ? await startNamespaceHosts({ topology }) : new MemoryHosts({ topology });
    stack.push(() => hosts.stop());
    const kubeconfig = out ?? join(hosts.runDir, 'kubeconfig');
    await api.writeKubeconfig(kubeconfig);
    if (out !== undefined) stack.push(() => rmSync(out, { force: true }));
    if (realHosts) {
      await api.addServer(await hosts.listenOnWire(WIRE_PORT));
      const server = `https://${topology.wire.ipv4}:${WIRE_PORT}`;
      await api.writeKubeconfig(join(hosts.runDir, 'node.kubeconfig'), server);
    }
    if (specs.length > 0) {
      const access = await loadClusterAccess({ kubeconfig });
      const client = createKubeClient(access, { userAgent: 'slicewise-devcluster', logger });
      stack.push(() => client.close());
      const workload = await startWorkload({
        client,
        topology,
        logger,
        runtime: (node) => (realHosts ? new HostsPodRuntime(hosts, node) : new MemoryPodRuntime(node)),
      });
      stack.push(() => workload.stop());
    }
    return { api, kubeconfig, hosts, stop: () => stack.undo() };
  } catch (error) {
    return stack.undoAndThrow(error);
  }
}

/** `control`, `worker1`, `worker2`, ..., spread over three zones. */
function nodeSpecs(count: number): NodeSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    name: index === 0 ? 'control' : `worker${index}`,
    zone: ZONES[Math.max(0, index - 1) % ZONES.length] ?? '',
    controlPlane: index === 0 && count > 1,
  }));
}

/** A file that an earlier run left may be replaced; somebody's way to a real cluster may not. */
function assertReplaceable(file: string): void {
  const problem = (text: string) => new Error(`--kubeconfig-out: ${text}`);
  const folder = dirname(file);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw problem(`${folder} is not a directory`);
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isFile()) throw problem(`${file} is not a file`);
  if (!/^current-context: "?slicewise"?$/m.test(readFileSync(file, 'utf8'))) {
    throw problem(`${file} exists and was not written by slicewise; name another file`);
  }
}
