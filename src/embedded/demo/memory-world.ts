import { join } from 'node:path';
import { Registry } from 'prom-client';
import { realClock } from '../../clock.ts';
import { EndpointSliceController, POD_INDEXERS, SLICE_INDEXERS } from '../../endpointslice/controller.ts';
import { DEFAULT_CONTROLLER_OPTIONS } from '../../endpointslice/options.ts';
import { createKubeClient } from '../../kube/http-client.ts';
import { loadClusterAccess } from '../../kube/kubeconfig.ts';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../kube/projections.ts';
import { Reflector } from '../../kube/reflector.ts';
import { resourceClient } from '../../kube/typed.ts';
import { silentLogger } from '../../observe/logger.ts';
import { startApiServer } from '../apiserver/server.ts';
import { MemoryHosts } from '../hosts/memory-hosts.ts';
import { MemoryPodRuntime } from '../kubelet/memory-runtime.ts';
import { startWorkload } from '../kubelet/workload.ts';
import { UndoStack } from '../undo-stack.ts';
import { CheckFailed } from './check.ts';
import { computedRules } from './computed-rules.ts';
import type { Narrator } from './narrator.ts';
import type { ClusterView } from './view.ts';
import { DEMO_TOPOLOGY } from './world.ts';

export interface MemoryWorld extends ClusterView {
  kubeconfig: string;
  stop(): Promise<void>;
}

/** The cluster of the demo without a network: real API server, real controller, Pods that run nothing, rules only computed. */
export async function startMemoryWorld(options: { out: Narrator; signal: AbortSignal }): Promise<MemoryWorld> {
  const { out, signal } = options;
  const topology = DEMO_TOPOLOGY;
  const stack = new UndoStack();
  try {
    const hosts = new MemoryHosts({ topology });
    stack.push(() => hosts.stop());
    const api = await startApiServer();
    stack.push(() => api.stop());
    const kubeconfig = join(hosts.runDir, 'kubeconfig');
    await api.writeKubeconfig(kubeconfig);
    const access = await loadClusterAccess({ kubeconfig });
    const logger = silentLogger;
    const client = createKubeClient(access, { userAgent: 'slicewise-demo', logger });
    stack.push(() => client.close());
    out.holds(`a Kubernetes API server at ${api.url}`);

    const runtime = (node: (typeof topology.nodes)[number]) => new MemoryPodRuntime(node);
    const starting = startWorkload({ client, topology, logger, runtime });
    const workload = await out.during('three kubelets, a scheduler and a deployment controller', starting);
    stack.push(() => workload.stop());

    const services = new Reflector({ client, resource: SERVICES, logger });
    const slices = new Reflector({ client, resource: ENDPOINT_SLICES, indexers: SLICE_INDEXERS, logger });
    const writes = resourceClient(client, ENDPOINT_SLICES);
    const controller = new EndpointSliceController({
      sources: {
        services,
        slices,
        pods: new Reflector({ client, resource: PODS, indexers: POD_INDEXERS, logger }),
        nodes: new Reflector({ client, resource: NODES, logger }),
      },
      client: { ...writes, delete: ({ metadata: { namespace, name } }) => writes.delete(namespace, name) },
      events: { record: () => undefined },
      clock: realClock,
      random: Math.random,
      logger,
      registry: new Registry(),
      options: DEFAULT_CONTROLLER_OPTIONS,
    });
    stack.push(() => controller.stop());
    await out.during('the EndpointSlice controller', controller.start());
    return {
      computed: true,
      topology,
      client,
      signal,
      kubeconfig,
      stop: () => stack.undo(),
      rules: async (name) => {
        const node = topology.nodes.find((candidate) => candidate.name === name);
        if (!node) throw new CheckFailed(`there is no node "${name}"`);
        return computedRules(topology, node, { services: services.store.list(), slices: slices.store.list() });
      },
    };
  } catch (error) {
    return stack.undoAndThrow(error);
  }
}
