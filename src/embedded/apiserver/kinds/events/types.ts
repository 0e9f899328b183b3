import type { RawObject } from '../../kind.ts';

/** A core/v1 Event after decoding: also the form in which events of both groups are stored. */
export interface CoreEvent extends RawObject {
  involvedObject: {
    kind?: string;
    namespace?: string;
    name?: string;
    uid?: string;
    apiVersion?: string;
    resourceVersion?: string;
    fieldPath?: string;
  };
  related?: Record<string, unknown>;
  reason?: string;
  message?: string;
  type?: string;
  action?: string;
  source: { component?: string; host?: string };
  firstTimestamp: string | null;
  lastTimestamp: string | null;
  eventTime: string | null;
  count?: number;
  series?: { count?: number; lastObservedTime?: string | null };
  reportingComponent: string;
  reportingInstance: string;
}

/** An object of this kind's bucket; decoding made sure of the types. */
export function asEvent(object: RawObject): CoreEvent {
  return object as CoreEvent;
}
