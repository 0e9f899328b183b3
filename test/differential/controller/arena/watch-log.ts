import type { ByteStream, KubeClient } from '../../../../src/kube/client.ts';
import { LineSplitter } from '../../../../src/kube/watch-lines.ts';

/** An object as the API server sends it, whatever its kind. */
export interface ApiObject {
  metadata: ApiMeta;
  [field: string]: unknown;
}

export interface ApiMeta {
  name: string;
  namespace?: string;
  generateName?: string;
  uid: string;
  resourceVersion: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { uid: string }[];
}

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: ApiObject;
  /** As it was before; absent for the first sight of an object. */
  before: ApiObject | undefined;
  /** `performance.now()` */
  at: number;
}

/** Everything that happens to one kind, in all namespaces, from the start on. */
export class WatchLog {
  readonly #stop = new AbortController();
  readonly #changes = new Map<string, Change[]>();
  readonly #current = new Map<string, ApiObject>();
  #failure: Error | undefined;

  static async start(client: KubeClient, path: string): Promise<WatchLog> {
    const log = new WatchLog();
    const list = (await client.request({ method: 'GET', path })) as { metadata: { resourceVersion: string } };
    const { resourceVersion } = list.metadata;
    const query = { watch: true, resourceVersion, allowWatchBookmarks: false };
    void log.#read(await client.stream({ path, query, signal: log.#stop.signal }));
    return log;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** @throws Error when the watch has broken, for then the log is not complete. */
  changes(namespace: string): readonly Change[] {
    if (this.#failure) throw this.#failure;
    return this.#changes.get(namespace) ?? [];
  }

  current(namespace: string): ApiObject[] {
    if (this.#failure) throw this.#failure;
    return [...this.#current.values()].filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** When something last happened in one of these namespaces; 0 for never. */
  lastChangeAt(namespaces: readonly string[]): number {
    return Math.max(0, ...namespaces.map((namespace) => this.changes(namespace).at(-1)?.at ?? 0));
  }

  namespaces(): string[] {
    return [...this.#changes.keys()];
  }

  async #read(stream: ByteStream): Promise<void> {
    const lines = new LineSplitter();
    const broken = (why: string) => {
      if (!this.#stop.signal.aborted) this.#failure ??= new Error(`a watch of this test broke: ${why}`);
    };
    try {
      for await (const chunk of stream) for (const line of lines.push(chunk)) this.#take(JSON.parse(line));
      broken('it ended');
    } catch (error) {
      broken(error instanceof Error ? error.message : String(error));
    }
  }

  #take({ type, object }: { type: string; object: ApiObject }): void {
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') {
      this.#failure ??= new Error(`a watch of this test broke: ${JSON.stringify({ type, object })}`);
      return;
    }
    const { namespace = '', uid } = object.metadata;
    const changes = this.#changes.get(namespace) ?? [];
    this.#changes.set(namespace, changes);
    changes.push({ type, object, before: this.#current.get(uid), at: performance.now() });
    if (type === 'DELETED') this.#current.delete(uid);
    else this.#current.set(uid, object);
  }
}
