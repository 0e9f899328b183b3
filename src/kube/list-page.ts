import type { KubeClient, RequestOptions } from './client.ts';
import { ApiError } from './errors.ts';
import { turns } from './turns.ts';
import { isRecord } from './values.ts';

export interface ListPageEnd {
  resourceVersion: string;
  continueToken: string | undefined;
}

/**
 * Yields the raw objects of one page of a LIST and returns what its metadata says, giving the event loop back between slices of work.
 *
 * @throws ApiError; BAD_RESPONSE when the answer is not a list.
 */
export async function* readListPage(options: {
  client: KubeClient;
  path: string;
  query: NonNullable<RequestOptions['query']>;
  signal: AbortSignal;
}): AsyncGenerator<unknown, ListPageEnd, void> {
  const { client, path, query, signal } = options;
  const page = await client.request({ method: 'GET', path, query, signal });
  const metadata = isRecord(page) && isRecord(page.metadata) ? page.metadata : {};
  const { resourceVersion, continue: token } = metadata;
  if (!isRecord(page) || typeof resourceVersion !== 'string' || resourceVersion === '') {
    throw new ApiError({
      code: 'BAD_RESPONSE',
      message: `GET ${path}: the answer is not a list with a resourceVersion`,
    });
  }
  for (const item of Array.isArray(page.items) ? page.items : []) {
    if (turns.due()) await turns.wait();
    yield item;
  }
  return { resourceVersion, continueToken: typeof token === 'string' && token !== '' ? token : undefined };
}
