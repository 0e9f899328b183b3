import type {
  Command,
  Failure,
  Input,
  Moment,
  ReflectorState,
  RelistReason,
  StoreAction,
  Transition,
} from './reflector-types.ts';

export type * from './reflector-types.ts';

/**
 * The life of one reflector as a pure state machine: `step(state, input, moment)` says what is true now and what to do next. Listing and
 * watching themselves (I/O, decoding, the store) are the driver's (reflector.ts).
 *
 *   idle -> watch-listing -> watching -> (closed) watching -> (410) watch-listing -> ...
 *        \-> listing page by page -/          \-> backing-off -> watching
 */

/** Objects a page of a LIST; the size that client-go and kube-rs use. */
export const PAGE_LIMIT = 500;
const BACKOFF_BASE_MS = 800;
/** Half of the longest delay: jitter doubles it at most. */
const BACKOFF_CAP_MS = 15_000;
/** After this long without trouble the next trouble starts from the shortest delay again. */
export const HEALTHY_MS = 120_000;
/** The server ends a watch at its time limit; one that is still open this much later is dead. */
const GRACE_MS = 5_000;
/** A server that understands watch-list sends something within this time, or it does not. */
export const INITIAL_SILENCE_MS = 30_000;
/** A stream that ended sooner, and without news, did not really work. */
const SHORT_STREAM_MS = 1_000;
/** Refusals in a row to continue from a version, without one event in between, after which it is given up and all is listed anew. */
const MAX_REFUSALS = 3;
const MAX_UNFINISHED_WATCH_LISTS = 2;

export function initialState(options: { watchList?: boolean } = {}): ReflectorState {
  return {
    phase: { name: 'idle' },
    resourceVersion: undefined,
    relistReason: 'start',
    watchList: options.watchList ?? true,
    unfinishedWatchLists: 0,
    paged: true,
    failures: 0,
    healthySince: undefined,
    refusals: 0,
    synced: false,
  };
}

export function step(state: ReflectorState, input: Input, moment: Moment): Transition {
  if (input.kind === 'stop' || state.phase.name === 'stopped') {
    return { state: { ...state, phase: { name: 'stopped' } }, command: { do: 'end' }, store: 'none' };
  }
  switch (input.kind) {
    case 'start':
      return relist(state, moment);
    case 'waited':
      return state.resourceVersion === undefined ? relist(state, moment) : watch(state, moment);
    case 'page':
      return onPage(state, input, moment);
    case 'opened':
      return onOpened(state, moment);
    case 'event':
      return onEvent(state, input, moment);
    case 'closed':
      return onClosed(state, moment);
    case 'silent':
      return onSilent(state, moment);
    case 'failed':
      return onFailure(state, input.failure, moment);
  }
}

/** Starts over from nothing: the server's newest state, whatever version was known before, so that no stale version can loop. */
function relist(state: ReflectorState, moment: Moment): Transition {
  const { relistReason } = state;
  const base = { ...state, resourceVersion: undefined, refusals: 0 };
  if (state.watchList) {
    const command = watchCommand(undefined, moment);
    return { state: { ...base, phase: { name: 'watch-listing' } }, command, store: 'begin', relist: relistReason };
  }
  return {
    state: { ...base, phase: { name: 'listing', continueToken: undefined, resourceVersion: undefined } },
    command: { do: 'list', limit: state.paged ? PAGE_LIMIT : undefined, continueToken: undefined },
    store: 'begin',
    relist: relistReason,
  };
}

function watch(state: ReflectorState, moment: Moment): Transition {
  return {
    state: { ...state, phase: { name: 'watching', openedAt: undefined, news: false } },
    command: watchCommand(state.resourceVersion, moment),
    store: 'none',
  };
}

/** 5 to 10 minutes, at random, so that the watches of many clients do not all end together (as client-go). */
function watchCommand(resourceVersion: string | undefined, moment: Moment): Command {
  const timeoutSeconds = 300 + Math.floor(moment.random * 300);
  const initialEvents = resourceVersion === undefined;
  return {
    do: 'watch',
    initialEvents,
    resourceVersion,
    timeoutSeconds,
    deadlineMs: timeoutSeconds * 1000 + GRACE_MS,
    silenceMs: initialEvents ? INITIAL_SILENCE_MS : undefined,
  };
}

function onPage(state: ReflectorState, page: Extract<Input, { kind: 'page' }>, moment: Moment): Transition {
  const { phase } = state;
  if (phase.name !== 'listing') return unexpected(state, moment);
  // Should pages differ in version, the first one's is the one from which no later change can be missed.
  const resourceVersion = phase.resourceVersion ?? page.resourceVersion;
  if (page.continueToken !== undefined) {
    const { continueToken } = page;
    return {
      state: { ...state, phase: { name: 'listing', continueToken, resourceVersion } },
      command: { do: 'list', limit: PAGE_LIMIT, continueToken },
      store: 'none',
    };
  }
  const listed = { ...state, resourceVersion, paged: true, synced: true };
  return { ...watch(listed, moment), store: 'swap' };
}

function onOpened(state: ReflectorState, moment: Moment): Transition {
  const { phase } = state;
  if (phase.name === 'watching') {
    const healthySince = state.healthySince ?? moment.now;
    return reading({ ...state, healthySince, phase: { ...phase, openedAt: moment.now } });
  }
  return phase.name === 'watch-listing' ? reading(state) : unexpected(state, moment);
}

function onEvent(state: ReflectorState, event: Extract<Input, { kind: 'event' }>, moment: Moment): Transition {
  if (state.phase.name === 'watch-listing') return onInitialEvent(state, event, moment);
  if (state.phase.name !== 'watching') return unexpected(state, moment);
  const bookmark = event.type === 'BOOKMARK';
  const next: ReflectorState = {
    ...state,
    resourceVersion: event.resourceVersion ?? state.resourceVersion,
    refusals: 0,
    phase: state.phase.news || bookmark ? state.phase : { ...state.phase, news: true },
  };
  if (bookmark) return reading(next);
  return reading(next, event.type === 'DELETED' ? 'remove' : 'apply');
}

function onInitialEvent(state: ReflectorState, event: Extract<Input, { kind: 'event' }>, moment: Moment): Transition {
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
      return reading(state, 'stage');
    case 'DELETED':
      return reading(state, 'unstage');
    case 'BOOKMARK':
      break;
  }
  // A server that does not know watch-list ignores the parameter and sends ordinary bookmarks.
  if (!event.endOfInitial || event.resourceVersion === undefined) return withoutWatchList(state, moment);
  return reading(
    {
      ...state,
      phase: { name: 'watching', openedAt: moment.now, news: true },
      resourceVersion: event.resourceVersion,
      healthySince: state.healthySince ?? moment.now,
      unfinishedWatchLists: 0,
      synced: true,
    },
    'swap',
  );
}

function onClosed(state: ReflectorState, moment: Moment): Transition {
  const { phase } = state;
  if (phase.name === 'watch-listing') {
    const unfinishedWatchLists = state.unfinishedWatchLists + 1;
    if (unfinishedWatchLists >= MAX_UNFINISHED_WATCH_LISTS) return withoutWatchList(state, moment);
    return backOff({ ...state, unfinishedWatchLists }, undefined, moment);
  }
  if (phase.name !== 'watching') return unexpected(state, moment);
  const worked = phase.news || (phase.openedAt !== undefined && moment.now - phase.openedAt >= SHORT_STREAM_MS);
  return worked ? watch(state, moment) : refused(state, undefined, moment);
}

function onSilent(state: ReflectorState, moment: Moment): Transition {
  if (state.phase.name === 'watch-listing') return withoutWatchList(state, moment);
  return state.phase.name === 'watching' ? watch(state, moment) : unexpected(state, moment);
}

function onFailure(state: ReflectorState, failure: Failure, moment: Moment): Transition {
  const { phase } = state;
  if (failure.code === 'GONE') return onGone(state, failure, moment);
  const malformed = failure.code === 'BAD_REQUEST' || failure.code === 'INVALID';
  if (phase.name === 'watch-listing' && malformed) return withoutWatchList(state, moment);
  if (phase.name !== 'watching') return backOff(state, failure, moment);
  // The server cannot make sense of the version (restored from a backup, replaced by another one).
  if (malformed) return afterTrouble(mustRelist(state, 'refused'), failure, moment);
  return isRefusal(failure) ? refused(state, failure, moment) : backOff(state, failure, moment);
}

/** Busy, away or not letting us in says nothing about the version; anything else may mean that it will never work again. */
function isRefusal({ code, answered }: Failure): boolean {
  if (code === 'BAD_RESPONSE') return true;
  return answered && code !== 'TOO_MANY_REQUESTS' && code !== 'UNAUTHORIZED' && code !== 'FORBIDDEN';
}

function refused(state: ReflectorState, failure: Failure | undefined, moment: Moment): Transition {
  const refusals = state.refusals + 1;
  const next = refusals >= MAX_REFUSALS ? mustRelist(state, 'refused') : state;
  return backOff({ ...next, refusals }, failure, moment);
}

/** 410: the version, or the page, is older than what the server still has. */
function onGone(state: ReflectorState, failure: Failure, moment: Moment): Transition {
  const { phase } = state;
  const expiredPage = phase.name === 'listing' && phase.continueToken !== undefined;
  const next = mustRelist(state, expiredPage ? 'expired-page' : 'gone');
  return afterTrouble({ ...next, paged: !expiredPage && state.paged }, failure, moment);
}

function mustRelist(state: ReflectorState, relistReason: RelistReason): ReflectorState {
  return { ...state, resourceVersion: undefined, relistReason };
}

/** Lists anew: at once when this is the first trouble in a while, else not without a pause. */
function afterTrouble(state: ReflectorState, failure: Failure, moment: Moment): Transition {
  const failures = failuresNow(state, moment);
  if (failures > 0 || failure.retryAfterMs !== undefined) return backOff(state, failure, moment);
  return relist({ ...state, failures: 1, healthySince: undefined }, moment);
}

function withoutWatchList(state: ReflectorState, moment: Moment): Transition {
  return relist({ ...mustRelist(state, 'watch-list-unsupported'), watchList: false }, moment);
}

function backOff(state: ReflectorState, failure: Failure | undefined, moment: Moment): Transition {
  const failures = failuresNow(state, moment);
  const ms = Math.max(backoffMs(failures, moment.random), failure?.retryAfterMs ?? 0);
  return {
    state: { ...state, phase: { name: 'backing-off' }, failures: failures + 1, healthySince: undefined },
    command: { do: 'wait', ms },
    store: 'none',
  };
}

function failuresNow(state: ReflectorState, moment: Moment): number {
  const healthy = state.healthySince !== undefined && moment.now - state.healthySince >= HEALTHY_MS;
  return healthy ? 0 : state.failures;
}

/** 0.8 s, doubled for each failure before, plus up to as much again at random: 0.8 s to 30 s. */
export function backoffMs(failures: number, random: number): number {
  return Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** failures) * (1 + random);
}

function reading(state: ReflectorState, store: StoreAction = 'none'): Transition {
  return { state, command: { do: 'read' }, store };
}

/** An input that its phase cannot have would be a bug of the driver; the safe way on is a fresh start after a pause. */
function unexpected(state: ReflectorState, moment: Moment): Transition {
  return backOff(mustRelist(state, 'unexpected'), undefined, moment);
}
