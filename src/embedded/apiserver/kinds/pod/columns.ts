import type { RawObject, TableColumn } from '../../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn, since } from '../columns.ts';
import { asPod, type Container, type ContainerStatus, type PodObject } from './types.ts';

export const podColumns: TableColumn[] = [
  nameColumn,
  column('Ready', 'Ready containers of all containers.'),
  column('Status', 'What the Pod is doing, or why it is not.'),
  column('Restarts', 'How often containers were restarted, and when last.'),
  ageColumn,
  column('IP', 'First address of the Pod.', 1),
  column('Node', 'Node the Pod runs on.', 1),
  column('Nominated Node', 'Node on which room is being made for the Pod.', 1),
  column('Readiness Gates', 'Readiness gates that are true, of all.', 1),
];

export function podRow(object: RawObject, now: Date): string[] {
  const pod = asPod(object);
  const { spec, status } = pod;
  const { reason, ready, restarts, lastRestart } = summarise(pod);
  const sidecars = (spec.initContainers ?? []).filter(isSidecar).length;
  const total = (spec.containers?.length ?? 0) + sidecars;
  return [
    nameCell(object),
    `${ready}/${total}`,
    reason,
    restarts > 0 && lastRestart !== undefined ? `${restarts} (${since(lastRestart, now)} ago)` : String(restarts),
    ageCell(object, now),
    status.podIPs?.[0]?.ip || '<none>',
    spec.nodeName || '<none>',
    status.nominatedNodeName || '<none>',
    readinessGates(pod),
  ];
}

interface Summary {
  reason: string;
  ready: number;
  restarts: number;
  /** RFC 3339. */
  lastRestart: string | undefined;
}

function summarise(pod: PodObject): Summary {
  const { status, metadata } = pod;
  const summary: Summary = {
    reason: status.reason || status.phase || '',
    ready: 0,
    restarts: 0,
    lastRestart: undefined,
  };
  if (hasCondition(pod, 'PodScheduled', (condition) => condition.reason === 'SchedulingGated')) {
    summary.reason = 'SchedulingGated';
  }
  const { isInitialising, sidecars } = addInitContainers(pod, summary);
  if (!isInitialising || hasCondition(pod, 'Initialized', ({ status: value }) => value === 'True')) {
    Object.assign(summary, sidecars);
    addContainers(pod, summary);
  }
  if (metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') summary.reason = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') summary.reason = 'Terminating';
  }
  return summary;
}

type Restarts = Pick<Summary, 'restarts' | 'lastRestart'>;

/** Counts init containers up to the first that is not done, which becomes the reason. Apart, the restarts of sidecars. */
function addInitContainers(
  { spec, status }: PodObject,
  summary: Summary,
): { isInitialising: boolean; sidecars: Restarts } {
  const containers = new Map((spec.initContainers ?? []).map((container) => [container.name, container]));
  const sidecars: Restarts = { restarts: 0, lastRestart: undefined };
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    count(container, summary);
    const spec = containers.get(container.name);
    const isKnownSidecar = spec !== undefined && isSidecar(spec);
    if (isKnownSidecar) count(container, sidecars);
    const { terminated, waiting } = container.state;
    if (terminated?.exitCode === 0) continue;
    if (isKnownSidecar && container.started) {
      if (container.ready) summary.ready++;
      continue;
    }
    if (terminated) summary.reason = `Init:${terminationReason(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') summary.reason = `Init:${waiting.reason}`;
    else summary.reason = `Init:${i}/${containers.size}`;
    return { isInitialising: true, sidecars };
  }
  return { isInitialising: false, sidecars };
}

function addContainers(pod: PodObject, summary: Summary): void {
  let isAnyRunning = false;
  for (const container of [...(pod.status.containerStatuses ?? [])].reverse()) {
    count(container, summary);
    const { waiting, terminated, running } = container.state;
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated) summary.reason = terminationReason(terminated);
    else if (container.ready && running) {
      isAnyRunning = true;
      summary.ready++;
    }
  }
  if (summary.reason === 'Completed' && isAnyRunning) {
    summary.reason = hasCondition(pod, 'Ready', ({ status }) => status === 'True') ? 'Running' : 'NotReady';
  }
}

function count(container: ContainerStatus, summary: Restarts): void {
  summary.restarts += container.restartCount;
  summary.lastRestart = later(summary.lastRestart, container.lastState.terminated?.finishedAt);
}

function later(a: string | undefined, b: string | null | undefined): string | undefined {
  return b && (a === undefined || Date.parse(b) > Date.parse(a)) ? b : a;
}

function terminationReason({ reason, signal, exitCode }: NonNullable<ContainerStatus['state']['terminated']>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always';
}

type Condition = NonNullable<PodObject['status']['conditions']>[number];

function hasCondition({ status }: PodObject, type: string, test: (condition: Condition) => boolean): boolean {
  return status.conditions?.some((condition) => condition.type === type && test(condition)) ?? false;
}

function readinessGates(pod: PodObject): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const met = gates.filter(({ conditionType }) => hasCondition(pod, conditionType, ({ status }) => status === 'True'));
  return `${met.length}/${gates.length}`;
}
