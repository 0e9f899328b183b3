import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backoffMs,
  type Failure,
  HEALTHY_MS,
  type Input,
  initialState,
  type Moment,
  PAGE_LIMIT,
  type ReflectorState,
  step,
  type Transition,
} from '../../src/kube/reflector-state.ts';

const at = (now: number, random = 0): Moment => ({ now, random });

/** Plays inputs one after another and returns the last transition. */
function play(inputs: Input[], options: { watchList?: boolean; from?: ReflectorState; now?: number } = {}): Transition {
  let state = options.from ?? initialState({ watchList: options.watchList ?? true });
  let last: Transition | undefined;
  for (const input of inputs) {
    last = step(state, input, at(options.now ?? 0));
    state = last.state;
  }
  if (!last) throw new Error('no inputs');
  return last;
}

const start: Input = { kind: 'start' };
const opened: Input = { kind: 'opened' };
const closed: Input = { kind: 'closed' };
const silent: Input = { kind: 'silent' };
const waited: Input = { kind: 'waited' };
const event = (
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK',
  resourceVersion?: string,
  endOfInitial = false,
): Input => ({
  kind: 'event',
  type,
  resourceVersion,
  endOfInitial,
});
const failed = (code: Failure['code'], rest: Partial<Failure> = {}): Input => ({
  kind: 'failed',
  failure: { code, answered: code !== 'UNREACHABLE', ...rest },
});
const page = (resourceVersion: string, continueToken?: string): Input => ({
  kind: 'page',
  resourceVersion,
  continueToken,
});

const watching = (resourceVersion = '10') =>
  play([start, opened, event('ADDED', '7'), event('BOOKMARK', resourceVersion, true)]).state;

describe('the first listing', () => {
  it('is a watch-list that asks for initial events and begins a draft', () => {
    const { command, store, relist } = play([start]);
    expect(command).toMatchObject({ do: 'watch', initialEvents: true, resourceVersion: undefined, silenceMs: 30_000 });
    expect(store).toBe('begin');
    expect(relist).toBe('start');
  });

  it('stages initial events and swaps at the bookmark that ends them', () => {
    expect(play([start, opened, event('ADDED', '5')]).store).toBe('stage');
    expect(play([start, opened, event('MODIFIED', '6')]).store).toBe('stage');
    expect(play([start, opened, event('DELETED', '7')]).store).toBe('unstage');
    const { state, store, command } = play([start, opened, event('ADDED', '5'), event('BOOKMARK', '9', true)]);
    expect(store).toBe('swap');
    expect(command).toEqual({ do: 'read' });
    expect(state).toMatchObject({ resourceVersion: '9', synced: true, phase: { name: 'watching' } });
  });

  it.each(['BAD_REQUEST', 'INVALID'] as const)('falls back to pages at once and for good after %s', (code) => {
    const { state, command, store, relist } = play([start, failed(code)]);
    expect(command).toEqual({ do: 'list', limit: PAGE_LIMIT, continueToken: undefined });
    expect(store).toBe('begin');
    expect(relist).toBe('watch-list-unsupported');
    const again = play([page('3'), opened, failed('GONE')], { from: state });
    expect(again.command).toMatchObject({ do: 'list' });
  });

  it('falls back to pages when an ordinary bookmark comes before the end of the initial events', () => {
    expect(play([start, opened, event('ADDED', '5'), event('BOOKMARK', '9')]).command).toMatchObject({ do: 'list' });
  });

  it('falls back to pages when the server says nothing for 30 seconds', () => {
    expect(play([start, opened, silent]).command).toMatchObject({ do: 'list' });
  });

  it('is tried once more, after a pause, when the stream ends before the initial events do', () => {
    const once = play([start, opened, event('ADDED', '5'), closed]);
    expect(once.command).toMatchObject({ do: 'wait' });
    const retried = play([waited], { from: once.state });
    expect(retried.command).toMatchObject({ do: 'watch', initialEvents: true });
    expect(play([opened, closed], { from: retried.state }).command).toMatchObject({ do: 'list' });
  });

  it('starts over with a new draft after the connection broke in the middle', () => {
    const broken = play([start, opened, event('ADDED', '5'), failed('UNREACHABLE')]);
    expect(broken.command).toMatchObject({ do: 'wait' });
    expect(play([waited], { from: broken.state })).toMatchObject({
      store: 'begin',
      command: { do: 'watch', initialEvents: true },
    });
  });
});

describe('listing by pages', () => {
  const listing = (inputs: Input[]) => play([start, ...inputs], { watchList: false });

  it('follows continue tokens and watches from the first page version', () => {
    expect(listing([page('20', 'token-1')]).command).toEqual({
      do: 'list',
      limit: PAGE_LIMIT,
      continueToken: 'token-1',
    });
    const { command, store, state } = listing([page('20', 'token-1'), page('21')]);
    expect(store).toBe('swap');
    expect(command).toMatchObject({ do: 'watch', initialEvents: false, resourceVersion: '20' });
    expect(state.synced).toBe(true);
  });

  it('lists in one answer after a page has expired, and in pages again the next time', () => {
    const expired = listing([page('20', 'token-1'), failed('GONE')]);
    expect(expired).toMatchObject({
      store: 'begin',
      relist: 'expired-page',
      command: { do: 'list', limit: undefined },
    });
    const next = play([page('30'), opened, failed('GONE'), waited], { from: expired.state });
    expect(next.command).toMatchObject({ do: 'list', limit: PAGE_LIMIT });
  });

  it('backs off after a failure and starts from the first page', () => {
    const failedList = listing([page('20', 'token-1'), failed('SERVER_ERROR')]);
    expect(failedList.command).toMatchObject({ do: 'wait' });
    expect(play([waited], { from: failedList.state })).toMatchObject({
      store: 'begin',
      command: { do: 'list', limit: PAGE_LIMIT, continueToken: undefined },
    });
  });
});

describe('watching', () => {
  it('applies changes, removes deleted objects and moves its version with every event and bookmark', () => {
    expect(play([event('ADDED', '11')], { from: watching() })).toMatchObject({
      store: 'apply',
      state: { resourceVersion: '11' },
    });
    expect(play([event('MODIFIED', '12')], { from: watching() })).toMatchObject({
      store: 'apply',
      state: { resourceVersion: '12' },
    });
    expect(play([event('DELETED', '13')], { from: watching() })).toMatchObject({
      store: 'remove',
      state: { resourceVersion: '13' },
    });
    expect(play([event('BOOKMARK', '14')], { from: watching() })).toMatchObject({
      store: 'none',
      state: { resourceVersion: '14' },
    });
  });

  it('goes on from the last version after a clean close, without a listing', () => {
    const { command, store, relist } = play([event('MODIFIED', '12'), closed], { from: watching() });
    expect(command).toMatchObject({ do: 'watch', initialEvents: false, resourceVersion: '12' });
    expect(store).toBe('none');
    expect(relist).toBeUndefined();
  });

  it('pauses when a stream closes at once without any news', () => {
    const rewatch = play([closed], { from: watching() });
    expect(play([opened, closed], { from: rewatch.state }).command).toMatchObject({ do: 'wait' });
    expect(play([opened, event('BOOKMARK', '11'), closed], { from: rewatch.state }).command).toMatchObject({
      do: 'wait',
    });
  });

  it('does not pause when a quiet stream closes after a while', () => {
    const quiet = play([closed, opened], { from: watching() });
    expect(step(quiet.state, closed, at(60_000)).command).toMatchObject({ do: 'watch', resourceVersion: '10' });
  });

  it('opens the watch anew, without a pause, when the stream is dead', () => {
    expect(play([silent], { from: watching() }).command).toMatchObject({ do: 'watch', resourceVersion: '10' });
  });

  it('asks for a server time limit of 5 to 10 minutes and gives up 5 seconds later', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        const { command } = step(watching(), closed, at(0, random));
        if (command.do !== 'watch') throw new Error(`unexpected ${command.do}`);
        expect(command.timeoutSeconds).toBeGreaterThanOrEqual(300);
        expect(command.timeoutSeconds).toBeLessThan(600);
        expect(command.deadlineMs).toBe(command.timeoutSeconds * 1000 + 5_000);
      }),
    );
  });

  it('lists anew without any version after 410', () => {
    const { command, store, relist, state } = play([failed('GONE')], { from: watching() });
    expect(command).toMatchObject({ do: 'watch', initialEvents: true, resourceVersion: undefined });
    expect(store).toBe('begin');
    expect(relist).toBe('gone');
    expect(state.resourceVersion).toBeUndefined();
  });

  it('does not loop without a pause when every listing is followed by 410', () => {
    const first = play([failed('GONE')], { from: watching() });
    const second = play([opened, event('BOOKMARK', '20', true), failed('GONE')], { from: first.state });
    expect(second.command).toMatchObject({ do: 'wait' });
    expect(play([waited], { from: second.state }).command).toMatchObject({ do: 'watch', initialEvents: true });
  });

  it('backs off after a broken connection and goes on from the last version', () => {
    const broken = play([event('ADDED', '11'), failed('UNREACHABLE')], { from: watching() });
    expect(broken.command).toEqual({ do: 'wait', ms: 800 });
    expect(play([waited], { from: broken.state }).command).toMatchObject({ do: 'watch', resourceVersion: '11' });
  });

  it('keeps its version however long the server is away', () => {
    let { state } = play([failed('UNREACHABLE')], { from: watching() });
    for (let i = 0; i < 50; i++) state = play([waited, failed('UNREACHABLE')], { from: state }).state;
    expect(state.resourceVersion).toBe('10');
  });

  it('gives its version up after three refusals in a row to watch from it', () => {
    let { state } = play([failed('TIMEOUT')], { from: watching() });
    state = play([waited, failed('TIMEOUT')], { from: state }).state;
    expect(state.resourceVersion).toBe('10');
    state = play([waited, failed('TIMEOUT')], { from: state }).state;
    expect(state.resourceVersion).toBeUndefined();
    expect(play([waited], { from: state }).relist).toBe('refused');
  });

  it('forgets refusals as soon as anything arrives', () => {
    let { state } = play([failed('SERVER_ERROR'), waited, failed('SERVER_ERROR'), waited], { from: watching() });
    state = play([opened, event('BOOKMARK', '10'), failed('SERVER_ERROR')], { from: state }).state;
    expect(state.resourceVersion).toBe('10');
  });

  it('lists anew at once when the server cannot read the version', () => {
    expect(play([failed('BAD_REQUEST')], { from: watching() })).toMatchObject({ relist: 'refused', store: 'begin' });
  });

  it('never waits less than the server asks for', () => {
    const { command } = play([failed('TOO_MANY_REQUESTS', { retryAfterMs: 17_000 })], { from: watching() });
    expect(command).toEqual({ do: 'wait', ms: 17_000 });
  });
});

describe('backing off', () => {
  it('doubles from 0.8 seconds and never leaves 0.8 to 30 seconds', () => {
    expect([0, 1, 2, 3, 4, 5, 9].map((n) => backoffMs(n, 0))).toEqual([800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
        const ms = backoffMs(failures, random);
        expect(ms).toBeGreaterThanOrEqual(800);
        expect(ms).toBeLessThanOrEqual(30_000);
      }),
    );
  });

  it('grows while trouble lasts and starts short again after two healthy minutes', () => {
    let { state, command } = play([failed('UNREACHABLE'), waited, failed('UNREACHABLE')], { from: watching() });
    expect(command).toEqual({ do: 'wait', ms: 1600 });
    state = step(state, waited, at(10_000)).state;
    state = step(state, opened, at(10_000)).state;
    const early = step(state, failed('UNREACHABLE'), at(10_000 + HEALTHY_MS - 1));
    expect(early.command).toEqual({ do: 'wait', ms: 3200 });
    const late = step(state, failed('UNREACHABLE'), at(10_000 + HEALTHY_MS));
    expect(late.command).toEqual({ do: 'wait', ms: 800 });
  });
});

describe('any sequence of inputs', () => {
  const inputs = fc.oneof(
    fc.constantFrom(opened, closed, silent, waited, start, page('3'), page('4', 'more')),
    fc
      .tuple(fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'), fc.nat(99), fc.boolean())
      .map(([type, rv, end]) => event(type as 'ADDED', String(rv), end)),
    fc
      .constantFrom(
        'GONE',
        'BAD_REQUEST',
        'INVALID',
        'UNREACHABLE',
        'TIMEOUT',
        'TOO_MANY_REQUESTS',
        'FORBIDDEN',
        'BAD_RESPONSE',
      )
      .map((code) => failed(code as 'GONE')),
  );

  it('leaves a command to go on with, and never a store action without a draft', () => {
    fc.assert(
      fc.property(fc.array(inputs, { maxLength: 60 }), (sequence) => {
        let { state, store } = play([start]);
        let draft = store === 'begin';
        for (const input of sequence) {
          const next = step(state, input, at(0, 0.5));
          if (next.store === 'begin') draft = true;
          if (['stage', 'unstage', 'swap'].includes(next.store)) expect(draft).toBe(true);
          if (next.store === 'swap') draft = false;
          if (['apply', 'remove'].includes(next.store)) expect(next.state.synced).toBe(true);
          expect(next.command.do).not.toBe('end');
          state = next.state;
        }
        expect(step(state, { kind: 'stop' }, at(0)).command).toEqual({ do: 'end' });
      }),
    );
  });
});
