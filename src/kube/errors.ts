/** What went wrong, as callers need to tell it apart. Stable: tests, logs and metrics use these words. */
export type ApiErrorCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'CONFLICT'
  | 'GONE'
  | 'INVALID'
  | 'TOO_MANY_REQUESTS'
  | 'SERVER_ERROR'
  | 'TIMEOUT'
  | 'UNREACHABLE'
  | 'BAD_RESPONSE';

/** A `Status` object as the API server sends it with every failure (meta/v1). */
export interface ApiStatus {
  kind?: string;
  status?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    causes?: { reason?: string; message?: string; field?: string }[];
    retryAfterSeconds?: number;
  };
}

export interface ApiErrorInit {
  code: ApiErrorCode;
  message: string;
  /** HTTP status; absent when no response arrived. */
  httpStatus?: number;
  status?: ApiStatus;
  /** Milliseconds, from `Retry-After` or `details.retryAfterSeconds`. */
  retryAfterMs?: number;
  cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiErrorCode;
  readonly httpStatus: number | undefined;
  readonly status: ApiStatus | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(init: ApiErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.httpStatus = init.httpStatus;
    this.status = init.status;
    this.retryAfterMs = init.retryAfterMs;
  }

  /** True when the server named this cause, for example `NamespaceTerminating`. */
  hasCause(reason: string): boolean {
    return this.status?.details?.causes?.some((c) => c.reason === reason) ?? false;
  }
}

export function isApiError(error: unknown, code?: ApiErrorCode): error is ApiError {
  return error instanceof ApiError && (code === undefined || error.code === code);
}

/** The way to an API server cannot be read or is not complete: names the file (or environment) and the field at fault, in one line. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
  /** The kubeconfig, certificate or token file; absent when nothing was found at all. */
  readonly file: string | undefined;
  /** The field at fault as a kubeconfig spells it: `clusters[0].cluster.server`. */
  readonly field: string | undefined;

  constructor(message: string, init: { file?: string | undefined; field?: string | undefined; cause?: unknown } = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.file = init.file;
    this.field = init.field;
  }
}

/** An object from the server lacks what every object has; it is skipped and counted. */
export class ProjectionError extends Error {
  override readonly name = 'ProjectionError';
}
