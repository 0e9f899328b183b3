import { describe, expect, it } from 'vitest';
import { type CoreEvent, EventRecorder } from '../../src/endpointslice/event-recorder.ts';
import { ApiError } from '../../src/kube/errors.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { service } from './support/build.ts';

class Events {
  calls: string[] = [];
  stored = new Map<string, CoreEvent>();

  async create(event: CoreEvent): Promise<CoreEvent> {
    this.calls.push(`create ${event.reason} x${event.count}`);
    this.stored.set(event.metadata.name, event);
    return event;
  }

  async patch(_: string | undefined, name: string, patch: unknown): Promise<CoreEvent> {
    const before = this.stored.get(name);
    if (!before) throw new ApiError({ code: 'NOT_FOUND', message: 'gone' });
    const after = { ...before, ...(patch as Partial<CoreEvent>) };
    this.calls.push(`patch ${after.reason} x${after.count}`);
    this.stored.set(name, after);
    return after;
  }
}

function setUp() {
  const clock = new FakeClock();
  const events = new Events();
  return { clock, events, recorder: new EventRecorder({ events, component: 'me', clock, logger: silentLogger }) };
}

const warning = { type: 'Warning' as const, reason: 'Broken', message: 'it broke' };

describe('the event recorder', () => {
  it('writes an event about the Service', async () => {
    const { events, recorder } = setUp();
    recorder.record(service(), warning);
    await recorder.drained();
    const [event] = events.stored.values();
    expect(event).toMatchObject({
      metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]+$/) },
      involvedObject: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'uid-web' },
      type: 'Warning',
      reason: 'Broken',
      message: 'it broke',
      source: { component: 'me' },
      reportingComponent: 'me',
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
    });
  });

  it('counts up an event that says the same again', async () => {
    const { clock, events, recorder } = setUp();
    recorder.record(service(), warning);
    await recorder.drained();
    await clock.advance(5000);
    recorder.record(service(), warning);
    await recorder.drained();
    expect(events.calls).toEqual(['create Broken x1', 'patch Broken x2']);
    expect([...events.stored.values()][0]).toMatchObject({
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:05Z',
    });
  });

  it('writes it anew when the old one has expired', async () => {
    const { events, recorder } = setUp();
    recorder.record(service(), warning);
    await recorder.drained();
    events.stored.clear();
    recorder.record(service(), warning);
    await recorder.drained();
    expect(events.calls).toEqual(['create Broken x1', 'create Broken x1']);
  });

  it('does not flood: 25 at once about one object, then one in five minutes', async () => {
    const { clock, events, recorder } = setUp();
    for (let i = 0; i < 100; i++) recorder.record(service(), { ...warning, message: `no. ${i}` });
    recorder.record(service({ name: 'other', uid: 'other' }), warning);
    await recorder.drained();
    expect(events.calls).toHaveLength(26);
    await clock.advance(300_000);
    recorder.record(service(), { ...warning, message: 'later' });
    recorder.record(service(), { ...warning, message: 'too much' });
    await recorder.drained();
    expect(events.calls).toHaveLength(27);
  });

  it('survives a server that refuses', async () => {
    const clock = new FakeClock();
    const refuse = async (): Promise<CoreEvent> => {
      throw new ApiError({ code: 'FORBIDDEN', message: 'no' });
    };
    const recorder = new EventRecorder({
      events: { create: refuse, patch: refuse },
      component: 'me',
      clock,
      logger: silentLogger,
    });
    recorder.record(service(), warning);
    await recorder.drained();
  });

  it('cuts a message that the server would find too long', async () => {
    const { events, recorder } = setUp();
    recorder.record(service(), { ...warning, message: 'x'.repeat(5000) });
    await recorder.drained();
    expect([...events.stored.values()][0]?.message.length).toBeLessThanOrEqual(1024);
  });
});
