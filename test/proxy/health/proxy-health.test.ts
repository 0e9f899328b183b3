import { describe, expect, it } from 'vitest';
import type { IPFamily } from '../../../src/objects/meta.ts';
import {
  type HealthState,
  type Instant,
  judge,
  ProxyHealthTracker,
  queued,
  updated,
} from '../../../src/proxy/health/proxy-health.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const at = (seconds: number): Instant => ({ monotonic: seconds * 1_000, wall: 1_000_000 + seconds * 1_000 });

type Step = ['queued' | 'updated', IPFamily, number];

/** What is judged at `seconds`, with the default of 60 s, after these steps. */
function judgeAt(seconds: number, ...steps: Step[]) {
  const apply = { queued, updated };
  const state = steps.reduce<HealthState>((s, [what, family, second]) => apply[what](s, family, at(second)), {});
  const { healthy, lastUpdated, families } = judge(state, at(seconds), 60_000);
  return {
    healthy,
    lastUpdated: lastUpdated && lastUpdated.monotonic / 1_000,
    families: Object.entries(families).map(([family, f]) => `${family} ${f.healthy ? 'healthy' : 'late'}`),
  };
}

describe("a proxy's health", () => {
  it.each<[string, number, Step[], boolean, number | undefined, string[]]>([
    ['nothing has happened yet', 100, [], true, undefined, []],
    ['the first sync is still to come', 1_000, [['queued', 'IPv4', 0]], true, undefined, []],
    ['nothing is pending, however long ago', 9_999, [['updated', 'IPv4', 0]], true, 0, ['IPv4 healthy']],
    [
      'a change waits for a moment',
      69.9,
      [
        ['updated', 'IPv4', 0],
        ['queued', 'IPv4', 10],
      ],
      true,
      0,
      ['IPv4 healthy'],
    ],
    [
      'a change has waited too long',
      70,
      [
        ['updated', 'IPv4', 0],
        ['queued', 'IPv4', 10],
      ],
      false,
      0,
      ['IPv4 late'],
    ],
    [
      'later changes do not hide the oldest',
      70,
      [
        ['updated', 'IPv4', 0],
        ['queued', 'IPv4', 10],
        ['queued', 'IPv4', 60],
      ],
      false,
      0,
      ['IPv4 late'],
    ],
    [
      'a success clears what was pending',
      120,
      [
        ['updated', 'IPv4', 0],
        ['queued', 'IPv4', 10],
        ['updated', 'IPv4', 50],
        ['queued', 'IPv4', 61],
      ],
      true,
      50,
      ['IPv4 healthy'],
    ],
    [
      'one family is late, the other not',
      100,
      [
        ['updated', 'IPv4', 0],
        ['updated', 'IPv6', 5],
        ['queued', 'IPv6', 20],
      ],
      false,
      5,
      ['IPv4 healthy', 'IPv6 late'],
    ],
    [
      'a family that never synced does not count',
      100,
      [
        ['queued', 'IPv6', 0],
        ['updated', 'IPv4', 1],
      ],
      true,
      1,
      ['IPv4 healthy'],
    ],
  ])('when %s', (_when, now, steps, healthy, lastUpdated, families) => {
    expect(judgeAt(now, ...steps)).toEqual({ healthy, lastUpdated, families });
  });

  it('allows a change to wait for two sync periods', async () => {
    const clock = new FakeClock();
    const tracker = new ProxyHealthTracker(clock, 30_000);
    tracker.updated('IPv4');
    tracker.queuedUpdate('IPv4');
    await clock.advance(59_999);
    expect(tracker.health().healthy).toBe(true);
    await clock.advance(1);
    expect(tracker.health().healthy).toBe(false);
    tracker.updated('IPv4');
    expect(tracker.health()).toMatchObject({ healthy: true, lastUpdated: { monotonic: 60_000 } });
  });
});
