import type { Occurrence, Reporter } from '../kube/events.ts';
import type { ObjectReference } from '../objects/meta.ts';
import { splitObjectKey } from '../objects/meta.ts';
import type { ServiceKey } from './names.ts';

/** Tells a cluster's operator something that `kubectl get events` shows. */
export type RecordEvent = (event: Occurrence) => void;

/** Whoever looks for kube-proxy's events finds ours. */
export function eventReporter(nodeName: string): Reporter {
  return { component: 'kube-proxy', host: `kube-proxy-${nodeName}` };
}

export function nodeReference(name: string): ObjectReference {
  return { apiVersion: 'v1', kind: 'Node', name };
}

export function serviceReference(key: ServiceKey): ObjectReference {
  return { apiVersion: 'v1', kind: 'Service', ...splitObjectKey(key) };
}

/** The proxier of this node has started. */
export function startingEvent(nodeName: string): Occurrence {
  const regarding = nodeReference(nodeName);
  return { type: 'Normal', reason: 'Starting', action: 'StartKubeProxy', regarding, message: '' };
}

/** A status server could not be bound, and `bindAddressHardFail` ends the process for it. */
export function bindFailureEvent(nodeName: string, server: 'healthz' | 'metrics', why: string): Occurrence {
  const reason = server === 'healthz' ? 'FailedToStartProxierHealthcheck' : 'FailedToStartMetricServer';
  return { type: 'Warning', reason, action: 'StartKubeProxy', regarding: nodeReference(nodeName), message: why };
}

export function healthPortFailureEvent(nodeName: string, service: ServiceKey, port: number, why: string): Occurrence {
  return {
    type: 'Warning',
    reason: 'FailedToStartServiceHealthcheck',
    action: 'Listen',
    regarding: serviceReference(service),
    message: `node ${nodeName} failed to start healthcheck ${JSON.stringify(service)} on port ${port}: ${why}`,
  };
}
