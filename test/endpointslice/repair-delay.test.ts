import { describe, expect, it } from 'vitest';
import { RepairDelay } from '../../src/endpointslice/repair-delay.ts';
import { FakeClock } from '../support/fake-clock.ts';

function delays(options: { atOnce?: boolean; batchPeriodMs?: number } = {}): { clock: FakeClock; delay: RepairDelay } {
  const clock = new FakeClock();
  return { clock, delay: new RepairDelay({ clock, atOnce: true, batchPeriodMs: 0, ...options }) };
}

describe('a slice changed by others', () => {
  it('is put right at once, and again only a second later', async () => {
    const { clock, delay } = delays();
    expect(delay.next('shop/web')).toBe(0);
    await clock.advance(400);
    expect(delay.next('shop/web')).toBe(600);
    expect(delay.next('shop/other')).toBe(0);
  });

  it('waits for the repair that is still to come, however many changes there are until then', async () => {
    const { clock, delay } = delays();
    delay.next('shop/web');
    expect(Array.from({ length: 50 }, () => delay.next('shop/web'))).toEqual(Array.from({ length: 50 }, () => 1000));
    await clock.advance(2000);
    expect(delay.next('shop/web')).toBe(0);
  });

  it('waits a second, or for the batch period, when told to do as upstream does', () => {
    expect(delays({ atOnce: false }).delay.next('shop/web')).toBe(1000);
    expect(delays({ atOnce: false, batchPeriodMs: 3000 }).delay.next('shop/web')).toBe(3000);
  });
});
