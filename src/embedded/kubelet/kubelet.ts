import { type Clock, realClock, type Timer } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isApiError } from '../../kube/errors.ts';
import { LEASES } from '../../kube/projections.ts';
import { Reflector } from '../../kube/reflector.ts';
import { resourceClient } from '../../kube/typed.ts';
import { messageOf } from '../../kube/values.ts';
import type { Logger } from '../../observe/logger.ts';
import type { NodeAddresses } from '../hosts/topology.ts';
import { ControlLoop, keyOf, onEveryChange, statusPatch } from './control-loop.ts';
import { ignoreNotFound } from './deployment-controller.ts';
import { DEFAULT_RESOURCES, type NodeResources, nodeObject, nodeStatus } from './node-object.ts';
import { NODES, PODS, type PodObject, type PodStatus, timestamp } from './objects.ts';
import type { Containers, PodRuntime, Sandbox } from './pod-runtime.ts';
import { type PodActivity, podStatus, sameStatus } from './pod-status.ts';

export interface KubeletOptions {
  client: KubeClient;
  node: NodeAddresses;
  runtime: PodRuntime;
  logger: Logger;
  clock?: Clock;
  resources?: NodeResources;
  /** Told of each Pod status once the API server has it. */
  onStatusWritten?: (pod: PodObject, status: PodStatus) => void;
}

/** One Pod that this kubelet has something of. */
interface RunningPod {
  uid: string | undefined;
  sandbox: Sandbox;
  containers: Containers | undefined;
  activity: PodActivity;
  restarts: number;
  /** Monotonic milliseconds before which an ended Pod is not started again. */
  restartAt: number;
}

const LEASE_NAMESPACE = 'kube-node-lease';
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
/** First wait before a restart; doubles each time. Kubelets start at 10 s; this cluster is for looking at. */
const RESTART_BASE_MS = 1000;
const RESTART_MAX_MS = 300_000;
const DEFAULT_GRACE_SECONDS = 30;

/** One node's agent: registers the node and keeps the Pods bound to it running and reported. */
export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #clock: Clock;
  readonly #pods: Reflector<PodObject>;
  readonly #loop: ControlLoop;
  readonly #running = new Map<string, RunningPod>();
  #leaseTimer: Timer | undefined;
  #stopped = false;

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    const { client, node } = options;
    const logger = options.logger.child({ node: node.name });
    const fieldSelector = `spec.nodeName=${node.name}`;
    this.#pods = new Reflector({ client, resource: PODS, logger, clock: this.#clock, fieldSelector });
    this.#loop = new ControlLoop({
      name: 'kubelet',
      logger,
      clock: this.#clock,
      concurrency: 8,
      work: (key) => this.#sync(key),
    });
    this.#pods.addHandler(onEveryChange((pod) => this.#loop.add(keyOf(pod))));
  }

  /** Resolves once the node is registered and its Pods are known. */
  async start(): Promise<void> {
    await this.#register();
    await this.#renewLease();
    this.#pods.start();
    await this.#pods.synced;
    this.#loop.start();
  }

  /** Leaves no process behind; says nothing to the API server. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#leaseTimer?.cancel();
    await this.#pods.stop();
    await this.#loop.stop();
    // Every Pod is ended, also when one cannot be.
    const ends = await Promise.allSettled([...this.#running].map(([key, pod]) => this.#tearDown(key, pod, 0)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #register(): Promise<void> {
    const nodes = resourceClient(this.#options.client, NODES);
    const { node, resources = DEFAULT_RESOURCES } = this.#options;
    const object = nodeObject(node);
    try {
      await nodes.create(object);
    } catch (error) {
      if (!isApiError(error, 'ALREADY_EXISTS')) throw error;
      await nodes.patch(undefined, node.name, { metadata: { labels: object.metadata.labels } }, 'merge');
    }
    const status = nodeStatus(node, resources, timestamp(this.#clock.now()));
    await nodes.patch(undefined, node.name, { status }, 'merge', { subresource: 'status' });
  }

  /** A node Lease that is renewed is the cheap heartbeat of KEP-589. */
  async #renewLease(): Promise<void> {
    const leases = resourceClient(this.#options.client, LEASES);
    const { name } = this.#options.node;
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: new Date(this.#clock.now()).toISOString().replace('Z', '000Z'),
    };
    try {
      await leases.patch(LEASE_NAMESPACE, name, { spec }, 'merge').catch(async (error: unknown) => {
        ignoreNotFound(error);
        await leases.create({ metadata: { name, namespace: LEASE_NAMESPACE }, spec });
      });
    } catch (error) {
      // A missed heartbeat is no reason to end: the next one is due in ten seconds.
      this.#options.logger.warn({ node: name, error: messageOf(error) }, 'lease not renewed');
    }
    if (!this.#stopped) this.#leaseTimer = this.#clock.setTimer(() => void this.#renewLease(), RENEW_MS);
  }

  async #sync(key: string): Promise<void> {
    const pod = this.#pods.store.get(key);
    const known = this.#running.get(key);
    if (known && known.uid !== pod?.metadata.uid) await this.#tearDown(key, known, 0);
    if (!pod) return;
    if (pod.metadata.deletionTimestamp) return this.#terminate(key, pod);
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
    const running = this.#running.get(key) ?? (await this.#admit(key, pod));
    if (!running.containers && running.activity.state !== 'ended') await this.#startContainers(key, pod, running);
    await this.#report(pod, running.activity);
  }

  async #admit(key: string, pod: PodObject): Promise<RunningPod> {
    try {
      const sandbox = await this.#options.runtime.createSandbox(pod);
      const running: RunningPod = {
        uid: pod.metadata.uid,
        sandbox,
        containers: undefined,
        activity: { state: 'starting' },
        restarts: 0,
        restartAt: 0,
      };
      this.#running.set(key, running);
      return running;
    } catch (error) {
      await this.#report(pod, { state: 'starting', reason: 'CreatePodSandboxError', message: messageOf(error) });
      throw error;
    }
  }

  async #startContainers(key: string, pod: PodObject, running: RunningPod): Promise<void> {
    const waitMs = running.restartAt - this.#clock.monotonic();
    if (waitMs > 0) return this.#loop.add(key, waitMs);
    try {
      const containers = await running.sandbox.start();
      running.containers = containers;
      const startedAt = timestamp(this.#clock.now());
      running.activity = { state: 'running', ips: running.sandbox.ips, startedAt, restarts: running.restarts };
      void containers.exited.then((exitCode) => this.#onExit(key, pod, running, exitCode));
    } catch (error) {
      this.#options.logger.warn({ pod: key, error: messageOf(error) }, 'containers did not start');
      this.#onExit(key, pod, running, 1);
    }
  }

  #onExit(key: string, pod: PodObject, running: RunningPod, exitCode: number): void {
    running.containers = undefined;
    // While a Pod is being torn down its end is no news.
    if (this.#running.get(key) !== running || this.#stopped) return;
    const { ips } = running.sandbox;
    const finishedAt = timestamp(this.#clock.now());
    const startedAt = running.activity.state === 'starting' ? finishedAt : running.activity.startedAt;
    const { restartPolicy = 'Always' } = pod.spec;
    if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0)) {
      running.activity = { state: 'ended', ips, restarts: running.restarts, exitCode, startedAt, finishedAt };
    } else {
      const backoff = Math.min(RESTART_BASE_MS * 2 ** running.restarts, RESTART_MAX_MS);
      running.restartAt = this.#clock.monotonic() + backoff;
      running.restarts++;
      running.activity = { state: 'restarting', ips, restarts: running.restarts, exitCode, startedAt, finishedAt };
    }
    this.#loop.add(key);
  }

  async #report(pod: PodObject, activity: PodActivity): Promise<void> {
    const { client, node, onStatusWritten } = this.#options;
    const context = { hostIPs: [node.ipv4, node.ipv6], now: timestamp(this.#clock.now()) };
    const status = podStatus(pod, activity, context);
    if (sameStatus({ ...pod.status, ...status }, pod.status)) return;
    const { namespace, name } = pod.metadata;
    const patch = statusPatch(undefined, status);
    await resourceClient(client, PODS)
      .patch(namespace, name, patch, 'merge', { subresource: 'status' })
      .then(() => onStatusWritten?.(pod, status), ignoreNotFound);
  }

  /** "Termination of Pods": ask, wait, kill; only then is the object let go. */
  async #terminate(key: string, pod: PodObject): Promise<void> {
    const running = this.#running.get(key);
    const graceSeconds = pod.metadata.deletionGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
    if (running) await this.#tearDown(key, running, graceSeconds * 1000);
    const { namespace, name, uid } = pod.metadata;
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    try {
      await resourceClient(this.#options.client, PODS).delete(namespace, name, {
        gracePeriodSeconds: 0,
        ...preconditions,
      });
    } catch (error) {
      // Gone already, or replaced by another of the same name.
      if (!isApiError(error, 'CONFLICT')) ignoreNotFound(error);
    }
  }

  async #tearDown(key: string, running: RunningPod, graceMs: number): Promise<void> {
    this.#running.delete(key);
    await running.containers?.stop(graceMs);
    await running.sandbox.remove();
  }
}
