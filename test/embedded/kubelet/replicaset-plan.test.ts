import { describe, expect, it } from 'vitest';
import { planReplicaSet } from '../../../src/embedded/kubelet/replicaset-plan.ts';
import { EARLIER, NOW, pod, replicaSet } from './objects.ts';

const now = Date.parse(NOW);
const names = (pods: readonly { metadata: { name: string } }[]) => pods.map(({ metadata }) => metadata.name);

describe('planReplicaSet', () => {
  it('creates what is missing', () => {
    const plan = planReplicaSet(replicaSet('nginx:1', 3), [pod('a')], now);
    expect(plan.create).toBe(2);
    expect(plan.delete).toEqual([]);
  });

  it('does not count Pods that are being deleted or have ended', () => {
    const plan = planReplicaSet(
      replicaSet('nginx:1', 1),
      [pod('a', { deleting: true }), pod('b', { phase: 'Failed' })],
      now,
    );
    expect(plan.create).toBe(1);
    expect(plan.status.replicas).toBe(0);
  });

  it('gives up unscheduled Pods first, then unready ones, then those that are crowded, then the young', () => {
    const pods = [
      pod('old-crowded', { node: 'one', created: EARLIER }),
      pod('young-crowded', { node: 'one', created: NOW }),
      pod('alone', { node: 'two', created: NOW }),
      pod('unready', { node: 'three', ready: false }),
      pod('unscheduled', { ready: false, phase: 'Pending' }),
    ];
    const order = (replicas: number) => names(planReplicaSet(replicaSet('nginx:1', replicas), pods, now).delete);
    expect(order(0)).toEqual(['unscheduled', 'unready', 'young-crowded', 'old-crowded', 'alone']);
    expect(order(3)).toEqual(['unscheduled', 'unready']);
    expect(order(5)).toEqual([]);
  });

  it('counts a ready Pod as available once it has been ready for minReadySeconds', () => {
    const set = replicaSet('nginx:1', 2);
    set.spec.minReadySeconds = 60;
    set.metadata.generation = 4;
    const pods = [pod('long'), pod('just', { since: NOW })];
    expect(planReplicaSet(set, pods, now + 59_000).status).toEqual({
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      observedGeneration: 4,
    });
    expect(planReplicaSet(set, pods, now + 60_000).status.availableReplicas).toBe(2);
  });

  it('leaves counters of zero out, as the API server prints them', () => {
    expect(planReplicaSet(replicaSet('nginx:1', 0), [], now).status).toEqual({ replicas: 0 });
  });
});
