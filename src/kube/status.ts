import { ApiError, type ApiErrorCode, type ApiStatus } from './errors.ts';
import { isEnvelope, openEnvelope } from './proto/envelope.ts';
import { ProtoReader } from './proto/reader.ts';
import { readStatus } from './proto/status.ts';
import { isRecord, singleLine } from './values.ts';

/** What the server answered instead of success. */
export interface FailedResponse {
  method: string;
  /** Path without query, for messages. */
  path: string;
  httpStatus: number;
  /** Raw `Retry-After` header. */
  retryAfter?: string | undefined;
  /** JSON, protobuf, or whatever something in between answers. */
  body: Buffer;
}

/** Turns a response with a non-2xx status into the error that callers match on. `now`: epoch milliseconds. */
export function errorFromResponse(response: FailedResponse, now: number): ApiError {
  const status = parseStatus(response.body);
  const text = status?.message ?? singleLine(response.body.toString('utf8', 0, 1000)).slice(0, 200);
  return apiError(response.httpStatus, status, {
    message: `${response.method} ${response.path}: ${text || `HTTP ${response.httpStatus}`} (${response.httpStatus})`,
    retryAfterMs: parseRetryAfter(response.retryAfter, now),
  });
}

/** Turns the `Status` object of an in-stream ERROR event into an error; its `code` plays the part of the HTTP status. */
export function errorFromStatus(object: unknown, context: string): ApiError {
  const status = isRecord(object) ? (object as ApiStatus) : undefined;
  const code = typeof status?.code === 'number' ? status.code : 500;
  return apiError(code, status, {
    message: `${context}: ${status?.message ?? 'error event without a message'} (${code})`,
  });
}

function apiError(
  httpStatus: number,
  status: ApiStatus | undefined,
  init: { message: string; retryAfterMs?: number | undefined },
): ApiError {
  const seconds = status?.details?.retryAfterSeconds;
  const retryAfterMs =
    init.retryAfterMs ??
    (typeof seconds === 'number' && seconds > 0 ? Math.min(MAX_RETRY_AFTER_MS, seconds * 1000) : undefined);
  return new ApiError({
    code: codeFor(httpStatus, status?.reason),
    message: singleLine(init.message),
    httpStatus,
    ...(status && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Status codes and reasons: meta/v1 `StatusReason` in the API documentation. */
export function codeFor(httpStatus: number, reason: string | undefined): ApiErrorCode {
  switch (httpStatus) {
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
      return 'BAD_REQUEST';
    case 401:
      return 'UNAUTHORIZED';
    case 403:
      return 'FORBIDDEN';
    case 404:
      return 'NOT_FOUND';
    case 408:
    case 504:
      return 'TIMEOUT';
    case 409:
      return reason === 'AlreadyExists' ? 'ALREADY_EXISTS' : 'CONFLICT';
    case 410:
      return 'GONE';
    case 422:
      return 'INVALID';
    case 429:
      return 'TOO_MANY_REQUESTS';
    default:
      return httpStatus >= 500 ? 'SERVER_ERROR' : 'BAD_RESPONSE';
  }
}

/** The longest wait that is believed. An API server asks for seconds; a wrong clock makes years of a date. */
const MAX_RETRY_AFTER_MS = 600_000;

/** Milliseconds to wait, from seconds or an HTTP date; undefined when absent or unreadable. A date in the past is 0. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}

function parseStatus(body: Buffer): ApiStatus | undefined {
  try {
    if (isEnvelope(body)) return readStatus(new ProtoReader(openEnvelope(body).raw));
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isRecord(value) && value.kind === 'Status' ? (value as ApiStatus) : undefined;
  } catch {
    // A proxy in between may answer with anything; the text itself then serves as the message.
    return undefined;
  }
}
