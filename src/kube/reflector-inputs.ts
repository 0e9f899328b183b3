import { ApiError } from './errors.ts';
import { isAbort } from './http-failure.ts';
import type { EventType, Failure, Input } from './reflector-types.ts';
import { isRecord, type JsonRecord } from './values.ts';

/** What the state machine needs to know of a change or a bookmark. `object`: projected, or raw where that failed. */
export function eventInput(type: EventType, object: unknown): Input {
  const { resourceVersion, annotations } = metadataOf(object);
  return {
    kind: 'event',
    type,
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : undefined,
    endOfInitial: type === 'BOOKMARK' && isRecord(annotations) && annotations['k8s.io/initial-events-end'] === 'true',
  };
}

export function toFailure(error: unknown): Failure {
  if (error instanceof ApiError) {
    return { code: error.code, answered: error.httpStatus !== undefined, retryAfterMs: error.retryAfterMs };
  }
  return { code: isAbort(error) ? 'TIMEOUT' : 'UNREACHABLE', answered: false };
}

function metadataOf(object: unknown): JsonRecord {
  return isRecord(object) && isRecord(object.metadata) ? object.metadata : {};
}
