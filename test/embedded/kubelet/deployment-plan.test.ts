import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planDeployment } from '../../../src/embedded/kubelet/deployment-plan.ts';
import type { DeploymentObject, ReplicaSetObject } from '../../../src/embedded/kubelet/objects.ts';
import { templateHash } from '../../../src/embedded/kubelet/template-hash.ts';
import { deployment, EARLIER, NOW, replicaSet } from './objects.ts';

/** `name=replicas` for each change, as a plan says it. */
function sizes(plan: ReturnType<typeof planDeployment>): string[] {
  return plan.change.map(({ set, replicas }) => `${set.metadata.name}=${replicas}`);
}

describe('planDeployment', () => {
  it('creates the first ReplicaSet in full size, named, labelled and owned', () => {
    const first = deployment(3);
    const hash = templateHash(first.spec.template);
    const plan = planDeployment(first, [], NOW);
    expect(plan.create).toEqual({
      metadata: {
        name: `nginx-${hash}`,
        namespace: 'default',
        labels: { app: 'nginx', 'pod-template-hash': hash },
        annotations: { 'deployment.kubernetes.io/revision': '1' },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            name: 'nginx',
            uid: 'uid-nginx',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'nginx', 'pod-template-hash': hash } },
        template: {
          metadata: { labels: { app: 'nginx', 'pod-template-hash': hash } },
          spec: { containers: [{ name: 'nginx', image: 'nginx:1' }] },
        },
      },
    });
    expect(plan.revision).toBe('1');
  });

  it('scales the only ReplicaSet to what is asked for, up and down', () => {
    expect(sizes(planDeployment(deployment(6), [replicaSet('nginx:1', 3)], NOW))).toEqual(['nginx-nginx:1=6']);
    expect(sizes(planDeployment(deployment(0), [replicaSet('nginx:1', 3)], NOW))).toEqual(['nginx-nginx:1=0']);
    expect(sizes(planDeployment(deployment(3), [replicaSet('nginx:1', 3)], NOW))).toEqual([]);
  });

  it('starts a rolling update with one Pod more (25% of 3, rounded up) and none fewer (rounded down)', () => {
    const plan = planDeployment(deployment(3, { image: 'nginx:2' }), [replicaSet('nginx:1', 3)], NOW);
    expect(plan.create?.spec.replicas).toBe(1);
    expect(plan.create?.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '2' });
    expect(sizes(plan)).toEqual([]);
  });

  it('takes an old Pod away once a new one is available', () => {
    const update = deployment(3, { image: 'nginx:2' });
    const unavailable = replicaSet('nginx:2', 1, { available: 0, revision: 2 });
    expect(sizes(planDeployment(update, [replicaSet('nginx:1', 3), unavailable], NOW))).toEqual([]);
    const available = replicaSet('nginx:2', 1, { revision: 2 });
    expect(sizes(planDeployment(update, [replicaSet('nginx:1', 3), available], NOW))).toEqual(['nginx-nginx:1=2']);
  });

  it('takes old Pods that do not serve away first', () => {
    const update = deployment(4, {
      image: 'nginx:2',
      spec: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } },
    });
    const sick = replicaSet('nginx:0', 2, { available: 0, revision: 1 });
    const healthy = replicaSet('nginx:1', 2, { revision: 2 });
    const fresh = replicaSet('nginx:2', 1, { available: 1, revision: 3 });
    expect(sizes(planDeployment(update, [healthy, sick, fresh], NOW))).toEqual(['nginx-nginx:0=0']);
  });

  it('with Recreate ends all old Pods before the first new one starts', () => {
    const recreate = deployment(3, { image: 'nginx:2', spec: { strategy: { type: 'Recreate' } } });
    const first = planDeployment(recreate, [replicaSet('nginx:1', 3)], NOW);
    expect(first.create?.spec.replicas).toBe(0);
    expect(sizes(first)).toEqual(['nginx-nginx:1=0']);
    const ending = [replicaSet('nginx:1', 0, { current: 3 }), replicaSet('nginx:2', 0, { revision: 2 })];
    expect(sizes(planDeployment(recreate, ending, NOW))).toEqual([]);
    const ended = [replicaSet('nginx:1', 0), replicaSet('nginx:2', 0, { revision: 2 })];
    expect(sizes(planDeployment(recreate, ended, NOW))).toEqual(['nginx-nginx:2=3']);
  });

  it('makes a template that comes back the newest revision again', () => {
    const sets = [replicaSet('nginx:1', 0), replicaSet('nginx:2', 3, { revision: 2 })];
    const plan = planDeployment(deployment(3, { image: 'nginx:1' }), sets, NOW);
    expect(plan.create).toBeUndefined();
    expect(plan.change).toEqual([{ set: sets[0], replicas: 1, revision: '3' }]);
    expect(plan.revision).toBe('3');
  });

  it('rolls nothing out while paused, but still scales', () => {
    const paused = deployment(5, { image: 'nginx:2', spec: { paused: true } });
    const plan = planDeployment(paused, [replicaSet('nginx:1', 3)], NOW);
    expect(plan.create).toBeUndefined();
    expect(sizes(plan)).toEqual(['nginx-nginx:1=5']);
  });

  it('deletes empty ReplicaSets beyond the history limit, oldest first', () => {
    const limited = deployment(1, { image: 'nginx:4', spec: { revisionHistoryLimit: 1 } });
    const sets = [3, 1, 2].map((n) => replicaSet(`nginx:${n}`, 0, { revision: n }));
    const plan = planDeployment(limited, [...sets, replicaSet('nginx:4', 1, { revision: 4 })], NOW);
    expect(plan.delete.map(({ metadata }) => metadata.name)).toEqual(['nginx-nginx:1', 'nginx-nginx:2']);
  });

  describe('status', () => {
    it('says what kubectl rollout status waits for once all Pods are new and available', () => {
      const { status } = planDeployment(deployment(3), [replicaSet('nginx:1', 3)], NOW);
      expect(status).toEqual({
        observedGeneration: 3,
        replicas: 3,
        updatedReplicas: 3,
        readyReplicas: 3,
        availableReplicas: 3,
        conditions: [
          {
            type: 'Available',
            status: 'True',
            reason: 'MinimumReplicasAvailable',
            message: 'Deployment has minimum availability.',
            lastTransitionTime: NOW,
            lastUpdateTime: NOW,
          },
          {
            type: 'Progressing',
            status: 'True',
            reason: 'NewReplicaSetAvailable',
            message: 'ReplicaSet "nginx-nginx:1" has successfully progressed.',
            lastTransitionTime: NOW,
            lastUpdateTime: NOW,
          },
        ],
      });
    });

    it('is unavailable and progressing while Pods start', () => {
      const { status } = planDeployment(deployment(3), [replicaSet('nginx:1', 3, { available: 1 })], NOW);
      expect(status).toMatchObject({ replicas: 3, updatedReplicas: 3, availableReplicas: 1, unavailableReplicas: 2 });
      expect(status.conditions?.map(({ status, reason }) => [status, reason])).toEqual([
        ['False', 'MinimumReplicasUnavailable'],
        ['True', 'ReplicaSetUpdated'],
      ]);
    });

    it('keeps the time of the last transition while the status stays', () => {
      const first = planDeployment(deployment(3), [replicaSet('nginx:1', 3)], EARLIER).status;
      const again = planDeployment(deployment(3, { status: first }), [replicaSet('nginx:1', 3)], NOW).status;
      expect(again).toEqual(first);
    });
  });

  it('comes to its goal by steps, with never too many Pods and never too few available ones', () => {
    const count = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), count, count, (replicas, maxSurge, maxUnavailable) => {
        const goal = deployment(replicas, {
          image: 'nginx:2',
          spec: { strategy: { rollingUpdate: { maxSurge, maxUnavailable } } },
        });
        const unavailable = maxSurge === 0 && maxUnavailable === 0 ? 1 : Math.min(maxUnavailable, replicas);
        let sets = [replicaSet('nginx:1', replicas)];
        for (let round = 0; round < 60; round++) {
          sets = settle(sets, planDeployment(goal, sets, NOW));
          const total = sets.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
          expect(total).toBeLessThanOrEqual(replicas + maxSurge);
          const available = sets.reduce(
            (sum, { status, spec }) => sum + Math.min(status?.availableReplicas ?? 0, spec.replicas ?? 0),
            0,
          );
          expect(available).toBeGreaterThanOrEqual(replicas - unavailable);
          sets = sets.map(allAvailable);
        }
        expect(sets.map(({ spec }) => spec.replicas)).toEqual([0, replicas]);
      }),
    );
  });
});

/** The ReplicaSets after a plan was carried out, before any new Pod became available. */
function settle(sets: ReplicaSetObject[], plan: ReturnType<typeof planDeployment>): ReplicaSetObject[] {
  const changed = sets.map((set) => {
    const change = plan.change.find((c) => c.set === set);
    return change?.replicas === undefined ? set : { ...set, spec: { ...set.spec, replicas: change.replicas } };
  });
  return plan.create ? [...changed, { ...plan.create, status: { replicas: 0 } }] : changed;
}

function allAvailable(set: ReplicaSetObject): ReplicaSetObject {
  const replicas = set.spec.replicas ?? 0;
  return { ...set, status: { replicas, readyReplicas: replicas, availableReplicas: replicas } };
}

describe('templateHash', () => {
  const template = (labels: Record<string, string>, image: string): DeploymentObject['spec']['template'] => ({
    metadata: { labels },
    spec: { containers: [{ name: 'c', image }] },
  });

  it('is the same for equal templates in another order of keys, with or without the hash label', () => {
    const hash = templateHash(template({ a: '1', b: '2' }, 'x'));
    expect(templateHash(template({ b: '2', a: '1', 'pod-template-hash': 'zzz' }, 'x'))).toBe(hash);
    expect(templateHash(template({ a: '1', b: '2' }, 'y'))).not.toBe(hash);
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
  });
});
