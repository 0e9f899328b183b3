import type { Exchange } from './handler.ts';
import type { ServedKind } from './registry.ts';
import { isTrue, type ResourceTarget } from './request.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { encodeObject } from './serialize.ts';
import { expired } from './status.ts';
import type { StoreEvent } from './store.ts';
import { CompactedError } from './store.ts';
import { WatchStream } from './watch.ts';

/** Answers a watch request. @throws StatusError */
export async function serveWatch(exchange: Exchange, kind: ServedKind, target: ResourceTarget): Promise<void> {
  const { info, response, serving } = exchange;
  const { query } = info;
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', kind.definition);
  const { clock, store } = serving.registry;
  const stream = new WatchStream(response, 'application/json');
  serving.watches.add(kind.definition.plural, stream);
  const prefix = target.namespace === undefined ? '' : `${target.namespace}/`;
  const matches = (object: StoreEvent['object'] | undefined) =>
    object !== undefined && labels(kind.view(object)) && fields(kind.view(object));
  const deliver = (event: StoreEvent) => {
    if (!event.key.startsWith(prefix)) return;
    const was = matches(event.before);
    const is = event.type !== 'DELETED' && matches(event.object);
    if (is) stream.send(frame(was ? 'MODIFIED' : 'ADDED', encodeObject(kind, event.object)));
    else if (was) stream.send(frame('DELETED', encodeObject(kind, event.object)));
  };
  const requested = Number(query.get('resourceVersion') || 0);
  const initial = isTrue(query.get('sendInitialEvents')) || requested === 0;
  try {
    if (initial) {
      for (const object of kind.bucket.list(target.namespace)) {
        if (matches(object)) stream.send(frame('ADDED', encodeObject(kind, object)));
      }
    } else for (const event of kind.bucket.since(requested)) deliver(event);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    const status = expired(`too old resource version: ${error.requested} (${error.oldest})`).status;
    stream.send(frame('ERROR', Buffer.from(JSON.stringify(status))));
    stream.end();
    return;
  }
  const bookmark = (annotations?: Record<string, string>) =>
    stream.send(
      frame(
        'BOOKMARK',
        Buffer.from(
          JSON.stringify({
            kind: kind.definition.kind,
            apiVersion: kind.apiVersion,
            metadata: { resourceVersion: String(store.revision), ...(annotations ? { annotations } : {}) },
          }),
        ),
      ),
    );
  if (isTrue(query.get('sendInitialEvents'))) bookmark({ 'k8s.io/initial-events-end': 'true' });
  stream.onEnd(kind.bucket.subscribe(deliver));
  const seconds = Number(query.get('timeoutSeconds') ?? 1800);
  const timer = clock.setTimer(() => stream.end(), seconds * 1000);
  stream.onEnd(() => timer.cancel());
}

function frame(type: string, object: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, Buffer.from('}\n')]);
}
