import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../src/embedded/demo/until.ts';
import { collect } from '../../../src/embedded/kubelet/control-loop.ts';
import { MemoryPodRuntime } from '../../../src/embedded/kubelet/memory-runtime.ts';
import {
  DEPLOYMENTS,
  type DeploymentObject,
  isActive,
  isTrue,
  NODES,
  PODS,
  type PodObject,
  REPLICA_SETS,
} from '../../../src/embedded/kubelet/objects.ts';
import type { Containers, PodRuntime } from '../../../src/embedded/kubelet/pod-runtime.ts';
import { startWorkload, type Workload } from '../../../src/embedded/kubelet/workload.ts';
import { LEASES } from '../../../src/kube/projections.ts';
import { resourceClient } from '../../../src/kube/typed.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { startCluster, topology } from './cluster.ts';

function deployment(name: string, replicas: number, image = 'nginx:1'): DeploymentObject {
  const labels = { app: name };
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image, ports: [{ containerPort: 80 }] }] },
      },
    },
  };
}

describe('Deployments, ReplicaSets, scheduler and kubelets at an API server', () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  let workload: Workload;
  /** Every running Pod's containers, by Pod name, to be ended by tests. */
  const crash = new Map<string, (exitCode: number) => void>();

  /** The runtime in memory, whose containers can be made to end. */
  function crashable(runtime: PodRuntime): PodRuntime {
    return {
      async createSandbox(pod) {
        const sandbox = await runtime.createSandbox(pod);
        return {
          ...sandbox,
          ips: sandbox.ips,
          remove: () => sandbox.remove(),
          start: async (): Promise<Containers> => {
            const containers = await sandbox.start();
            const exit = Promise.withResolvers<number>();
            crash.set(pod.metadata.name, exit.resolve);
            void containers.exited.then(exit.resolve);
            return { exited: exit.promise, stop: (graceMs) => containers.stop(graceMs) };
          },
        };
      },
    };
  }

  const pods = () => resourceClient(cluster.client, PODS);
  const deployments = () => resourceClient(cluster.client, DEPLOYMENTS);
  const podsOf = async (app: string) =>
    (await collect(pods().list({ namespace: 'default', labelSelector: `app=${app}` }))).filter(isActive);
  const readyPods = (app: string, count: number) =>
    until({ what: `${count} ready Pods of ${app}` }, async () => {
      const found = await podsOf(app);
      return found.length === count && found.every(({ status }) => isTrue(status?.conditions, 'Ready'))
        ? found
        : undefined;
    });
  const pod = (name: string, what: string, test: (pod: PodObject) => boolean) =>
    until({ what: `${name}: ${what}` }, async () => {
      const found = await pods().get('default', name);
      return test(found) ? found : undefined;
    });
  const rolledOut = (name: string) =>
    until({ what: `${name} rolled out` }, async () => {
      const { metadata, spec, status } = await deployments().get('default', name);
      const complete =
        status?.observedGeneration === metadata.generation &&
        (status?.updatedReplicas ?? 0) === spec.replicas &&
        (status?.replicas ?? 0) === spec.replicas &&
        (status?.availableReplicas ?? 0) === spec.replicas;
      return complete ? status : undefined;
    });

  beforeAll(async () => {
    cluster = await startCluster();
    workload = await startWorkload({
      client: cluster.client,
      topology,
      logger: silentLogger,
      runtime: (node) => crashable(new MemoryPodRuntime(node)),
    });
  });
  afterAll(async () => {
    await workload?.stop();
    await cluster?.stop();
  });

  it('registers nodes with zone, addresses, Pod network, resources, readiness and a Lease', async () => {
    const node = await resourceClient(cluster.client, NODES).get(undefined, 'worker2');
    expect(node.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'worker2',
      'topology.kubernetes.io/zone': 'zone-b',
    });
    expect(node.spec).toMatchObject({ podCIDR: '10.244.2.0/24', podCIDRs: ['10.244.2.0/24', 'fd00:10:244:2::/64'] });
    expect(node.status?.addresses).toContainEqual({ type: 'InternalIP', address: '172.18.0.13' });
    expect(node.status?.allocatable).toMatchObject({ cpu: '2' });
    expect(isTrue(node.status?.conditions, 'Ready')).toBe(true);
    const control = await resourceClient(cluster.client, NODES).get(undefined, 'control');
    expect(control.metadata.labels).toHaveProperty(['node-role.kubernetes.io/control-plane'], '');
    const lease = await resourceClient(cluster.client, LEASES).get('kube-node-lease', 'worker2');
    expect(lease.spec?.holderIdentity).toBe('worker2');
  });

  it('brings the Pods of a Deployment up on the workers, each with an address of its node, and reports it', async () => {
    await deployments().create(deployment('web', 3));
    const status = await rolledOut('web');
    expect(status).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3, updatedReplicas: 3 });
    expect(isTrue(status.conditions, 'Available')).toBe(true);
    expect(status.conditions?.find(({ type }) => type === 'Progressing')?.reason).toBe('NewReplicaSetAvailable');
    const found = await podsOf('web');
    const nodes = found.map(({ spec }) => spec.nodeName).sort();
    expect(new Set(nodes)).toEqual(new Set(['worker1', 'worker2']));
    for (const { spec, status } of found) {
      const index = topology.nodes.findIndex(({ name }) => name === spec.nodeName);
      expect(status?.podIP).toMatch(new RegExp(`^10\\.244\\.${index}\\.`));
      expect(status?.podIPs).toHaveLength(2);
      expect(status).toMatchObject({ phase: 'Running', hostIP: topology.nodes[index]?.ipv4 });
    }
    expect(new Set(found.map(({ status }) => status?.podIP)).size).toBe(3);
  });

  it('scales up, to nothing and back', async () => {
    await deployments().create(deployment('scaled', 1));
    for (const replicas of [5, 0, 2]) {
      await deployments().patch('default', 'scaled', { spec: { replicas } }, 'merge');
      await readyPods('scaled', replicas);
      await rolledOut('scaled');
    }
  });

  it('rolls a new template out through a second ReplicaSet, and notes the revisions', async () => {
    await deployments().create(deployment('rolled', 3));
    await rolledOut('rolled');
    const old = new Set((await podsOf('rolled')).map(({ metadata }) => metadata.name));
    await deployments().patch('default', 'rolled', deployment('rolled', 3, 'nginx:2'), 'strategic');
    await rolledOut('rolled');
    const fresh = await readyPods('rolled', 3);
    expect(fresh.some(({ metadata }) => old.has(metadata.name))).toBe(false);
    expect(fresh.map(({ spec }) => spec.containers[0]?.image)).toEqual(['nginx:2', 'nginx:2', 'nginx:2']);
    const sets = await collect(
      resourceClient(cluster.client, REPLICA_SETS).list({ namespace: 'default', labelSelector: 'app=rolled' }),
    );
    const revisions = sets.map(({ metadata, spec }) => [
      metadata.annotations?.['deployment.kubernetes.io/revision'],
      spec.replicas,
    ]);
    expect(revisions.sort()).toEqual([
      ['1', 0],
      ['2', 3],
    ]);
  });

  it('takes readiness from the annotation, and gives it back', async () => {
    await deployments().create(deployment('shy', 1));
    const [first] = await readyPods('shy', 1);
    const name = first?.metadata.name ?? '';
    const annotate = (value: string | null) =>
      pods().patch('default', name, { metadata: { annotations: { 'slicewise.dev/ready': value } } }, 'merge');
    await annotate('false');
    const unready = await pod(name, 'unready', ({ status }) => !isTrue(status?.conditions, 'Ready'));
    expect(unready.status).toMatchObject({ phase: 'Running', podIP: first?.status?.podIP });
    await until({ what: 'Deployment unavailable' }, async () => {
      const { status } = await deployments().get('default', 'shy');
      return isTrue(status?.conditions, 'Available') ? undefined : status;
    });
    await annotate(null);
    await rolledOut('shy');
  });

  it('waits for readiness gates', async () => {
    const gated = deployment('gated', 1);
    gated.spec.template.spec.readinessGates = [{ conditionType: 'example.com/lb' }];
    await deployments().create(gated);
    const [first] = await until({ what: 'a running Pod' }, async () => {
      const found = await podsOf('gated');
      return found[0]?.status?.phase === 'Running' ? found : undefined;
    });
    expect(isTrue(first?.status?.conditions, 'ContainersReady')).toBe(true);
    expect(isTrue(first?.status?.conditions, 'Ready')).toBe(false);
    const patch = { status: { conditions: [{ type: 'example.com/lb', status: 'True' }] } };
    await pods().patch('default', first?.metadata.name ?? '', patch, 'strategic', { subresource: 'status' });
    await readyPods('gated', 1);
  });

  it('replaces a deleted Pod, and lets the old one go only after it has ended', async () => {
    await deployments().create(deployment('lost', 1));
    const [first] = await readyPods('lost', 1);
    await pods().delete('default', first?.metadata.name ?? '');
    const [second] = await until({ what: 'another Pod' }, async () => {
      const found = await readyPods('lost', 1);
      return found[0]?.metadata.uid === first?.metadata.uid ? undefined : found;
    });
    expect(second?.metadata.name).not.toBe(first?.metadata.name);
    await expect(pods().get('default', first?.metadata.name ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('starts containers that have ended again and counts it, unless the Pod says never', async () => {
    await deployments().create(deployment('crashing', 1));
    const [first] = await readyPods('crashing', 1);
    const name = first?.metadata.name ?? '';
    crash.get(name)?.(137);
    const waiting = await pod(name, 'waiting', ({ status }) => !isTrue(status?.conditions, 'Ready'));
    expect(waiting.status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 137 } },
    });
    const back = await pod(name, 'back', ({ status }) => isTrue(status?.conditions, 'Ready'));
    expect(back.status?.podIP).toBe(first?.status?.podIP);

    const once: PodObject = {
      metadata: { name: 'once', namespace: 'default' },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'job' }] },
    };
    await pods().create(once);
    await pod('once', 'ready', ({ status }) => isTrue(status?.conditions, 'Ready'));
    crash.get('once')?.(0);
    const ended = await pod('once', 'ended', ({ status }) => status?.phase === 'Succeeded');
    expect(ended.status?.containerStatuses?.[0]?.state).toMatchObject({
      terminated: { exitCode: 0, reason: 'Completed' },
    });
  });

  it('keeps a Pod that fits nowhere pending, says why, and places it once a node fits', async () => {
    await pods().create({
      metadata: { name: 'picky', namespace: 'default' },
      spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'main', image: 'x' }] },
    });
    const pending = await pod('picky', 'unschedulable', ({ status }) => status?.conditions !== undefined);
    expect(pending.status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
      }),
    );
    await resourceClient(cluster.client, NODES).patch(
      undefined,
      'worker2',
      { metadata: { labels: { disk: 'ssd' } } },
      'merge',
    );
    const placed = await pod('picky', 'ready', ({ status }) => isTrue(status?.conditions, 'Ready'));
    expect(placed.spec.nodeName).toBe('worker2');
  });

  it('leaves a Pod that names its node to that node, and gives a host-network Pod the address of the node', async () => {
    await pods().create({
      metadata: { name: 'static', namespace: 'default' },
      spec: { nodeName: 'control', hostNetwork: true, containers: [{ name: 'main', image: 'x' }] },
    });
    const running = await pod('static', 'ready', ({ status }) => isTrue(status?.conditions, 'Ready'));
    expect(running.status).toMatchObject({ podIP: '172.18.0.11', hostIP: '172.18.0.11' });
  });

  it('ends the Pods of a deleted Deployment', async () => {
    await deployments().create(deployment('short', 2));
    await readyPods('short', 2);
    await deployments().delete('default', 'short', { propagationPolicy: 'Background' });
    await until({ what: 'no Pod' }, async () => {
      const left = await collect(pods().list({ namespace: 'default', labelSelector: 'app=short' }));
      return left.length === 0 ? true : undefined;
    });
  });
});
