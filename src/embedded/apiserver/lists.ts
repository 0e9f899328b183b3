import type { Exchange } from './handler.ts';
import type { RawObject } from './kind.ts';
import type { ServedKind } from './registry.ts';
import type { ResourceTarget } from './request.ts';
import { sendChunks } from './respond.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { bodyOf } from './serialize.ts';

const itemsPerChunk = 250;

/** Answers a list request. @throws StatusError */
export async function serveList(exchange: Exchange, kind: ServedKind, target: ResourceTarget): Promise<void> {
  const { query } = exchange.info;
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', kind.definition);
  const revision = exchange.serving.registry.store.revision;
  const items = kind.bucket
    .list(target.namespace)
    .map((object) => kind.view(object))
    .filter((object) => labels(object) && fields(object));
  const meta = { resourceVersion: String(revision) };
  await sendChunks(exchange.response, 'application/json', listChunks(kind, meta, items));
}

function* listChunks(kind: ServedKind, meta: object, items: RawObject[]): Iterable<Buffer> {
  const head = `{"kind":"${kind.definition.kind}List","apiVersion":"${kind.apiVersion}","metadata":${JSON.stringify(meta)},"items":[`;
  yield Buffer.from(head);
  const comma = Buffer.from(',');
  for (let start = 0; start < items.length; start += itemsPerChunk) {
    const parts: Buffer[] = [];
    for (const item of items.slice(start, start + itemsPerChunk)) {
      if (start > 0 || parts.length > 0) parts.push(comma);
      parts.push(bodyOf(item));
    }
    yield Buffer.concat(parts);
  }
  yield Buffer.from(']}');
}
