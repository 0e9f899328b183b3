import { describe, expect, it } from 'vitest';
import { createEventRecorder, NEW_EVENTS } from '../../src/kube/events.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { bindFailureEvent, eventReporter, healthPortFailureEvent, startingEvent } from '../../src/proxy/events.ts';
import { ScriptedServer, sendJson } from '../kube/support/scripted-server.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe("the proxier's events", () => {
  it('go to the namespace of what they are about, in the name and words of kube-proxy', async () => {
    const server = await ScriptedServer.start((_request, response) => sendJson(response, 201, {}));
    const clock = new FakeClock();
    const client = createKubeClient(server.access(), { userAgent: 'test', logger: silentLogger, clock });
    const reporter = eventReporter('n1');
    const recorder = createEventRecorder({ client, reporter, format: NEW_EVENTS, logger: silentLogger, clock });
    recorder.record(startingEvent('n1'));
    recorder.record(healthPortFailureEvent('n1', 'ns/svc', 31000, 'the port is in use'));
    recorder.record(bindFailureEvent('n1', 'healthz', 'the port is in use'));
    await recorder.stop();
    const [first, second, third] = server.requests.map(({ path, body }) => ({ path, body: JSON.parse(body) }));
    expect(first).toEqual({
      path: '/apis/events.k8s.io/v1/namespaces/default/events',
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
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
    });
    expect(second).toEqual({
      path: '/apis/events.k8s.io/v1/namespaces/ns/events',
      body: expect.objectContaining({
        reason: 'FailedToStartServiceHealthcheck',
        action: 'Listen',
        regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'ns', name: 'svc' },
        note: 'node n1 failed to start healthcheck "ns/svc" on port 31000: the port is in use',
      }),
    });
    expect(third?.body).toMatchObject({ type: 'Warning', reason: 'FailedToStartProxierHealthcheck' });
    await client.close();
    await server.stop();
  });
});
