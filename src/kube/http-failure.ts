import { ApiError, KubeconfigError } from './errors.ts';
import { errorCode, isRecord, messageOf, singleLine } from './values.ts';

/**
 * Turns whatever a request threw below HTTP (name lookup, connect, TLS, a broken connection) into an `ApiError`. `server` is the base
 * URL and appears in the message; an `ApiError` or an abort passes through unchanged.
 */
export function errorFromTransport(error: unknown, server: string): Error {
  if (error instanceof ApiError || isAbort(error)) return error as Error;
  if (error instanceof KubeconfigError) {
    return new ApiError({
      code: 'UNAUTHORIZED',
      message: `no credentials for ${server}: ${error.message}`,
      cause: error,
    });
  }
  return new ApiError({ code: 'UNREACHABLE', message: describe(error, server), cause: error });
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** The connection broke after it had been established: an idle keep-alive connection that the server had just closed looks so. */
export function isBrokenConnection(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

function describe(error: unknown, server: string): string {
  const cause = rootCause(error);
  const code = errorCode(cause);
  switch (code) {
    case 'ECONNREFUSED':
      return `cannot reach ${server}: connection refused`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot reach ${server}: the name ${isRecord(cause) ? String(cause.hostname ?? '') : ''} does not resolve`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `cannot reach ${server}: no route to host`;
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return `cannot reach ${server}: connecting timed out`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `the connection to ${server} broke: ${singleLine(messageOf(cause))}`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return `cannot speak TLS with ${server}: is it an http server?`;
  }
  if (isCertificateProblem(code)) return `the certificate of ${server} is not trusted: ${singleLine(messageOf(cause))}`;
  return `cannot reach ${server}: ${singleLine(messageOf(cause)) || code || 'unknown error'}`;
}

/** Codes of OpenSSL verification failures (X509_V_ERR_*) and of Node's own name check. */
function isCertificateProblem(code: string): boolean {
  return /CERT|SELF_SIGNED|ISSUER|VERIFY|SIGNATURE|CRL/.test(code);
}

/** With several addresses for one name Node reports all attempts at once: the first stands for all. */
function rootCause(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors[0];
  return error;
}
