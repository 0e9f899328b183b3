import { describe, expect, it } from 'vitest';
import { conditionOf, type PodObject } from '../../../src/embedded/kubelet/objects.ts';
import { type PodActivity, podStatus, sameStatus } from '../../../src/embedded/kubelet/pod-status.ts';
import { condition, EARLIER, NOW, pod } from './objects.ts';

const context = { hostIPs: ['172.18.0.12', 'fd00:172:18::12'], now: NOW };
const running: PodActivity = { state: 'running', ips: ['10.244.1.2', 'fd00:10:244:1::2'], startedAt: NOW, restarts: 0 };
const ready = (object: PodObject, activity: PodActivity = running) => {
  const { conditions } = podStatus(object, activity, context);
  return ['Ready', 'ContainersReady'].map((type) => conditionOf(conditions, type)?.status);
};

describe('podStatus', () => {
  it('reports a running Pod with addresses of both families', () => {
    const status = podStatus(pod('a', { ready: false }), running, context);
    expect(status).toMatchObject({
      phase: 'Running',
      hostIP: '172.18.0.12',
      hostIPs: [{ ip: '172.18.0.12' }, { ip: 'fd00:172:18::12' }],
      podIP: '10.244.1.2',
      podIPs: [{ ip: '10.244.1.2' }, { ip: 'fd00:10:244:1::2' }],
      startTime: NOW,
      containerStatuses: [
        {
          name: 'nginx',
          image: 'nginx:1',
          ready: true,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: NOW } },
        },
      ],
    });
    expect(conditionOf(status.conditions, 'Ready')).toEqual(condition('Ready', 'True', NOW));
  });

  it('has no address and is Pending while it starts', () => {
    const status = podStatus(pod('a', { ready: false }), { state: 'starting' }, context);
    expect(status).toMatchObject({ phase: 'Pending', hostIP: '172.18.0.12' });
    expect(status).not.toHaveProperty('podIP');
    expect(status.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
  });

  it('is not ready while the annotation says false, and stays running', () => {
    expect(ready(pod('a', { annotations: { 'slicewise.dev/ready': 'false' } }))).toEqual(['False', 'False']);
    expect(ready(pod('a', { annotations: { 'slicewise.dev/ready': 'true' } }))).toEqual(['True', 'True']);
  });

  it('is ready only when every readiness gate is true, and keeps the conditions of others', () => {
    const gated = pod('a', { spec: { readinessGates: [{ conditionType: 'example.com/lb' }] } });
    expect(ready(gated)).toEqual(['False', 'True']);
    const open = { ...gated, status: { conditions: [condition('example.com/lb', 'True')] } };
    expect(ready(open)).toEqual(['True', 'True']);
    expect(podStatus(open, running, context).conditions).toContainEqual(condition('example.com/lb', 'True'));
  });

  it('keeps the time of the last transition while the status stays', () => {
    expect(conditionOf(podStatus(pod('a'), running, context).conditions, 'Ready')?.lastTransitionTime).toBe(EARLIER);
  });

  it('says Succeeded or Failed once the Pod has ended, and shows a crash while it waits for a restart', () => {
    const ended = (exitCode: number) =>
      podStatus(
        pod('a'),
        { state: 'ended', ips: ['10.244.1.2'], restarts: 0, exitCode, startedAt: EARLIER, finishedAt: NOW },
        context,
      );
    expect(ended(0).phase).toBe('Succeeded');
    expect(ended(3).phase).toBe('Failed');
    expect(ended(3).containerStatuses?.[0]?.state).toEqual({
      terminated: { exitCode: 3, reason: 'Error', startedAt: EARLIER, finishedAt: NOW },
    });
    const crashed: PodActivity = {
      state: 'restarting',
      ips: ['10.244.1.2'],
      restarts: 2,
      exitCode: 137,
      startedAt: EARLIER,
      finishedAt: NOW,
    };
    expect(ready(pod('a'), crashed)).toEqual(['False', 'False']);
    expect(podStatus(pod('a'), crashed, context)).toMatchObject({
      phase: 'Running',
      containerStatuses: [{ restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
    });
  });
});

describe('sameStatus', () => {
  it('compares by content', () => {
    expect(sameStatus({ a: [1, { b: 2 }], c: undefined }, { a: [1, { b: 2 }] })).toBe(true);
    expect(sameStatus({ a: [1, 2] }, { a: [1] })).toBe(false);
    expect(sameStatus([], {})).toBe(false);
    expect(sameStatus(undefined, {})).toBe(false);
    expect(sameStatus({ a: null, b: [{ c: null }] }, { b: [{}] })).toBe(true);
  });
});
