import { expect, it } from 'vitest';
import { StatusTimes } from '../../../src/embedded/demo/status-times.ts';
import type { Condition } from '../../../src/embedded/kubelet/objects.ts';

const pod = { metadata: { name: 'a' }, spec: { containers: [] } };
const status = (ready: Condition['status']) => ({ conditions: [{ type: 'Ready', status: ready }] });

it('StatusTimes tells when readiness was written, and not of writes that do not change it', async () => {
  const times = new StatusTimes();
  let seen: number | undefined;
  const waiting = times.whenReady('a', false).then((at) => {
    seen = at;
  });
  times.record(pod, status('True'));
  const first = await times.whenReady('a', true);
  times.record(pod, status('True'));
  expect(await times.whenReady('a', true)).toBe(first);
  expect(seen).toBeUndefined();
  times.record(pod, status('False'));
  await waiting;
  expect(seen).toBeGreaterThanOrEqual(first);
});
