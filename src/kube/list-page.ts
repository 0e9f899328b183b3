import type { Clock } from '../clock.ts';
import type { KubeClient, RequestOptions } from './client.ts';
import { ApiError } from './errors.ts';
import { ListScanner } from './list-scanner.ts';
import { StreamWatchdog } from './stream-watchdog.ts';
import { turns } from './turns.ts';
import { isRecord, messageOf, singleLine } from './values.ts';

export interface ListPageEnd {
  resourceVersion: string;
  continueToken: string | undefined;
}

/** A server that has begun to answer a list goes on within this time, or not at all. */
const SILENCE_MS = 30_000;
/** Not even all objects at once over a slow line take longer than this. */
const TOTAL_MS = 600_000;

/**
 * Yields the raw objects of one page of a LIST as they arrive and returns what its metadata says, giving the event loop back between
 * slices of work.
 *
 * @throws ApiError; BAD_RESPONSE when the answer is not a list, TIMEOUT when it does not go on.
 */
export async function* readListPage(options: {
  client: KubeClient;
  path: string;
  query: NonNullable<RequestOptions['query']>;
  signal: AbortSignal;
  clock: Clock;
}): AsyncGenerator<unknown, ListPageEnd, void> {
  const { client, path, query, signal, clock } = options;
  const body = await client.stream({ path, query, signal, retry: true });
  const watchdog = new StreamWatchdog(clock, () =>
    body.destroy(new ApiError({ code: 'TIMEOUT', message: `GET ${path}: the answer did not go on` })),
  );
  watchdog.limitTotal(TOTAL_MS);
  watchdog.limitSilence(SILENCE_MS);
  const scanner = new ListScanner();
  try {
    for await (const chunk of body) {
      watchdog.fed();
      for (const text of scanner.push(chunk as Buffer)) {
        if (turns.due()) await turns.wait();
        yield parse(text, path);
      }
    }
  } finally {
    watchdog.release();
  }
  return readEnvelope(parse(scanner.envelope(), path), path);
}

function readEnvelope(list: unknown, path: string): ListPageEnd {
  const metadata = isRecord(list) && isRecord(list.metadata) ? list.metadata : {};
  const { resourceVersion, continue: token } = metadata;
  // `items` of an empty list may be null or left out.
  if (typeof resourceVersion !== 'string' || resourceVersion === '') {
    throw new ApiError({
      code: 'BAD_RESPONSE',
      message: `GET ${path}: the answer is not a list with a resourceVersion`,
    });
  }
  return { resourceVersion, continueToken: typeof token === 'string' && token !== '' ? token : undefined };
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `GET ${path}: the list is not JSON: ${singleLine(messageOf(cause))}`;
    throw new ApiError({ code: 'BAD_RESPONSE', message, cause });
  }
}
