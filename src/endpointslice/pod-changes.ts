import { isPodReady, type Pod } from '../objects/pod.ts';
import { isCandidate } from './endpoint.ts';

type Labels = Readonly<Record<string, string>> | undefined;

/** What an event about a Pod means to the Services of its namespace. */
export interface PodChange {
  namespace: string;
  labels: Labels;
  /** Only when the labels changed. */
  labelsBefore?: Labels;
  /** The Pod itself changed, so that Services that select it before and after are concerned too. */
  podChanged: boolean;
}

/** Where to do as upstream does. */
export interface PodChangeOptions {
  /** A Pod that runs to its end counts as changed. Upstream notices only its conditions and addresses. */
  watchPhase: boolean;
}

/**
 * What is new about a Pod, given what was known before and is now; undefined when nothing that shows in slices. A Pod
 * that could not appear in any slice before and cannot now is never news.
 */
export function podChange(
  before: Pod | undefined,
  after: Pod | undefined,
  options: PodChangeOptions,
): PodChange | undefined {
  const pod = after ?? before;
  if (pod === undefined) return undefined;
  const shows = (before !== undefined && isCandidate(before)) || (after !== undefined && isCandidate(after));
  // Without an eye on the phase, a Pod that ran to its end may still stand in slices.
  if (!shows && options.watchPhase) return undefined;
  const { namespace = '', labels } = pod.metadata;
  if (before === undefined || after === undefined) return { namespace, labels, podChanged: true };
  const podChanged = hasChanged(before, after, options);
  if (!sameLabels(before.metadata.labels, labels)) {
    return { namespace, labels, labelsBefore: before.metadata.labels, podChanged };
  }
  return podChanged ? { namespace, labels, podChanged } : undefined;
}

function hasChanged(before: Pod, after: Pod, { watchPhase }: PodChangeOptions): boolean {
  return (
    before.metadata.uid !== after.metadata.uid ||
    (before.metadata.deletionTimestamp === undefined) !== (after.metadata.deletionTimestamp === undefined) ||
    isPodReady(before) !== isPodReady(after) ||
    before.spec.nodeName !== after.spec.nodeName ||
    !sameAddresses(before, after) ||
    (watchPhase && isCandidate(before) !== isCandidate(after))
  );
}

function sameAddresses(before: Pod, after: Pod): boolean {
  const [a, b] = [before.status.podIPs ?? [], after.status.podIPs ?? []];
  return a.length === b.length && a.every(({ ip }, i) => ip === b[i]?.ip);
}

export function sameLabels(a: Labels, b: Labels): boolean {
  if (a === b) return true;
  const [x, y] = [a ?? {}, b ?? {}];
  let size = 0;
  for (const key in x) {
    if (x[key] !== y[key]) return false;
    size++;
  }
  return Object.keys(y).length === size;
}
