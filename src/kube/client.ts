export type PatchType = 'merge' | 'strategic' | 'json' | 'apply';

export interface RequestOptions {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path at the server, already percent-encoded. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** JSON body. */
  body?: unknown;
  /** In place of `body`: an object as protobuf, in its envelope. */
  message?: Buffer;
  /** `Accept` header. Where the answer is protobuf, its bytes are the result. @default application/json */
  accept?: string;
  /** Required for PATCH. */
  patchType?: PatchType;
  /** Milliseconds until the call fails with `TimeoutError`; the client's default when absent. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface StreamOptions {
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  signal: AbortSignal;
  /** Milliseconds until response headers must have arrived. */
  headersTimeoutMs?: number;
  /** `Accept` header. @default application/json */
  accept?: string;
  /** Told the media type of the answer before `stream` resolves. */
  onContentType?: (mediaType: string) => void;
  /** Waits and asks again, within that time, when the server says when to come back. Without it that is the caller's to do. */
  retry?: boolean;
}

/** The body of an answer as it arrives, for one reader. An end before its time rejects the reader. */
export interface ByteStream extends AsyncIterableIterator<Buffer, undefined> {
  /** True once nothing more will come. */
  readonly destroyed: boolean;
  /** Ends it; `reason` is what a reader who waits is told. */
  destroy(reason?: Error): void;
}

/**
 * One pooled connection to one API server. Every failure is an `ApiError` (errors.ts) or, when the caller aborted, an
 * `AbortError`. Safe for concurrent use; calls after `close()` reject.
 */
export interface KubeClient {
  /** Sends one request and resolves with the decoded JSON body (`undefined` for an empty one), or with the bytes of a protobuf body. */
  request(options: RequestOptions): Promise<unknown>;
  /** Opens a watch-like response; resolves once a 2xx status has arrived. The caller owns the stream. */
  stream(options: StreamOptions): Promise<ByteStream>;
  close(): Promise<void>;
}
