import type { Clock } from '../clock.ts';
import type { KubeClient, RequestOptions } from './client.ts';
import { ApiError } from './errors.ts';
import { ListScanner } from './list-scanner.ts';
import { ACCEPT_PROTOBUF, PROTOBUF } from './proto/envelope.ts';
import { ListCutter } from './proto/list-cutter.ts';
import { ProtobufError } from './proto/reader.ts';
import { StreamWatchdog } from './stream-watchdog.ts';
import { turns } from './turns.ts';
import { isRecord, singleLine } from './values.ts';

export interface ListPageOptions {
  client: KubeClient;
  path: string;
  query: NonNullable<RequestOptions['query']>;
  signal: AbortSignal;
  clock: Clock;
  /** Asks for protobuf; what comes may still be JSON. */
  protobuf?: boolean;
}

export interface ListPageEnd {
  resourceVersion: string;
  continueToken: string | undefined;
}

/** A server that has begun to answer a list goes on within this time, or not at all. */
const SILENCE_MS = 30_000;
/** Not even all objects at once over a slow line take longer than this. */
const TOTAL_MS = 600_000;

/**
 * Yields the raw objects of one page of a LIST as they arrive (parsed JSON, or the bytes of protobuf messages) and returns what its metadata
 * says, giving the event loop back between slices of work.
 *
 * @throws ApiError; BAD_RESPONSE when the answer is not a list, TIMEOUT when it does not go on.
 */
export async function* readListPage(options: ListPageOptions): AsyncGenerator<unknown, ListPageEnd, void> {
  const { client, path, query, signal, clock, protobuf } = options;
  let format = jsonList();
  const body = await client.stream({
    path,
    query,
    signal,
    retry: true,
    ...(protobuf && { accept: ACCEPT_PROTOBUF }),
    onContentType: (type) => {
      if (type.startsWith(PROTOBUF)) format = protobufList();
    },
  });
  const watchdog = new StreamWatchdog(clock, () =>
    body.destroy(new ApiError({ code: 'TIMEOUT', message: `GET ${path}: the answer did not go on` })),
  );
  watchdog.limitTotal(TOTAL_MS);
  watchdog.limitSilence(SILENCE_MS);
  try {
    for await (const chunk of body) {
      watchdog.fed();
      for (const item of format.push(chunk)) {
        if (turns.due()) await turns.wait();
        yield item;
      }
    }
    const { resourceVersion, continueToken } = format.end();
    if (resourceVersion === undefined) throw new SyntaxError('it has no resourceVersion');
    return { resourceVersion, continueToken };
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof ProtobufError)) throw cause;
    const message = `GET ${path}: the answer is not a list: ${singleLine(cause.message)}`;
    throw new ApiError({ code: 'BAD_RESPONSE', message, cause });
  } finally {
    watchdog.release();
  }
}

/** Cuts a list into its raw objects. @throws SyntaxError or ProtobufError */
interface ListFormat {
  push(chunk: Buffer): Iterable<unknown>;
  end(): { resourceVersion: string | undefined; continueToken: string | undefined };
}

/** Items are the bytes of their messages. */
function protobufList(): ListFormat {
  const cutter = new ListCutter();
  return { push: (chunk) => cutter.push(chunk), end: () => cutter.end() };
}

/** Items are parsed one by one. */
function jsonList(): ListFormat {
  const scanner = new ListScanner();
  return {
    *push(chunk) {
      for (const text of scanner.push(chunk)) yield JSON.parse(text);
    },
    end() {
      const list: unknown = JSON.parse(scanner.envelope());
      const metadata = isRecord(list) && isRecord(list.metadata) ? list.metadata : {};
      const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
      return { resourceVersion: text(metadata.resourceVersion), continueToken: text(metadata.continue) };
    },
  };
}
