import { describe, expect, it } from 'vitest';
import { FairLimiter } from '../../src/workqueue/fair-limiter.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

function limiter(perSecond: number, burst: number) {
  const clock = new FakeClock();
  const turns = new FairLimiter({ clock, perSecond, burst });
  const log: string[] = [];
  const take = (key: string) => {
    void turns.take(key).then((waited) => log.push(`${key} at ${clock.monotonic()} after ${waited}`));
  };
  return { clock, turns, log, take };
}

describe('the fair limiter', () => {
  it('gives the burst at once, and then a turn at a time at the rate', async () => {
    const { clock, log, take } = limiter(10, 3);
    for (let i = 0; i < 5; i++) take('a');
    await settle();
    expect(log).toEqual(['a at 0 after 0', 'a at 0 after 0', 'a at 0 after 0']);
    await clock.advance(100);
    expect(log.slice(3)).toEqual(['a at 100 after 100']);
    await clock.advance(100);
    expect(log.slice(4)).toEqual(['a at 200 after 200']);
  });

  it('gathers a burst again when nobody takes', async () => {
    const { clock, log, take } = limiter(10, 2);
    take('a');
    take('a');
    await clock.advance(1000);
    for (let i = 0; i < 3; i++) take('b');
    await settle();
    expect(log.slice(2)).toEqual(['b at 1000 after 0', 'b at 1000 after 0']);
  });

  it('lets one with little to do pass between those of one with much', async () => {
    const { clock, log, take } = limiter(10, 1);
    for (let i = 0; i < 100; i++) take('large');
    await clock.advance(1000);
    take('small');
    take('other');
    await clock.advance(300);
    expect(log.slice(11)).toEqual(['large at 1100 after 1100', 'small at 1200 after 200', 'other at 1300 after 300']);
  });

  it('goes round all who wait', async () => {
    const { clock, log, take } = limiter(10, 1);
    take('first');
    for (const key of ['a', 'a', 'a', 'b', 'b', 'c']) take(key);
    await clock.advance(600);
    expect(log.slice(1).map((line) => line.slice(0, 1))).toEqual(['a', 'b', 'c', 'a', 'b', 'a']);
  });

  it('refuses all who wait once it is closed, and all who come later', async () => {
    const { turns, clock } = limiter(1, 1);
    await turns.take('a');
    const waiting = turns.take('a');
    const reason = new Error('shutting down');
    turns.close(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(turns.take('b')).rejects.toBe(reason);
    expect({ waiting: turns.waiting, timer: clock.nextTimerIn }).toEqual({ waiting: 0, timer: undefined });
  });
});
