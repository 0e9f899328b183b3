import type { EventRecorder } from '../kube/events.ts';
import type { Service } from '../objects/service.ts';
import type { PlannedEvent } from './plan.ts';

/** Tells the people who look at a Service (`kubectl describe`). Never fails and never waits: events are best effort. */
export interface ServiceEvents {
  record(service: Service, event: PlannedEvent): void;
}

export function serviceEvents(recorder: EventRecorder): ServiceEvents {
  return {
    record({ metadata: { namespace, name, uid, resourceVersion } }, event) {
      const regarding = {
        apiVersion: 'v1',
        kind: 'Service',
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
      recorder.record({ regarding, ...event });
    },
  };
}
