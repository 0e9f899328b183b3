import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type Clock, type Random, realClock, sleep } from '../clock.ts';
import type { Logger } from '../observe/logger.ts';
import type { KubeClient, PatchType, RequestOptions, StreamOptions } from './client.ts';
import { type Connections, createConnections } from './connections.ts';
import { ApiError } from './errors.ts';
import { errorFromTransport, isBrokenConnection } from './http-failure.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { errorFromResponse } from './status.ts';
import { type UndiciResponse, undiciRequest } from './undici-parts.ts';
import { messageOf, singleLine } from './values.ts';

export interface KubeClientOptions {
  userAgent: string;
  /** Milliseconds for a whole non-watch call: connecting, waiting as the server asked, retries, body. @default 30000 */
  timeoutMs?: number;
  /** Most connections for calls at once; each watch has one more of its own. @default 32 */
  connections?: number;
  /** Most further attempts after a 429 or 503 that says when to come back. @default 5 */
  retries?: number;
  logger: Logger;
  clock?: Clock;
  random?: Random;
  /** Told about every finished attempt. `code` is the HTTP status, or the `ApiErrorCode` when no response came. */
  onAttempt?: (attempt: { method: string; code: string; durationMs: number }) => void;
}

const PATCH_TYPES: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** One pooled client for one API server. HTTP/1.1, keep-alive, no compression (on a LAN it costs more than it saves). */
export function createKubeClient(access: ClusterAccess, options: KubeClientOptions): KubeClient {
  return new HttpKubeClient(access, options);
}

class HttpKubeClient implements KubeClient {
  #access: ClusterAccess;
  #options: KubeClientOptions;
  #clock: Clock;
  #random: Random;
  #timeoutMs: number;
  #connections: Promise<Connections> | undefined;
  #basePath: string;
  #closed = false;

  constructor(access: ClusterAccess, options: KubeClientOptions) {
    this.#access = access;
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? Math.random;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#basePath = new URL(access.server).pathname.replace(/\/$/, '');
  }

  async request(options: RequestOptions): Promise<unknown> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const deadline = this.#clock.monotonic() + timeoutMs;
    const limit = this.#limit(options.signal, timeoutMs, `${options.method} ${options.path}`);
    const headers = requestHeaders(options);
    const body = options.body === undefined ? null : JSON.stringify(options.body);
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          const text = await this.#attempt(options, headers, body, limit.signal);
          return decode(text, options);
        } catch (error) {
          const waitMs = this.#retryIn(error, attempt, options.method, deadline);
          if (waitMs === undefined) throw errorFromTransport(error, this.#access.server);
          this.#options.logger.debug(
            { path: options.path, attempt, waitMs, reason: messageOf(error) },
            'request is repeated',
          );
          await sleep(this.#clock, waitMs, limit.signal);
          limit.signal.throwIfAborted();
        }
      }
    } finally {
      limit.release();
    }
  }

  async stream(options: StreamOptions): Promise<Readable> {
    const limit = this.#limit(options.signal, options.headersTimeoutMs ?? this.#timeoutMs, `GET ${options.path}`);
    try {
      const request = { method: 'GET' as const, path: options.path, ...(options.query && { query: options.query }) };
      const response = await this.#send(
        (await this.#open()).watches,
        request,
        { accept: 'application/json' },
        null,
        limit.signal,
      );
      if (response.statusCode >= 200 && response.statusCode < 300) {
        limit.keepForCallerOnly(response.body);
        return response.body;
      }
      throw await this.#failure(request, response);
    } catch (error) {
      limit.release();
      throw errorFromTransport(error, this.#access.server);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#connections) return;
    const { calls, watches } = await this.#connections;
    await Promise.all([calls.close(), watches.destroy(closedError(this.#access.server))]);
  }

  #open(): Promise<Connections> {
    if (this.#closed) throw closedError(this.#access.server);
    this.#connections ??= createConnections(this.#access, this.#options.connections ?? 32);
    return this.#connections;
  }

  async #attempt(request: RequestOptions, headers: Record<string, string>, body: string | null, signal: AbortSignal) {
    const response = await this.#send((await this.#open()).calls, request, headers, body, signal);
    if (response.statusCode < 200 || response.statusCode > 299) throw await this.#failure(request, response);
    return readText(response.body);
  }

  /** One exchange up to the response's headers; repeated once with new credentials after a 401. */
  async #send(
    dispatcher: Dispatcher,
    request: Pick<RequestOptions, 'method' | 'path' | 'query'>,
    headers: Record<string, string>,
    body: string | null,
    signal: AbortSignal,
  ): Promise<UndiciResponse> {
    for (let renewed = false; ; renewed = true) {
      const startedAt = this.#clock.monotonic();
      const report = (code: string) =>
        this.#options.onAttempt?.({ method: request.method, code, durationMs: this.#clock.monotonic() - startedAt });
      try {
        const authorization = await this.#access.authorization();
        const response = await undiciRequest(dispatcher, {
          method: request.method,
          path: `${this.#basePath}${request.path}${queryString(request.query)}`,
          headers: {
            ...this.#access.headers,
            'user-agent': this.#options.userAgent,
            ...headers,
            ...(authorization !== undefined && { authorization }),
          },
          body,
          signal,
          // Time limits are ours: they cover waiting for a connection as well, and the clock can be a test's.
          headersTimeout: 0,
          bodyTimeout: 0,
        });
        report(String(response.statusCode));
        if (response.statusCode !== 401 || renewed || !this.#access.refused()) return response;
        await readText(response.body);
      } catch (error) {
        const failure = errorFromTransport(error, this.#access.server);
        report(failure instanceof ApiError ? failure.code : 'ABORTED');
        throw error;
      }
    }
  }

  async #failure(request: Pick<RequestOptions, 'method' | 'path'>, response: UndiciResponse): Promise<ApiError> {
    const { method, path } = request;
    const retryAfter = response.headers['retry-after'];
    return errorFromResponse(
      {
        method,
        path,
        httpStatus: response.statusCode,
        retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
        body: await readText(response.body),
      },
      this.#clock.now(),
    );
  }

  /**
   * Milliseconds until another attempt, undefined for none. A 429 was never processed, so anything may be repeated; after a 503 or a
   * broken connection the server may have acted, so only what has the same effect twice.
   */
  #retryIn(error: unknown, attempt: number, method: RequestOptions['method'], deadline: number): number | undefined {
    if (this.#closed) return undefined;
    const repeatable = method === 'GET' || method === 'PUT' || method === 'DELETE';
    if (!(error instanceof ApiError))
      return method === 'GET' && attempt === 0 && isBrokenConnection(error) ? 0 : undefined;
    if (attempt >= (this.#options.retries ?? 5) || error.retryAfterMs === undefined) return undefined;
    if (error.httpStatus !== 429 && !(error.httpStatus === 503 && repeatable)) return undefined;
    // A little later than asked, so that all clients that were turned away together do not come back together.
    const waitMs = error.retryAfterMs + this.#random() * Math.min(1000, error.retryAfterMs * 0.1 + 50);
    return this.#clock.monotonic() + waitMs < deadline ? waitMs : undefined;
  }

  #limit(caller: AbortSignal | undefined, timeoutMs: number, what: string) {
    const controller = new AbortController();
    const abort = () => controller.abort(abortError(caller?.reason));
    if (caller?.aborted) abort();
    caller?.addEventListener('abort', abort, { once: true });
    const timer = this.#clock.setTimer(
      () =>
        controller.abort(
          new ApiError({
            code: 'TIMEOUT',
            message: `${what}: no complete answer from ${this.#access.server} in ${timeoutMs} ms`,
          }),
        ),
      timeoutMs,
    );
    return {
      signal: controller.signal,
      release: () => {
        timer.cancel();
        caller?.removeEventListener('abort', abort);
      },
      /** The headers came in time; from here only the caller ends the stream. */
      keepForCallerOnly: (stream: Readable) => {
        timer.cancel();
        stream.once('close', () => caller?.removeEventListener('abort', abort));
      },
    };
  }
}

function closedError(server: string): ApiError {
  return new ApiError({ code: 'UNREACHABLE', message: `the client for ${server} is closed` });
}

function requestHeaders(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.body === undefined) return headers;
  if (options.method !== 'PATCH') return { ...headers, 'content-type': 'application/json' };
  if (!options.patchType) throw new TypeError(`PATCH ${options.path}: patchType is missing`);
  return { ...headers, 'content-type': PATCH_TYPES[options.patchType] };
}

function queryString(query: RequestOptions['query']): string {
  if (!query) return '';
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function decode(text: string, request: RequestOptions): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${request.method} ${request.path}: the answer is not JSON: ${singleLine(messageOf(cause))}`;
    throw new ApiError({ code: 'BAD_RESPONSE', message, cause });
  }
}

function abortError(reason: unknown): Error {
  if (reason instanceof Error && reason.name === 'AbortError') return reason;
  return new DOMException(reason === undefined ? 'aborted' : messageOf(reason), 'AbortError');
}
