import type { RequestOptions } from './client.ts';
import { ApiError } from './errors.ts';
import { isBrokenConnection } from './http-failure.ts';

export interface FailedAttempt {
  method: RequestOptions['method'];
  /** Attempts that were repeated before this one. */
  done: number;
  /** Most repetitions. */
  retries: number;
  /** Milliseconds that the whole call may still take. */
  leftMs: number;
  /** In [0, 1). */
  random: number;
}

/**
 * Milliseconds until a failed attempt is repeated, undefined when it is not. A 429 was never processed, so anything may be repeated; after
 * a 503 the server may have acted, so only what has the same effect twice; after a broken connection only reads, once: most often that
 * was a kept connection which the server had just given up.
 */
export function retryDelay(error: unknown, attempt: FailedAttempt): number | undefined {
  const { method, done, retries, leftMs, random } = attempt;
  if (leftMs <= 0) return undefined;
  if (!(error instanceof ApiError)) return method === 'GET' && done === 0 && isBrokenConnection(error) ? 0 : undefined;
  if (done >= retries || error.retryAfterMs === undefined) return undefined;
  const repeatable = error.httpStatus === 429 || (error.httpStatus === 503 && method !== 'POST' && method !== 'PATCH');
  if (!repeatable) return undefined;
  // A little later than asked, so that all clients that were turned away together do not come back together.
  const waitMs = error.retryAfterMs + random * Math.min(1000, error.retryAfterMs * 0.1 + 50);
  return waitMs < leftMs ? waitMs : undefined;
}
