import { describe, expect, it } from 'vitest';
import { place } from '../../../src/embedded/kubelet/scheduler-plan.ts';
import { node, pod } from './objects.ts';

const nodes = [node('one'), node('two')];

describe('place', () => {
  it('spreads the Pods of one owner before it looks at how full nodes are', () => {
    const others = ['x', 'y', 'z'].map((name) => pod(name, { node: 'two' }));
    const sibling = pod('sibling', { node: 'one', owner: 'set' });
    expect(place(pod('new', { owner: 'set' }), nodes, [...others, sibling])).toEqual({ node: 'two' });
    expect(place(pod('new', { owner: 'other' }), nodes, [...others, sibling])).toEqual({ node: 'one' });
  });

  it('does not count Pods that have ended or are ending', () => {
    const ended = [pod('x', { node: 'one', phase: 'Succeeded' }), pod('y', { node: 'one', deleting: true })];
    expect(place(pod('new'), nodes, [...ended, pod('z', { node: 'two' })])).toEqual({ node: 'one' });
  });

  it('says in upstream words why no node fits', () => {
    const unfit = [
      node('a', { ready: false }),
      node('b', { unschedulable: true }),
      node('c', { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] }),
      node('d'),
      node('e'),
    ];
    expect(place(pod('new', { spec: { nodeSelector: { disk: 'ssd' } } }), unfit, [])).toEqual({
      reason:
        "0/5 nodes are available: 1 node(s) were not ready, 1 node(s) were unschedulable, 3 node(s) didn't match Pod's node affinity/selector.",
    });
    expect(place(pod('new'), unfit.slice(2, 3), [])).toEqual({
      reason: '0/1 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.',
    });
    expect(place(pod('new'), [], [])).toEqual({ reason: '0/0 nodes are available.' });
  });

  it('honours nodeSelector and tolerations', () => {
    const special = node('special', {
      labels: { disk: 'ssd' },
      taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }],
    });
    const all = [...nodes, special];
    const spec = { nodeSelector: { disk: 'ssd' } };
    expect(place(pod('new', { spec }), all, [])).toHaveProperty('reason');
    for (const toleration of [
      { operator: 'Exists' as const },
      { key: 'gpu', value: 'yes' },
      { key: 'gpu', operator: 'Exists' as const },
    ]) {
      expect(place(pod('new', { spec: { ...spec, tolerations: [toleration] } }), all, [])).toEqual({ node: 'special' });
    }
    const other = { key: 'gpu', value: 'no' };
    expect(place(pod('new', { spec: { ...spec, tolerations: [other] } }), all, [])).toHaveProperty('reason');
  });
});
