import type { ObjectReference } from '../objects/meta.ts';
import { splitObjectKey } from '../objects/meta.ts';
import type { ServiceKey } from './names.ts';

/** Something that a cluster's operator should be able to see with `kubectl get events`. */
export interface ProxyEvent {
  readonly type: 'Normal' | 'Warning';
  /** One CamelCase word. */
  readonly reason: string;
  readonly action: string;
  readonly regarding: ObjectReference;
  readonly note: string;
}

export type RecordEvent = (event: ProxyEvent) => void;

export function nodeReference(name: string): ObjectReference {
  return { apiVersion: 'v1', kind: 'Node', name };
}

export function serviceReference(key: ServiceKey): ObjectReference {
  return { apiVersion: 'v1', kind: 'Service', ...splitObjectKey(key) };
}

/** The proxier of this node has started. */
export function startingEvent(nodeName: string): ProxyEvent {
  const regarding = nodeReference(nodeName);
  return { type: 'Normal', reason: 'Starting', action: 'StartKubeProxy', regarding, note: '' };
}

/** A status server could not be bound, and `bindAddressHardFail` ends the process for it. */
export function bindFailureEvent(nodeName: string, server: 'healthz' | 'metrics', why: string): ProxyEvent {
  const reason = server === 'healthz' ? 'FailedToStartProxierHealthcheck' : 'FailedToStartMetricServer';
  return { type: 'Warning', reason, action: 'StartKubeProxy', regarding: nodeReference(nodeName), note: why };
}

export function healthPortFailureEvent(nodeName: string, service: ServiceKey, port: number, why: string): ProxyEvent {
  return {
    type: 'Warning',
    reason: 'FailedToStartServiceHealthcheck',
    action: 'Listen',
    regarding: serviceReference(service),
    note: `node ${nodeName} failed to start healthcheck ${JSON.stringify(service)} on port ${port}: ${why}`,
  };
}
