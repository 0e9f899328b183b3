import { describe, expect, it } from 'vitest';
import { RecentChanges } from '../../src/endpointslice/recent-changes.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { node, pod, service } from './support/build.ts';
import { Bench } from './support/fake-api.ts';

describe('a controller on standby', () => {
  it('writes nothing whatever changes, and once it may it begins with what changed lately', async () => {
    const bench = new Bench({ concurrency: 1 });
    bench.nodes.put(node('node-a'));
    for (const name of ['a', 'b', 'c', 'd']) {
      bench.services.put(service({ name, uid: `uid-${name}`, selector: { app: name } }));
      bench.pods.put(pod(`${name}-1`, { labels: { app: name } }));
    }
    await bench.controller.fillCaches();
    bench.pods.put(pod('d-2', { labels: { app: 'd' }, ip: '10.0.0.2' }));
    bench.services.put(service({ name: 'c', uid: 'uid-c', selector: { app: 'c' }, labels: { new: 'yes' } }));
    await settle();
    await bench.clock.advance(10_000);
    expect(await bench.newCalls()).toEqual([]);
    expect(bench.controller.queueStats()).toMatchObject({ ready: 0, delayed: 0 });

    bench.controller.startSyncing();
    expect(await bench.newCalls()).toEqual(['create [d-1 d-2]', 'create [c-1]', 'create [a-1]', 'create [b-1]']);
    await bench.controller.stop();
  });

  it('may be stopped without ever having written', async () => {
    const bench = new Bench();
    bench.services.put(service());
    bench.pods.put(pod('a-1'));
    await bench.controller.fillCaches();
    await bench.controller.stop();
    expect(await bench.newCalls()).toEqual([]);
  });
});

describe('the memory of recent changes', () => {
  it('holds for one to two minutes', async () => {
    const clock = new FakeClock();
    const recent = new RecentChanges(clock);
    recent.note('a');
    await clock.advance(60_000);
    recent.note('b');
    await clock.advance(59_999);
    expect([...recent.take()]).toEqual(['a', 'b']);
    expect([...recent.take()]).toEqual([]);
    recent.note('c');
    await clock.advance(120_000);
    expect([...recent.take()]).toEqual([]);
  });

  it('gives up what is older', async () => {
    const clock = new FakeClock();
    const recent = new RecentChanges(clock);
    recent.note('a');
    await clock.advance(60_000);
    recent.note('b');
    await clock.advance(60_000);
    recent.note('c');
    expect([...recent.take()]).toEqual(['b', 'c']);
  });
});
