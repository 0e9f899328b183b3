import type { WatchStream } from './watch-stream.ts';

/** All open watches, by the kind that they watch. */
export class WatchHub {
  readonly #streams = new Map<WatchStream, string>();

  add(plural: string, stream: WatchStream): void {
    this.#streams.set(stream, plural);
    stream.onEnd(() => this.#streams.delete(stream));
  }

  of(plural?: string): WatchStream[] {
    const found: WatchStream[] = [];
    for (const [stream, watched] of this.#streams) if (plural === undefined || watched === plural) found.push(stream);
    return found;
  }
}
