import { describe, expect, it } from 'vitest';
import { EventCorrelator } from '../../../src/kube/events/correlator.ts';
import type { Occurrence } from '../../../src/kube/events/occurrence.ts';

const MINUTE = 60_000;
const about = (name: string, message = 'it broke', more: Partial<Occurrence> = {}): Occurrence => ({
  regarding: { kind: 'Service', namespace: 'a', name },
  type: 'Warning',
  reason: 'Broken',
  message,
  ...more,
});

/** Correlates and pretends that a new Event was written. */
function see(correlator: EventCorrelator, occurrence: Occurrence, now: number) {
  const result = correlator.correlate(occurrence, now);
  if (result.kind === 'create') correlator.written(result.key, `${occurrence.regarding.name}.${now}`);
  return result;
}

describe('the event correlator', () => {
  it('makes a new Event of the first occurrence and raises its count for like ones', () => {
    const correlator = new EventCorrelator();
    expect(see(correlator, about('s'), 0)).toMatchObject({ kind: 'create', count: 1, first: 0 });
    expect(see(correlator, about('s'), 5)).toMatchObject({ kind: 'repeat', count: 2, first: 0, name: 's.0' });
    expect(see(correlator, about('s'), 9)).toMatchObject({ kind: 'repeat', count: 3 });
  });

  it('keeps occurrences apart that differ in anything', () => {
    const correlator = new EventCorrelator();
    const different = [
      about('s'),
      about('t'),
      about('s', 'other'),
      about('s', 'it broke', { reason: 'Other' }),
      about('s', 'it broke', { type: 'Normal' }),
      about('s', 'it broke', { action: 'x' }),
      about('s', 'it broke', { related: { name: 'r' } }),
    ];
    for (const occurrence of different) expect(see(correlator, occurrence, 0).kind).toBe('create');
  });

  it('starts a new Event when ten minutes have passed without one', () => {
    const correlator = new EventCorrelator();
    see(correlator, about('s'), 0);
    expect(see(correlator, about('s'), 10 * MINUTE).kind).toBe('repeat');
    expect(see(correlator, about('s'), 20 * MINUTE + 1)).toMatchObject({ kind: 'create', count: 1 });
  });

  it('combines more than ten different messages into one Event, and leaves the first ten as they are', () => {
    const correlator = new EventCorrelator();
    for (let i = 0; i < 10; i++)
      expect(see(correlator, about('s', `message ${i}`), i)).toMatchObject({ kind: 'create' });
    expect(see(correlator, about('s', 'message 10'), 10)).toMatchObject({
      kind: 'create',
      message: '(combined from similar events): message 10',
    });
    expect(see(correlator, about('s', 'message 11'), 11)).toMatchObject({
      kind: 'repeat',
      count: 2,
      message: '(combined from similar events): message 11',
    });
    expect(see(correlator, about('s', 'message 3'), 12)).toMatchObject({
      kind: 'repeat',
      count: 2,
      message: 'message 3',
    });
  });

  it('lets an object have 25 Events at once and one more every five minutes, and goes on counting', () => {
    const correlator = new EventCorrelator();
    for (let i = 0; i < 25; i++) expect(see(correlator, about('s'), 0).kind).not.toBe('drop');
    expect(see(correlator, about('s'), 0).kind).toBe('drop');
    expect(see(correlator, about('t'), 0).kind).toBe('create');
    expect(see(correlator, about('s'), 5 * MINUTE - 1).kind).toBe('drop');
    expect(see(correlator, about('s'), 5 * MINUTE)).toMatchObject({ kind: 'repeat', count: 28 });
  });

  it('lets no object wait because the wall clock was set back', () => {
    const correlator = new EventCorrelator();
    const day = 24 * 60 * MINUTE;
    see(correlator, about('s'), day);
    expect(see(correlator, about('s'), 0).kind).toBe('repeat');
    for (let i = 0; i < 23; i++) expect(see(correlator, about('s'), 0).kind).not.toBe('drop');
    expect(see(correlator, about('s'), 0).kind).toBe('drop');
    expect(see(correlator, about('s'), 5 * MINUTE).kind).not.toBe('drop');
  });

  it('makes a new Event of a repetition when the old one is gone', () => {
    const correlator = new EventCorrelator();
    const first = see(correlator, about('s'), 0);
    if (first.kind === 'drop') throw new Error('dropped');
    correlator.written(first.key, undefined);
    expect(see(correlator, about('s'), 1)).toMatchObject({ kind: 'create', count: 2 });
  });
});
