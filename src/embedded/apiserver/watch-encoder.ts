import type { Clock } from '../../clock.ts';
import { cloneJson } from './json.ts';
import type { RawObject } from './kind.ts';
import type { Representation } from './negotiate.ts';
import type { ServedKind } from './registry.ts';
import { type EventType, encodeObject, frame, sharedFrame } from './serialize.ts';
import type { StoreEvent } from './store.ts';
import { columnDefinitions, type IncludeObject, partialMetadata, table, tableRow } from './table.ts';

export interface EncoderOptions {
  form: Representation['form'];
  metaVersion: Representation['metaVersion'];
  includeObject: IncludeObject;
}

/** Turns stored states into the lines of one watch response, in the form that its client asked for. */
export class WatchEncoder {
  readonly #kind: ServedKind;
  readonly #clock: Clock;
  readonly #options: EncoderOptions;
  /** Only the first table of a watch names its columns. */
  #columnsSent = false;

  constructor(kind: ServedKind, clock: Clock, options: EncoderOptions) {
    this.#kind = kind;
    this.#clock = clock;
    this.#options = options;
  }

  /** An object that was there before the watch began. */
  present(stored: RawObject): Buffer {
    return frame('ADDED', this.#encode(stored));
  }

  change(event: StoreEvent, type: EventType): Buffer {
    if (this.#options.form !== 'object') return frame(type, this.#encode(event.object));
    return sharedFrame(this.#kind, event, type, () => encodeObject(this.#kind, event.object));
  }

  /** An object of the kind with nothing in it but the revision, up to which the client now knows everything. */
  bookmark(revision: number, annotations?: Record<string, string>): Buffer {
    const empty = cloneJson(this.#kind.empty);
    empty.metadata = { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) };
    if (this.#options.form === 'object') {
      const { kind, apiVersion } = { kind: this.#kind.definition.kind, apiVersion: this.#kind.apiVersion };
      return frame('BOOKMARK', Buffer.from(JSON.stringify({ kind, apiVersion, ...empty })));
    }
    return frame('BOOKMARK', this.#encode(empty, annotations === undefined ? undefined : 'Metadata'));
  }

  #encode(stored: RawObject, includeObject = this.#options.includeObject): Buffer {
    const { form, metaVersion } = this.#options;
    if (form === 'object') return encodeObject(this.#kind, stored);
    const view = this.#kind.view(stored);
    if (form === 'metadata') return Buffer.from(JSON.stringify(partialMetadata(view, metaVersion)));
    const columns = this.#columnsSent ? null : columnDefinitions(this.#kind.definition.strategy.columns);
    this.#columnsSent = true;
    const row = tableRow(this.#kind, view, new Date(this.#clock.now()), { metaVersion, includeObject });
    const metadata = { resourceVersion: view.metadata.resourceVersion };
    return Buffer.from(JSON.stringify(table(metaVersion, metadata, columns, [row])));
  }
}
