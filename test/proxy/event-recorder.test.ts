import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/kube/errors.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { type EventObject, ProxyEventRecorder } from '../../src/proxy/event-recorder.ts';
import { bindFailureEvent, healthPortFailureEvent, startingEvent } from '../../src/proxy/events.ts';
import { FakeClock } from '../support/fake-clock.ts';

function setUp() {
  const created: EventObject[] = [];
  const patches: unknown[] = [];
  let failure: Error | undefined;
  const fail = () => {
    const error = failure;
    failure = undefined;
    if (error) throw error;
  };
  const recorder = new ProxyEventRecorder({
    events: {
      async create(event) {
        fail();
        created.push(event);
        return event;
      },
      async patch(namespace, name, patch) {
        fail();
        patches.push([namespace, name, patch]);
        const [event] = created;
        if (!event) throw new Error('nothing was created');
        return event;
      },
    },
    nodeName: 'n1',
    clock: new FakeClock(),
    logger: silentLogger,
  });
  const failOnce = (error: Error) => {
    failure = error;
  };
  return { recorder, created, patches, failOnce };
}

describe("the proxier's events", () => {
  it('go to the namespace of what they are about, as events.k8s.io wants them', async () => {
    const { recorder, created } = setUp();
    recorder.record(startingEvent('n1'));
    recorder.record(healthPortFailureEvent('n1', 'ns/svc', 31000, 'the port is in use'));
    await recorder.drained();
    expect(created).toEqual([
      {
        metadata: { namespace: 'default', name: expect.stringMatching(/^n1\.[0-9a-f]+$/) },
        eventTime: '2026-01-01T00:00:00.000000Z',
        type: 'Normal',
        reason: 'Starting',
        action: 'StartKubeProxy',
        regarding: { apiVersion: 'v1', kind: 'Node', name: 'n1' },
        note: '',
        reportingController: 'kube-proxy',
        reportingInstance: 'kube-proxy-n1',
      },
      expect.objectContaining({
        metadata: { namespace: 'ns', name: expect.stringMatching(/^svc\.[0-9a-f]+$/) },
        reason: 'FailedToStartServiceHealthcheck',
        regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'ns', name: 'svc' },
      }),
    ]);
  });

  it('that say the same again are counted up', async () => {
    const { recorder, created, patches } = setUp();
    for (let i = 0; i < 3; i++) recorder.record(startingEvent('n1'));
    await recorder.drained();
    expect(created).toHaveLength(1);
    const name = created[0]?.metadata.name;
    const lastObservedTime = '2026-01-01T00:00:00.000000Z';
    expect(patches).toEqual([
      ['default', name, { series: { count: 2, lastObservedTime } }],
      ['default', name, { series: { count: 3, lastObservedTime } }],
    ]);
  });

  it('are told anew once the API server has forgotten them', async () => {
    const { recorder, created, failOnce } = setUp();
    recorder.record(startingEvent('n1'));
    await recorder.drained();
    failOnce(new ApiError({ code: 'NOT_FOUND', message: 'gone' }));
    recorder.record(startingEvent('n1'));
    await recorder.drained();
    expect(created).toHaveLength(2);
  });

  it('that cannot be sent hold up nothing', async () => {
    const { recorder, created, failOnce } = setUp();
    failOnce(new ApiError({ code: 'FORBIDDEN', message: 'no' }));
    recorder.record(bindFailureEvent('n1', 'healthz', 'the port is in use'));
    recorder.record(bindFailureEvent('n1', 'metrics', 'the port is in use'));
    await recorder.drained();
    expect(created.map((event) => event.reason)).toEqual(['FailedToStartMetricServer']);
  });

  it('beyond a hundred that wait are dropped, and long notes are cut', async () => {
    const { recorder, created } = setUp();
    for (let i = 0; i < 150; i++) recorder.record(healthPortFailureEvent('n1', `ns/s${i}`, 31000, 'x'.repeat(2000)));
    await recorder.drained();
    expect(created).toHaveLength(100);
    expect(created[0]?.note.length).toBeLessThan(1024);
  });
});
