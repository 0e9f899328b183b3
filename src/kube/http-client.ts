import type { Dispatcher } from 'undici';
import { type Clock, type Random, realClock, sleep } from '../clock.ts';
import type { Logger } from '../observe/logger.ts';
import type { ByteStream, KubeClient, PatchType, RequestOptions, StreamOptions } from './client.ts';
import { type Connections, createConnections } from './connections.ts';
import { ApiError } from './errors.ts';
import { errorFromTransport } from './http-failure.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { PROTOBUF } from './proto/envelope.ts';
import { retryDelay } from './retry.ts';
import { errorFromResponse } from './status.ts';
import { openStream } from './streamed-answer.ts';
import { TimeLimit } from './time-limit.ts';
import { messageOf, singleLine } from './values.ts';
import { type Answer, ask } from './whole-answer.ts';

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
  /**
   * Called synchronously right before the first byte of an attempt is written, of a repeated one too; not for streams. What it throws is
   * the failure of the call.
   */
  beforeSend?: (attempt: Pick<RequestOptions, 'method' | 'path'>) => void;
  /** Told about every finished attempt. `code` is the HTTP status, or the `ApiErrorCode` when no response came. */
  onAttempt?: (attempt: { method: string; code: string; durationMs: number }) => void;
}

type Call = Pick<RequestOptions, 'method' | 'path' | 'query'>;

type Received = Pick<Answer, 'statusCode' | 'headers'>;

/** How a request goes out, and how the body of what comes back is had when it is no success. */
interface Transport<R extends Received> {
  send(request: Dispatcher.DispatchOptions): Promise<R>;
  bodyOf(received: R): Buffer | Promise<Buffer>;
}

const JSON_TYPE = 'application/json';

const PATCH_TYPES: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** A client whose connections can be cut. */
export interface SeverableClient extends KubeClient {
  /** Fails every call at once and for good. Bytes that no connection has sent yet will never be sent, by the kernel neither. */
  sever(): void;
}

/** One pooled client for one API server. HTTP/1.1, keep-alive, no compression (on a LAN it costs more than it saves). */
export function createKubeClient(access: ClusterAccess, options: KubeClientOptions): SeverableClient {
  return new HttpKubeClient(access, options);
}

class HttpKubeClient implements SeverableClient {
  #access: ClusterAccess;
  #options: KubeClientOptions;
  #clock: Clock;
  #random: Random;
  #timeoutMs: number;
  #connections: Promise<Connections> | undefined;
  #opened: Connections | undefined;
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
    const { method, path, signal } = options;
    const headers = requestHeaders(options);
    const body = options.message ?? (options.body === undefined ? null : JSON.stringify(options.body));
    const limit = this.#limit(signal, options.timeoutMs ?? this.#timeoutMs, `${method} ${path}`);
    const { beforeSend } = this.#options;
    try {
      return await this.#repeat(options, limit, this.#options.retries ?? 5, async () => {
        const { calls } = await this.#open();
        const answer = await this.#exchange(options, headers, {
          send: (request) =>
            ask(calls, { request: { ...request, body }, limit, beforeSend: beforeSend && (() => beforeSend(options)) }),
          bodyOf: (received) => received.body,
        });
        const isProtobuf = String(answer.headers['content-type'] ?? '').startsWith(PROTOBUF);
        return isProtobuf ? answer.body : decode(answer.body.toString('utf8'), options);
      });
    } finally {
      limit.release();
    }
  }

  async stream(options: StreamOptions): Promise<ByteStream> {
    const call = { method: 'GET' as const, path: options.path, ...(options.query && { query: options.query }) };
    const headers = { accept: options.accept ?? JSON_TYPE };
    const limit = this.#limit(options.signal, options.headersTimeoutMs ?? this.#timeoutMs, `GET ${options.path}`);
    try {
      const response = await this.#repeat(call, limit, options.retry ? (this.#options.retries ?? 5) : 0, async () => {
        const { watches } = await this.#open();
        return this.#exchange(call, headers, {
          send: (request) => openStream(watches, { request, limit }),
          bodyOf: (received) => readAll(received.body),
        });
      });
      limit.keepForCallerOnly();
      options.onContentType?.(String(response.headers['content-type'] ?? ''));
      return response.body;
    } catch (error) {
      limit.release();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#connections) return;
    const { calls, watches } = await this.#connections;
    await Promise.all([calls.close(), watches.destroy(closedError(this.#access.server))]);
  }

  sever(): void {
    this.#closed = true;
    this.#opened?.sever();
  }

  #open(): Promise<Connections> {
    if (this.#closed) throw closedError(this.#access.server);
    this.#connections ??= this.#connect();
    return this.#connections;
  }

  async #connect(): Promise<Connections> {
    const connections = await createConnections(this.#access, this.#options.connections ?? 32);
    this.#opened = connections;
    // Severed meanwhile.
    if (this.#closed) connections.sever();
    return connections;
  }

  #limit(caller: AbortSignal | undefined, timeoutMs: number, call: string): TimeLimit {
    return new TimeLimit(this.#clock, caller, timeoutMs, `${call}: no complete answer from ${this.#access.server}`);
  }

  /** Attempts until one succeeds, or fails for good. */
  async #repeat<R>(request: Call, limit: TimeLimit, retries: number, attempt: () => Promise<R>): Promise<R> {
    for (let done = 0; ; done++) {
      try {
        return await attempt();
      } catch (error) {
        const { method } = request;
        const leftMs = this.#closed ? 0 : limit.deadline - this.#clock.monotonic();
        const waitMs = retryDelay(error, { method, done, retries, leftMs, random: this.#random() });
        if (waitMs === undefined) throw errorFromTransport(error, this.#access.server);
        this.#options.logger.debug(
          { path: request.path, done, waitMs, reason: messageOf(error) },
          'request is repeated',
        );
        if (waitMs > 0) await sleep(this.#clock, waitMs, limit.signal);
        limit.throwIfOver();
      }
    }
  }

  /** One exchange that ends with a 2xx response; repeated once with new credentials after a 401. @throws ApiError for others. */
  async #exchange<R extends Received>(
    call: Call,
    headers: Record<string, string>,
    { send, bodyOf }: Transport<R>,
  ): Promise<R> {
    for (let renewed = false; ; renewed = true) {
      const startedAt = this.#clock.monotonic();
      const report = (code: string) =>
        this.#options.onAttempt?.({ method: call.method, code, durationMs: this.#clock.monotonic() - startedAt });
      try {
        const authorization = await this.#access.authorization();
        const response = await send({
          method: call.method,
          path: `${this.#basePath}${call.path}${queryString(call.query)}`,
          headers: {
            ...this.#access.headers,
            'user-agent': this.#options.userAgent,
            ...headers,
            ...(authorization !== undefined && { authorization }),
          },
          // Time limits are ours: they cover waiting for a connection as well, and the clock can be a test's.
          headersTimeout: 0,
          bodyTimeout: 0,
        });
        report(String(response.statusCode));
        if (response.statusCode >= 200 && response.statusCode < 300) return response;
        const failure = this.#failure(call, response, await bodyOf(response));
        if (failure.code !== 'UNAUTHORIZED' || renewed || !this.#access.refused()) throw failure;
      } catch (error) {
        const failure = errorFromTransport(error, this.#access.server);
        // A response was reported when it came.
        if (!(failure instanceof ApiError)) report('ABORTED');
        else if (failure.httpStatus === undefined) report(failure.code);
        throw error;
      }
    }
  }

  #failure({ method, path }: Call, { statusCode, headers }: Received, body: Buffer): ApiError {
    const retryAfter = headers['retry-after'];
    return errorFromResponse(
      {
        method,
        path,
        httpStatus: statusCode,
        retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
        body,
      },
      this.#clock.now(),
    );
  }
}

function closedError(server: string): ApiError {
  return new ApiError({ code: 'UNREACHABLE', message: `the client for ${server} is closed` });
}

function requestHeaders(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = { accept: options.accept ?? JSON_TYPE };
  if (options.message) return { ...headers, 'content-type': PROTOBUF };
  if (options.body === undefined) return headers;
  if (options.method !== 'PATCH') return { ...headers, 'content-type': JSON_TYPE };
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

async function readAll(body: ByteStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
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
