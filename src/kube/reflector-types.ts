import type { ApiErrorCode } from './errors.ts';

/** The vocabulary of the reflector's state machine (reflector-state.ts). */
export type Phase =
  | { name: 'idle' }
  | { name: 'listing'; continueToken: string | undefined; resourceVersion: string | undefined }
  | { name: 'watch-listing' }
  | { name: 'watching'; openedAt: number | undefined; news: boolean }
  | { name: 'backing-off' }
  | { name: 'stopped' };

export interface ReflectorState {
  phase: Phase;
  /** Where to continue; undefined when all must be listed. */
  resourceVersion: string | undefined;
  /** Why all must be listed. */
  relistReason: RelistReason;
  /** Whether the next listing may be a watch-list (KEP-3157). False for good after the first sign that the server has none. */
  watchList: boolean;
  unfinishedWatchLists: number;
  /** Whether the next LIST is cut into pages; not after a page has expired, which a list in one answer cannot. */
  paged: boolean;
  /** Troubles in a row; the exponent of the backoff. */
  failures: number;
  /** Monotonic milliseconds since when streams have worked without trouble. */
  healthySince: number | undefined;
  /** Refusals in a row to watch from `resourceVersion`. */
  refusals: number;
  synced: boolean;
}

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

export interface Failure {
  code: ApiErrorCode;
  /** The server answered (with a status, or an ERROR event), as opposed to no connection or a broken one. */
  answered: boolean;
  retryAfterMs?: number | undefined;
}

export type Input =
  | { kind: 'start' }
  /** One page of a LIST has arrived and its objects were staged. */
  | { kind: 'page'; resourceVersion: string; continueToken: string | undefined }
  /** A watch was accepted. */
  | { kind: 'opened' }
  | { kind: 'event'; type: EventType; resourceVersion: string | undefined; endOfInitial: boolean }
  /** The stream ended as HTTP says it should. */
  | { kind: 'closed' }
  /** The stream stayed silent for too long, and was ended by us. */
  | { kind: 'silent' }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'waited' }
  | { kind: 'stop' };

/** What the driver does next; its outcome is the next input. */
export type Command =
  | { do: 'list'; limit: number | undefined; continueToken: string | undefined }
  | {
      do: 'watch';
      initialEvents: boolean;
      resourceVersion: string | undefined;
      timeoutSeconds: number;
      /** Milliseconds after opening at which the stream is dead. */
      deadlineMs: number;
      /** Milliseconds between events up to the end of the initial ones, after which the stream counts as silent. */
      silenceMs: number | undefined;
    }
  | { do: 'read' }
  | { do: 'wait'; ms: number }
  | { do: 'end' };

/** What happens to the store with the object at hand: `begin` opens a draft, `swap` makes it current. */
export type StoreAction = 'none' | 'begin' | 'stage' | 'unstage' | 'swap' | 'apply' | 'remove';

export type RelistReason = 'start' | 'gone' | 'expired-page' | 'refused' | 'watch-list-unsupported' | 'unexpected';

export interface Transition {
  state: ReflectorState;
  command: Command;
  store: StoreAction;
  /** Why a listing begins with this transition. */
  relist?: RelistReason;
}

export interface Moment {
  /** Monotonic milliseconds. */
  now: number;
  /** In [0, 1). */
  random: number;
}
