import { afterEach, describe, expect, it } from 'vitest';
import {
  createEventRecorder,
  type EventRecorderOptions,
  NEW_EVENTS,
  type Occurrence,
} from '../../../src/kube/events.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { until } from '../support/recorder.ts';
import { type Script, ScriptedServer, sendJson, sendStatus } from '../support/scripted-server.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function record(script: Script, options: Partial<EventRecorderOptions> = {}) {
  const server = await ScriptedServer.start(script);
  cleanups.push(() => server.stop());
  const clock = new FakeClock();
  const client = createKubeClient(server.access(), { userAgent: 'test', logger: silentLogger, clock });
  cleanups.push(() => client.close());
  const reporter = { component: 'slicewise-controller', host: 'node-1' };
  const recorder = createEventRecorder({ client, reporter, logger: silentLogger, clock, ...options });
  cleanups.push(() => recorder.stop());
  return { server, clock, recorder };
}

const accept: Script = (_request, response) => sendJson(response, 201, {});
const occurrence: Occurrence = {
  regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'u' },
  type: 'Warning',
  reason: 'FailedToUpdateEndpointSlices',
  message: 'Error updating',
};
const bodyOf = (server: ScriptedServer, index: number) => JSON.parse(server.requests[index]?.body ?? '{}');

describe('the event recorder', () => {
  it('writes a core/v1 Event beside the object, and patches its count when it happens again', async () => {
    const { server, clock, recorder } = await record(accept);
    recorder.record(occurrence);
    await server.seen(1);
    await clock.advance(7_000);
    recorder.record(occurrence);
    await server.seen(2);
    const { name } = bodyOf(server, 0).metadata;
    expect(name).toMatch(/^web\.[0-9a-f]+$/);
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/shop/events' });
    expect(bodyOf(server, 0)).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'shop' },
      involvedObject: occurrence.regarding,
      reason: 'FailedToUpdateEndpointSlices',
      message: 'Error updating',
      type: 'Warning',
      source: { component: 'slicewise-controller', host: 'node-1' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
      reportingComponent: 'slicewise-controller',
      reportingInstance: 'node-1',
    });
    expect(server.requests[1]).toMatchObject({ method: 'PATCH', path: `/api/v1/namespaces/shop/events/${name}` });
    expect(server.requests[1]?.headers['content-type']).toBe('application/strategic-merge-patch+json');
    expect(bodyOf(server, 1)).toEqual({ count: 2, message: 'Error updating', lastTimestamp: '2026-01-01T00:00:07Z' });
  });

  it('writes events.k8s.io/v1 with action and series', async () => {
    const { server, recorder } = await record(accept, { format: NEW_EVENTS });
    const node: Occurrence = {
      ...occurrence,
      regarding: { kind: 'Node', name: 'n1' },
      type: 'Normal',
      action: 'StartKubeProxy',
    };
    recorder.record(node);
    recorder.record(node);
    await server.seen(2);
    expect(server.requests[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/default/events');
    expect(bodyOf(server, 0)).toMatchObject({
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'slicewise-controller',
      reportingInstance: 'node-1',
      action: 'StartKubeProxy',
      note: 'Error updating',
      regarding: { kind: 'Node', name: 'n1' },
    });
    expect(bodyOf(server, 0).series).toBeUndefined();
    expect(bodyOf(server, 1)).toEqual({ series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' } });
  });

  it('writes an Event anew, with its count, when the old one has expired', async () => {
    const { server, recorder } = await record((request, response) =>
      request.method === 'PATCH' ? sendStatus(response, 404, 'NotFound', 'x') : sendJson(response, 201, {}),
    );
    recorder.record(occurrence);
    recorder.record(occurrence);
    await server.seen(3);
    expect(server.requests.map((r) => r.method)).toEqual(['POST', 'PATCH', 'POST']);
    expect(bodyOf(server, 2).count).toBe(2);
    expect(bodyOf(server, 2).metadata.name).not.toBe(bodyOf(server, 0).metadata.name);
  });

  it('tries a busy server again, and goes on with the next event after one that is refused', async () => {
    const { server, clock, recorder } = await record((_request, response, index) => {
      if (index === 0) return sendStatus(response, 500, 'InternalError', 'x');
      if (index === 1) return sendStatus(response, 403, 'Forbidden', 'namespace is being terminated');
      return sendJson(response, 201, {});
    });
    recorder.record(occurrence);
    recorder.record({ ...occurrence, message: 'second' });
    await until(() => clock.nextTimerIn === 5_000);
    await clock.advance(5_000);
    await server.seen(3);
    expect([0, 1, 2].map((i) => bodyOf(server, i).message)).toEqual(['Error updating', 'Error updating', 'second']);
  });

  it('cuts messages that the server would refuse', async () => {
    const { server, recorder } = await record(accept);
    recorder.record({ ...occurrence, message: 'x'.repeat(2000) });
    recorder.record({ ...occurrence, message: `${'x'.repeat(1000)}${'ü'.repeat(24)}` });
    await server.seen(2);
    expect(bodyOf(server, 0).message).toBe(`${'x'.repeat(1021)}...`);
    // The server counts bytes; a character is never cut in two.
    expect(bodyOf(server, 1).message).toBe(`${'x'.repeat(1000)}${'ü'.repeat(10)}...`);
  });

  it('drops what comes faster than it can be written', async () => {
    const { server, recorder } = await record(accept);
    for (let i = 0; i < 2_000; i++)
      recorder.record({ ...occurrence, regarding: { kind: 'Service', namespace: 'a', name: `s${i}` } });
    await recorder.stop();
    expect(server.requests.length).toBeLessThanOrEqual(1001);
  });

  it('writes what it has taken before it stops, and takes no more', async () => {
    const { server, recorder } = await record(accept);
    recorder.record(occurrence);
    await recorder.stop();
    recorder.record({ ...occurrence, message: 'late' });
    expect(server.requests).toHaveLength(1);
  });

  it('stops at once while it waits for a server that is away', async () => {
    const { clock, recorder } = await record((_request, response) => sendStatus(response, 500, 'InternalError', 'x'));
    recorder.record(occurrence);
    await until(() => clock.nextTimerIn === 5_000);
    await recorder.stop();
    expect(clock.nextTimerIn).toBeUndefined();
  });
});
