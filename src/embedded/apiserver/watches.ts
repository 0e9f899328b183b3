import { sendWarnings } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { type ListOptions, parseListOptions, parseRevision } from './list-options.ts';
import { negotiate } from './negotiate.ts';
import type { ServedKind } from './registry.ts';
import type { ResourceTarget } from './request.ts';
import { reachRevision } from './revisions.ts';
import { frame } from './serialize.ts';
import { expired, StatusError } from './status.ts';
import { CompactedError, prefixOf, type StoreEvent } from './store.ts';
import { parseIncludeObject } from './table.ts';
import { WatchEncoder } from './watch-encoder.ts';
import { WatchStream } from './watch-stream.ts';

/** The real server's `--min-request-timeout`: a watch without `timeoutSeconds` lasts this long to twice as long. */
const minTimeoutSeconds = 1800;
/** A bookmark comes this often, and once shortly before the end. */
const bookmarkEveryMs = 60_000;
const lastBookmarkBeforeEndMs = 2000;
/** Events of the past that are sent before other work gets its turn. */
const eventsPerTurn = 250;

/** Answers a watch request. @throws StatusError */
export async function serveWatch(exchange: Exchange, kind: ServedKind, target: ResourceTarget): Promise<void> {
  const { info, message, response, serving } = exchange;
  const { registry } = serving;
  const options = parseListOptions(info.query, true, kind.definition);
  const { form, metaVersion } = negotiate(message.headers.accept, 'watch');
  const includeObject = parseIncludeObject(info.query.get('includeObject'));
  const requested = parseRevision(options.resourceVersion, 'watch');
  const encoder = new WatchEncoder(kind, registry.clock, { form, metaVersion, includeObject });
  sendWarnings(exchange, kind);
  const stream = new WatchStream(response);
  serving.watches.add(kind.definition.plural, stream);
  try {
    if (options.sendInitialEvents && requested > registry.store.revision) await reachRevision(registry, requested);
    limitTime(exchange, stream, options);
    if (stream.open) await new WatchRun(exchange, kind, target.namespace, options, encoder, stream).start(requested);
  } catch (error) {
    const status = statusOf(error);
    stream.send(frame('ERROR', Buffer.from(JSON.stringify(status))));
    stream.end();
  }
}

function statusOf(error: unknown): unknown {
  if (error instanceof StatusError) return error.status;
  if (!(error instanceof CompactedError)) throw error;
  return expired(`too old resource version: ${error.requested} (${error.oldest})`).status;
}

function limitTime({ serving }: Exchange, stream: WatchStream, { timeoutSeconds }: ListOptions): void {
  const { clock, random } = serving.registry;
  const seconds = timeoutSeconds || minTimeoutSeconds * (1 + random());
  const timer = clock.setTimer(() => stream.end(), seconds * 1000);
  stream.onEnd(() => timer.cancel());
}

/** One watch: first the past, at the pace at which the client reads, then each change as it is committed. */
class WatchRun {
  readonly #exchange: Exchange;
  readonly #kind: ServedKind;
  readonly #namespace: string | undefined;
  readonly #options: ListOptions;
  readonly #encoder: WatchEncoder;
  readonly #stream: WatchStream;
  /** Changes that were committed while the past was being sent. */
  #waiting: StoreEvent[] | undefined = [];

  constructor(
    exchange: Exchange,
    kind: ServedKind,
    namespace: string | undefined,
    options: ListOptions,
    encoder: WatchEncoder,
    stream: WatchStream,
  ) {
    this.#exchange = exchange;
    this.#kind = kind;
    this.#namespace = namespace;
    this.#options = options;
    this.#encoder = encoder;
    this.#stream = stream;
  }

  /** @throws CompactedError when the changes after `requested` are no longer held */
  async start(requested: number): Promise<void> {
    const { store } = this.#exchange.serving.registry;
    const { bucket } = this.#kind;
    const { sendInitialEvents, resourceVersion, bookmarks } = this.#options;
    const fromState = sendInitialEvents ?? (resourceVersion === '' || requested === 0);
    const revision = store.revision;
    const past = fromState ? this.#presentState() : this.#eventFrames(requested === 0 ? [] : bucket.since(requested));
    const prefix = prefixOf(this.#namespace);
    this.#stream.onEnd(
      bucket.subscribe((event) => {
        if (!event.key.startsWith(prefix) || event.revision <= requested) return;
        if (this.#waiting) this.#waiting.push(event);
        else this.#sendAll(this.#eventFrames([event]));
      }),
    );
    await this.#sendSlowly(past);
    if (sendInitialEvents && bookmarks) {
      this.#stream.send(this.#encoder.bookmark(revision, { 'k8s.io/initial-events-end': 'true' }));
    }
    while (this.#stream.open && this.#waiting && this.#waiting.length > 0) {
      await this.#sendSlowly(this.#eventFrames(this.#waiting.splice(0)));
    }
    this.#waiting = undefined;
    if (bookmarks) this.#scheduleBookmarks();
  }

  *#presentState(): Iterable<Buffer> {
    for (const { object } of this.#kind.bucket.list(this.#namespace)) {
      if (this.#options.matches(this.#kind.view(object))) yield this.#encoder.present(object);
    }
  }

  /** What the changes look like through the selectors: an object that leaves them is deleted, one that enters is added. */
  *#eventFrames(events: Iterable<StoreEvent>): Iterable<Buffer> {
    const prefix = prefixOf(this.#namespace);
    const { matches, selective } = this.#options;
    for (const event of events) {
      if (!event.key.startsWith(prefix)) continue;
      if (!selective) {
        yield this.#encoder.change(event, event.type);
        continue;
      }
      const was = event.before !== undefined && matches(this.#kind.view(event.before));
      const is = event.type !== 'DELETED' && matches(this.#kind.view(event.object));
      if (is) yield this.#encoder.change(event, was ? 'MODIFIED' : 'ADDED');
      else if (was) yield this.#encoder.change(event, 'DELETED');
    }
  }

  #sendAll(frames: Iterable<Buffer>): void {
    for (const line of frames) this.#stream.send(line);
  }

  async #sendSlowly(frames: Iterable<Buffer>): Promise<void> {
    let sent = 0;
    for (const line of frames) {
      if (!this.#stream.open) return;
      this.#stream.send(line);
      if (++sent % eventsPerTurn === 0) await this.#stream.drained();
    }
  }

  #scheduleBookmarks(): void {
    const { clock, store } = this.#exchange.serving.registry;
    const { timeoutSeconds } = this.#options;
    const end = timeoutSeconds ? clock.monotonic() + timeoutSeconds * 1000 - lastBookmarkBeforeEndMs : undefined;
    const schedule = () => {
      const untilEnd = end === undefined ? Number.POSITIVE_INFINITY : end - clock.monotonic();
      if (untilEnd <= 0) return;
      const timer = clock.setTimer(
        () => {
          this.#stream.send(this.#encoder.bookmark(store.revision));
          schedule();
        },
        Math.min(bookmarkEveryMs, untilEnd),
      );
      this.#stream.onEnd(() => timer.cancel());
    };
    schedule();
  }
}
