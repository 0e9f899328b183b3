import { describe, expect, it } from 'vitest';
import type { Pod } from '../../src/objects/pod.ts';
import { endpoint, HTTP, node, pod, service, slice } from './support/build.ts';
import { apiError, Bench } from './support/fake-api.ts';

const named = service({ ports: [{ ...HTTP, targetPort: 'web' }] });
const on = (name: string, ip: string, port: number): Pod =>
  pod(name, { ip, containers: [{ ports: [{ name: 'web', containerPort: port }] }] });
const at = (port: number) => [{ name: 'http', protocol: 'TCP' as const, port }];

/** Two slices that have to exchange endpoints, and one of a Service of the same name that is no more: a create, two updates, a delete. */
function prepared(): Bench {
  const bench = new Bench();
  bench.nodes.put(node('node-a'));
  bench.services.put(named);
  bench.pods.put(
    on('a', '10.0.0.1', 80),
    on('b', '10.0.0.2', 81),
    on('c', '10.0.0.3', 80),
    on('d', '10.0.0.4', 81),
    on('e', '10.0.0.5', 81),
  );
  bench.api.put(slice('s1', { ports: at(80), endpoints: [endpoint('a', '10.0.0.1'), endpoint('b', '10.0.0.2')] }));
  bench.api.put(slice('s2', { ports: at(81), endpoints: [endpoint('c', '10.0.0.3'), endpoint('d', '10.0.0.4')] }));
  bench.api.put(slice('s3', { ports: at(81), endpoints: [endpoint('e', '10.0.0.5')], ownerUid: 'before' }));
  return bench;
}

const present = (bench: Bench) =>
  [...bench.api.slices.values()].flatMap((s) => s.endpoints.map((e) => `${e.targetRef?.name} on ${s.ports[0]?.port}`));

const WRITES = ['create', 'update', 'update', 'delete'];
const MOMENTS = WRITES.flatMap((write, i) => [
  { moment: `before write ${i + 1}, a ${write}`, done: i, served: false },
  { moment: `after write ${i + 1}, a ${write}`, done: i, served: true },
]);

describe('a controller that ends in the middle of a sync', () => {
  it('would have made these writes', async () => {
    const bench = prepared();
    await bench.start();
    expect((await bench.newCalls()).map((call) => call.split(' ')[0])).toEqual(WRITES);
  });

  it.each(MOMENTS)('$moment: the next one finishes, and no endpoint was missing for a moment', async (when) => {
    const bench = prepared();
    const missing: string[] = [];
    bench.api.onChange = () => {
      const names = present(bench).map((entry) => entry.split(' ')[0]);
      missing.push(...['a', 'b', 'c', 'd', 'e'].filter((name) => !names.includes(name)));
    };
    let made = 0;
    const gone = apiError('UNREACHABLE', 'the process is no more');
    // Of the write at which it ends, the answer is lost; nothing that it would do later reaches the server.
    bench.api.fail = () => (made > when.done || (made === when.done && !when.served) ? gone : undefined);
    bench.api.lose = () => (made++ === when.done ? gone : undefined);
    await bench.start();
    bench.api.fail = () => undefined;
    bench.api.lose = () => undefined;
    await bench.restart();
    await bench.clock.advance(10_000);
    expect(present(bench).sort()).toEqual(['a on 80', 'b on 81', 'c on 80', 'd on 81', 'e on 81']);
    expect([...bench.api.slices.values()].map((s) => s.metadata.ownerReferences?.[0]?.uid)).not.toContain('before');
    expect(missing).toEqual([]);
    await bench.newCalls();
    await bench.clock.advance(100_000);
    expect(await bench.newCalls()).toEqual([]);
    await bench.controller.stop();
  });
});
