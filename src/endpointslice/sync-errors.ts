import { ApiError } from '../kube/errors.ts';

/** The cache does not yet show what we wrote; planning on it would undo or double it. */
export class StaleCacheError extends Error {
  override readonly name = 'StaleCacheError';

  constructor() {
    super('EndpointSlice informer cache is out of date');
  }
}

/** All that went wrong in one sync. One error reads as itself, several as a list of the different ones. */
export class SyncError extends Error {
  override readonly name = 'SyncError';
  readonly errors: readonly Error[];

  constructor(errors: readonly Error[]) {
    const messages = [...new Set(errors.map((error) => error.message))];
    super(messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`, { cause: errors[0] });
    this.errors = errors;
  }
}

/** The longest wait that the API server asked for with any of the failures; milliseconds. */
export function retryAfterMs(error: unknown): number | undefined {
  if (error instanceof ApiError) return error.retryAfterMs;
  if (error instanceof SyncError) {
    const waits = error.errors.map(retryAfterMs).filter((wait) => wait !== undefined);
    return waits.length > 0 ? Math.max(...waits) : undefined;
  }
  return error instanceof Error && error.cause !== undefined ? retryAfterMs(error.cause) : undefined;
}
