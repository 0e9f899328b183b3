import type { Service } from '../objects/service.ts';
import type { PlannedEvent } from './plan.ts';

/** Tells the people who look at a Service (`kubectl describe`). Never fails and never waits: events are best effort. */
export interface ServiceEvents {
  record(service: Service, event: PlannedEvent): void;
}
