import { describe, expect, it } from 'vitest';
import { triggerTime } from '../../src/endpointslice/trigger-time.ts';
import { pod, service } from './support/build.ts';

const at = (hour: number) => `2026-01-01T${String(hour).padStart(2, '0')}:00:00Z`;
const ready = (name: string, hour: number) => pod(name, { readySince: at(hour) });
const created = (hour: number) => service({ created: at(hour) });

describe('the time a sync was set in motion', () => {
  it('is the creation of the Service at its first sync, whatever its Pods say', () => {
    expect(triggerTime(undefined, created(3), [ready('a', 1), ready('b', 9)]).time).toBe(at(3));
  });

  it('is the earliest of the changes since', () => {
    const { state } = triggerTime(undefined, created(1), [ready('a', 1), ready('b', 1)]);
    expect(triggerTime(state, created(1), [ready('a', 7), ready('b', 5)]).time).toBe(at(5));
  });

  it('is unknown when nothing is newer, as after a deletion', () => {
    const { state } = triggerTime(undefined, created(1), [ready('a', 2), ready('b', 2)]);
    expect(triggerTime(state, created(1), [ready('a', 2)]).time).toBeUndefined();
  });

  it('does not go back', () => {
    const { state } = triggerTime(undefined, created(1), [ready('a', 5)]);
    expect(triggerTime(state, created(1), [ready('a', 4)]).time).toBeUndefined();
  });

  it('forgets Pods that are gone', () => {
    const first = triggerTime(undefined, created(1), [ready('a', 5)]);
    const second = triggerTime(first.state, created(1), []);
    expect(triggerTime(second.state, created(1), [ready('a', 5)]).time).toBe(at(5));
  });

  it('counts a Service that was created anew', () => {
    const { state } = triggerTime(undefined, created(1), []);
    expect(triggerTime(state, created(6), [ready('a', 8)]).time).toBe(at(6));
  });

  it('leaves out Pods that do not tell, and prints no empty fraction but a real one', () => {
    const { state } = triggerTime(undefined, created(1), []);
    expect(triggerTime(state, created(1), [pod('a')]).time).toBeUndefined();
    expect(triggerTime(state, created(1), [pod('a', { readySince: '2026-01-01T05:00:00.250+01:00' })]).time).toBe(
      '2026-01-01T04:00:00.25Z',
    );
    expect(triggerTime(state, created(1), [pod('a', { readySince: '2026-01-01T05:00:10Z' })]).time).toBe(
      '2026-01-01T05:00:10Z',
    );
  });
});
