import {
  type Condition,
  type ContainerStatus,
  conditionOf,
  type PodObject,
  type PodStatus,
  transition,
} from './objects.ts';

/** `false` takes a Pod out of its Services as a failing readiness probe would; removing it, or `true`, brings it back. */
export const READY_ANNOTATION = 'slicewise.dev/ready';

/** What a kubelet knows of a Pod's processes. */
export type PodActivity =
  | { state: 'starting'; reason?: string; message?: string }
  | { state: 'running'; ips: readonly string[]; startedAt: string; restarts: number }
  | (Ended & { state: 'restarting' })
  | (Ended & { state: 'ended' });

interface Ended {
  ips: readonly string[];
  restarts: number;
  exitCode: number;
  /** RFC 3339. */
  startedAt: string;
  finishedAt: string;
}

export interface StatusContext {
  hostIPs: readonly string[];
  /** RFC 3339. */
  now: string;
}

/** The whole status of a Pod. Conditions of types that kubelets do not own are kept. */
export function podStatus(pod: PodObject, activity: PodActivity, context: StatusContext): PodStatus {
  const before = pod.status ?? {};
  const { now, hostIPs } = context;
  const running = activity.state === 'running';
  const wanted = pod.metadata.annotations?.[READY_ANNOTATION] !== 'false';
  const containersReady = running && wanted;
  const gates = pod.spec.readinessGates ?? [];
  const failing = gates.filter(({ conditionType }) => conditionOf(before.conditions, conditionType)?.status !== 'True');
  const containers = pod.spec.containers.map(({ name }) => name).join(' ');
  const notReady = { reason: 'ContainersNotReady', message: `containers with unready status: [${containers}]` };
  const own: Condition[] = [
    { type: 'PodReadyToStartContainers', status: activity.state === 'starting' ? 'False' : 'True' },
    { type: 'Initialized', status: 'True' },
    { type: 'Ready', status: containersReady && failing.length === 0 ? 'True' : 'False' },
    { type: 'ContainersReady', status: containersReady ? 'True' : 'False' },
    { type: 'PodScheduled', status: 'True' },
  ];
  for (const condition of own) {
    if (condition.status !== 'False') continue;
    if (condition.type === 'Ready' && containersReady) {
      condition.reason = 'ReadinessGatesNotReady';
      condition.message = `the status of pod readiness gate "${failing[0]?.conditionType}" is not "True", but False`;
    } else if (condition.type === 'Ready' || condition.type === 'ContainersReady') {
      Object.assign(condition, notReady);
    }
  }
  const ips = activity.state === 'starting' ? [] : activity.ips;
  const [podIP] = ips;
  const [hostIP] = hostIPs;
  return {
    phase: phaseOf(activity),
    conditions: [
      ...own.map((condition) => transition(before.conditions, condition, now)),
      ...(before.conditions ?? []).filter(({ type }) => !own.some((condition) => condition.type === type)),
    ],
    ...(hostIP === undefined ? {} : { hostIP, hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(podIP === undefined ? {} : { podIP, podIPs: ips.map((ip) => ({ ip })) }),
    startTime: before.startTime ?? now,
    containerStatuses: pod.spec.containers.map((container) =>
      containerStatus(pod, container, activity, containersReady),
    ),
    qosClass: before.qosClass ?? 'BestEffort',
  };
}

function phaseOf(activity: PodActivity): NonNullable<PodStatus['phase']> {
  if (activity.state === 'starting') return 'Pending';
  if (activity.state === 'ended') return activity.exitCode === 0 ? 'Succeeded' : 'Failed';
  return 'Running';
}

function containerStatus(
  pod: PodObject,
  container: { name: string; image?: string },
  activity: PodActivity,
  ready: boolean,
): ContainerStatus {
  const image = container.image ?? '';
  const base = { name: container.name, image, imageID: image && `slicewise.dev/${image}`, ready, lastState: {} };
  const containerID = `slicewise://${pod.metadata.uid}/${container.name}`;
  switch (activity.state) {
    case 'starting': {
      const { reason = 'ContainerCreating', message } = activity;
      const waiting = message === undefined ? { reason } : { reason, message };
      return { ...base, started: false, restartCount: 0, state: { waiting } };
    }
    case 'running':
      return {
        ...base,
        started: true,
        restartCount: activity.restarts,
        containerID,
        state: { running: { startedAt: activity.startedAt } },
      };
    case 'restarting':
      return {
        ...base,
        started: false,
        restartCount: activity.restarts,
        containerID,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: terminated(activity) },
      };
    case 'ended':
      return {
        ...base,
        started: false,
        restartCount: activity.restarts,
        containerID,
        state: { terminated: terminated(activity) },
      };
  }
}

function terminated({ exitCode, startedAt, finishedAt }: Ended) {
  return { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt, finishedAt };
}

/** Whether two statuses say the same, whatever the order of keys; the API server prints some absent fields as null. */
export function sameStatus(a: unknown, b: unknown): boolean {
  if (Object.is(a ?? undefined, b ?? undefined)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameStatus(Reflect.get(a, key), Reflect.get(b, key)));
}
