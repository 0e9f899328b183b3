import { describe, expect, it } from 'vitest';
import { DEFAULT_PLAN_OPTIONS } from '../../src/endpointslice/plan.ts';
import { ApiError, type ApiErrorCode } from '../../src/kube/errors.ts';
import { node, pod, service } from './support/build.ts';
import { apiError, Bench } from './support/fake-api.ts';

type Operation = 'create' | 'update' | 'delete';

const CODES: ApiErrorCode[] = [
  'BAD_REQUEST',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'CONFLICT',
  'INVALID',
  'TOO_MANY_REQUESTS',
  'SERVER_ERROR',
  'TIMEOUT',
  'UNREACHABLE',
];

/** A controller about to make one write: a slice for Pod c, Pod c in the slice of a and b, or the slice of Pod b away. */
async function about(operation: Operation): Promise<{ bench: Bench; change: () => void; after: string[] }> {
  const maxEndpointsPerSlice = { create: 2, update: 3, delete: 1 }[operation];
  const bench = new Bench({ plan: { ...DEFAULT_PLAN_OPTIONS, maxEndpointsPerSlice } });
  const [a, b, c] = ['a', 'b', 'c'].map((name, i) => pod(name, { ip: `10.0.0.${i + 1}` }));
  if (!a || !b || !c) throw new Error('no Pods');
  bench.nodes.put(node('node-a'));
  bench.services.put(service());
  bench.pods.put(a, b);
  await bench.start();
  await bench.newCalls();
  if (operation === 'delete') return { bench, change: () => bench.pods.take(b), after: ['a'] };
  return { bench, change: () => bench.pods.put(c), after: ['a', 'b', 'c'] };
}

const endpointsIn = (bench: Bench) =>
  Object.values(bench.api.state)
    .flatMap((names) => names.split(' '))
    .sort();

const CASES = (['create', 'update', 'delete'] as const).flatMap((operation) =>
  CODES.map((code): [Operation, ApiErrorCode] => [operation, code]),
);

describe('a write that fails', () => {
  it.each(CASES)('%s, %s: is told, tried again after a second, and takes nothing away meanwhile', async (...of) => {
    const [operation, code] = of;
    const { bench, change, after } = await about(operation);
    const lasting = endpointsIn(bench).filter((name) => after.includes(name));
    let failures = 2;
    bench.api.fail = (call) => (call.startsWith(operation) && failures-- > 0 ? apiError(code, 'as told') : undefined);
    change();
    const [first] = await bench.newCalls();
    expect(first).toMatch(new RegExp(`^${operation} `));
    expect(endpointsIn(bench)).toEqual(expect.arrayContaining(lasting));
    if (operation === 'delete' && code === 'NOT_FOUND') {
      // It counts as done; that the slice is there after all is found out the next time the Service is looked at.
      expect(bench.events).toEqual([]);
      bench.services.put(service({ annotations: { poke: '1' } }));
      await bench.clock.advance(100_000);
    } else {
      expect(bench.events.map(({ reason }) => reason)).toEqual(['FailedToUpdateEndpointSlices']);
      expect(bench.events[0]?.message).toContain(`failed to ${operation} `);
      await bench.clock.advance(999);
      expect(await bench.newCalls()).toEqual([]);
      await bench.clock.advance(1);
      expect(await bench.newCalls()).toEqual([first]);
      await bench.clock.advance(2000);
      expect(await bench.newCalls()).toEqual([first]);
    }
    expect(endpointsIn(bench)).toEqual(after);
    await bench.newCalls();
    await bench.clock.advance(100_000);
    expect(await bench.newCalls()).toEqual([]);
  });

  it.each(['create', 'update', 'delete'] as const)('%s: waits as long as the server asks', async (operation) => {
    const { bench, change, after } = await about(operation);
    const busy = new ApiError({ code: 'TOO_MANY_REQUESTS', message: 'later', retryAfterMs: 7000 });
    let failures = 1;
    bench.api.fail = () => (failures-- > 0 ? busy : undefined);
    change();
    await bench.newCalls();
    await bench.clock.advance(6999);
    expect(await bench.newCalls()).toEqual([]);
    await bench.clock.advance(1);
    expect(await bench.newCalls()).toHaveLength(1);
    expect(endpointsIn(bench)).toEqual(after);
  });

  it('is given another look by the server after it was set back to an earlier state', async () => {
    const { bench, change, after } = await about('update');
    const [before] = [...bench.api.slices.values()];
    if (!before) throw new Error('no slice');
    bench.api.hold();
    change();
    await bench.newCalls();
    // As from a backup: with the content and the generation of then.
    bench.api.restore(before);
    bench.services.put(service({ annotations: { poke: '1' } }));
    await bench.clock.advance(100_000);
    bench.api.release();
    await bench.clock.advance(100_000);
    expect(endpointsIn(bench)).toEqual(after);
  });
});
