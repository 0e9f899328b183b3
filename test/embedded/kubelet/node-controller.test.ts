import { describe, expect, it } from 'vitest';
import { taintsFor } from '../../../src/embedded/kubelet/node-controller.ts';
import { node } from './objects.ts';

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' as const };
const OTHER = { key: 'gpu', effect: 'NoSchedule' as const };

describe('taintsFor', () => {
  it('takes the not-ready taint from a ready node and leaves the others', () => {
    expect(taintsFor(node('a', { taints: [NOT_READY, OTHER] }))).toEqual([OTHER]);
  });

  it('gives it to a node that is not ready, once', () => {
    expect(taintsFor(node('a', { ready: false, taints: [OTHER] }))).toEqual([OTHER, NOT_READY]);
    expect(taintsFor(node('a', { ready: false, taints: [NOT_READY] }))).toEqual([NOT_READY]);
  });
});
