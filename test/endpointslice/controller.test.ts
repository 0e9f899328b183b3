import { describe, expect, it } from 'vitest';
import type { ControllerOptions } from '../../src/endpointslice/options.ts';
import { DEFAULT_PLAN_OPTIONS } from '../../src/endpointslice/plan.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { endpoint, endpoints, node, pod, pods, service, slice } from './support/build.ts';
import { apiError, Bench } from './support/fake-api.ts';

/** A controller that has settled on Service web with Pods a and b. */
async function settled(options: Partial<ControllerOptions> = {}): Promise<Bench> {
  const bench = new Bench(options);
  bench.nodes.put(node('node-a'));
  bench.services.put(service());
  bench.pods.put(pod('a', { ip: '10.0.0.1' }), pod('b', { ip: '10.0.0.2' }));
  await bench.start();
  expect(await bench.newCalls()).toEqual(['create [a b]']);
  await bench.clock.advance(5000);
  expect(await bench.newCalls()).toEqual([]);
  return bench;
}

const theSlice = (bench: Bench): EndpointSlice => {
  const [only] = bench.api.slices.values();
  if (!only || bench.api.slices.size !== 1) throw new Error(`${bench.api.slices.size} slices`);
  return only;
};

describe('the controller from start to stop', () => {
  it('syncs every Service once its caches are filled, and not again for its own writes', async () => {
    const bench = await settled();
    expect(await bench.metric('endpoint_slice_controller_syncs{result="success"}')).toBe('1');
    await bench.controller.stop();
  });

  it('adopts slices that are there without a write', async () => {
    const bench = new Bench();
    bench.nodes.put(node('node-a'));
    bench.services.put(service());
    bench.pods.put(...pods(3));
    bench.api.put(slice('by-upstream', { endpoints: endpoints(3) }));
    await bench.start();
    await bench.clock.advance(5000);
    expect(await bench.newCalls()).toEqual([]);
    expect(await bench.metric('endpoint_slice_controller_syncs{result="success"}')).toBe('1');
  });

  it('leaves ExternalName Services and those without selector alone', async () => {
    const bench = new Bench();
    const { selector: _, ...spec } = service().spec;
    bench.services.put({ ...service({ name: 'manual' }), spec }, service({ name: 'ext', type: 'ExternalName' }));
    bench.pods.put(pod('a'));
    await bench.start();
    expect(await bench.newCalls()).toEqual([]);
  });

  it('syncs nothing any more after it was stopped', async () => {
    const bench = await settled();
    await bench.controller.stop();
    bench.services.put(service({ labels: { tier: 'front' } }));
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    await bench.clock.advance(100_000);
    expect(await bench.newCalls()).toEqual([]);
  });

  it('looks at every Service again after one to two resync periods', async () => {
    const bench = await settled({ minResyncPeriodMs: 60_000 });
    bench.api.hold();
    bench.api.remove(theSlice(bench).metadata.name);
    bench.api.release();
    await bench.newCalls();
    const before = Number(await bench.metric('endpoint_slice_controller_syncs{result="success"}'));
    await bench.clock.advance(90_000);
    expect(Number(await bench.metric('endpoint_slice_controller_syncs{result="success"}'))).toBe(before + 1);
  });
});

describe('what sets a sync off', () => {
  it('every change of a Service, at once', async () => {
    const bench = await settled({ batchPeriodMs: 1000 });
    bench.services.put(service({ labels: { tier: 'front' } }));
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [a b]`]);
  });

  it('a Pod that comes, changes or goes', async () => {
    const bench = await settled();
    const name = theSlice(bench).metadata.name;
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    expect(await bench.newCalls()).toEqual([`update ${name} [a b c]`]);
    bench.pods.put(pod('c', { ip: '10.0.0.3', ready: false }));
    expect(await bench.newCalls()).toEqual([`update ${name} [a b !c]`]);
    bench.pods.put(pod('b', { ip: '10.0.0.2', deleting: true }));
    expect(await bench.newCalls()).toEqual([`update ${name} [a !b !c]`]);
    bench.pods.take(pod('c', { ip: '10.0.0.3', ready: false }));
    expect(await bench.newCalls()).toEqual([`update ${name} [a !b]`]);
  });

  it('a Pod that changes its labels, for the Services it leaves and those it joins', async () => {
    const bench = await settled();
    bench.services.put(service({ name: 'db', uid: 'uid-db', selector: { app: 'db' } }));
    await bench.newCalls();
    bench.pods.put(pod('b', { ip: '10.0.0.2', labels: { app: 'db' } }));
    expect((await bench.newCalls()).map((call) => call.replace(/-\d+ /, ' ')).sort()).toEqual([
      'update db [b]',
      'update web [a]',
    ]);
  });

  it('a Pod that runs to its end while its conditions linger, at once', async () => {
    const bench = await settled();
    bench.pods.put(pod('b', { ip: '10.0.0.2', phase: 'Failed' }));
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [a]`]);
  });

  it('a Pod that ran to its end only with the next change, when told to do as upstream does', async () => {
    const bench = await settled({ watchPodPhase: false });
    bench.pods.put(pod('b', { ip: '10.0.0.2', phase: 'Failed' }));
    expect(await bench.newCalls()).toEqual([]);
    bench.pods.put(pod('b', { ip: '10.0.0.2', phase: 'Failed', ready: false }));
    expect(await bench.newCalls()).toHaveLength(1);
  });

  it('not a Pod without an address, nor a change that slices do not show', async () => {
    const bench = await settled();
    const before = await bench.metric('endpoint_slice_controller_syncs{result="success"}');
    bench.pods.put(pod('new', { ips: [], ready: false }));
    const a = pod('a', { ip: '10.0.0.1' });
    bench.pods.put({ ...a, metadata: { ...a.metadata, annotations: { note: 'x' } } });
    bench.pods.put({ ...a, metadata: { ...a.metadata, labels: { app: 'web', extra: 'x' } } });
    await bench.newCalls();
    expect(await bench.metric('endpoint_slice_controller_syncs{result="success"}')).toBe(before);
  });

  it('changes of Pods are gathered for the batch period, from the first on', async () => {
    const bench = await settled({ batchPeriodMs: 1000 });
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    await bench.clock.advance(600);
    bench.pods.put(pod('d', { ip: '10.0.0.4' }));
    await bench.clock.advance(399);
    expect(await bench.newCalls()).toEqual([]);
    await bench.clock.advance(1);
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [a b c d]`]);
    await bench.clock.advance(5000);
    expect(await bench.newCalls()).toEqual([]);
  });

  it('a Node that appears, for the Services of its Pods', async () => {
    const bench = await settled();
    bench.pods.put(pod('c', { ip: '10.0.0.3', node: 'node-b' }));
    expect(await bench.newCalls()).toEqual([]);
    expect(bench.events.map((e) => e.message)).toEqual([
      'Error updating Endpoint Slices for Service shop/web: skipping Pod c for Service shop/web: Node node-b Not Found',
    ]);
    bench.nodes.put(node('node-b', { zone: 'z2' }));
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [a b c]`]);
    expect(theSlice(bench).endpoints.map((e) => e.zone)).toEqual([undefined, undefined, 'z2']);
  });

  it('a Node that changes zone', async () => {
    const bench = await settled();
    bench.nodes.put(node('node-a', { zone: 'z1' }));
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [a b]`]);
    expect(theSlice(bench).endpoints.map((e) => e.zone)).toEqual(['z1', 'z1']);
  });

  it('no Node, when told to do as upstream does', async () => {
    const bench = await settled({ followNodes: false });
    bench.nodes.put(node('node-a', { zone: 'z1' }));
    expect(await bench.newCalls()).toEqual([]);
  });
});

describe('slices that others touch', () => {
  it('are recreated at once when deleted', async () => {
    const bench = await settled();
    bench.api.remove(theSlice(bench).metadata.name);
    expect(await bench.newCalls()).toEqual(['create [a b]']);
  });

  it('are recreated at once when deleted right after a restart', async () => {
    const bench = new Bench();
    bench.nodes.put(node('node-a'));
    bench.services.put(service());
    bench.pods.put(...pods(1));
    bench.api.put(slice('old', { endpoints: endpoints(1) }));
    await bench.start();
    bench.api.remove('old');
    expect(await bench.newCalls()).toEqual(['create [pod-0]']);
  });

  it('are noticed only if written by this process, and after a second, when told to do as upstream does', async () => {
    const bench = new Bench({ repairAtOnce: false, repairUnknown: false });
    bench.nodes.put(node('node-a'));
    bench.services.put(service());
    bench.pods.put(...pods(1));
    bench.api.put(slice('old', { endpoints: endpoints(1) }));
    await bench.start();
    bench.api.remove('old');
    await bench.clock.advance(5000);
    expect(await bench.newCalls()).toEqual([]);
    bench.services.put(service({ labels: { tier: 'x' } }));
    expect(await bench.newCalls()).toEqual(['create [pod-0]']);
    bench.api.remove(theSlice(bench).metadata.name);
    await bench.clock.advance(999);
    expect(await bench.newCalls()).toEqual([]);
    await bench.clock.advance(1);
    expect(await bench.newCalls()).toEqual(['create [pod-0]']);
  });

  it('are put right at once when edited, and then once a second at most', async () => {
    const bench = await settled();
    const edited = (ip: string) => ({ ...theSlice(bench), endpoints: [endpoint('evil', ip)] });
    bench.api.put(edited('10.6.6.6'));
    expect(await bench.newCalls()).toHaveLength(1);
    expect(theSlice(bench).endpoints.map((e) => e.targetRef?.name)).toEqual(['a', 'b']);
    bench.api.put(edited('10.6.6.7'));
    expect(await bench.newCalls()).toEqual([]);
    await bench.clock.advance(1000);
    expect(await bench.newCalls()).toHaveLength(1);
  });

  it('are replaced when their service-name or managed-by label is changed', async () => {
    const bench = await settled();
    const mine = theSlice(bench);
    bench.api.put({
      ...mine,
      metadata: {
        ...mine.metadata,
        labels: { ...mine.metadata.labels, 'endpointslice.kubernetes.io/managed-by': 'me' },
      },
    });
    expect(await bench.newCalls()).toEqual(['create [a b]']);
  });

  it('are replaced when their owner is taken away, which does not count as a generation', async () => {
    const bench = await settled();
    const mine = theSlice(bench);
    bench.api.put({ ...mine, metadata: { ...mine.metadata, ownerReferences: [] } });
    expect(await bench.newCalls()).toEqual(['create [a b]', `delete ${mine.metadata.name}`]);
    const likeUpstream = await settled({ repairAtOnce: false, repairUnknown: false });
    const theirs = theSlice(likeUpstream);
    likeUpstream.api.put({ ...theirs, metadata: { ...theirs.metadata, ownerReferences: [] } });
    await likeUpstream.clock.advance(5000);
    expect(await likeUpstream.newCalls()).toEqual([]);
  });

  it('of other Services and other controllers are left alone', async () => {
    const bench = await settled();
    bench.api.put(slice('theirs', { labels: { 'endpointslice.kubernetes.io/managed-by': 'mirroring' } }));
    bench.api.put(slice('stray', { service: 'gone' }));
    bench.api.remove('theirs');
    bench.api.remove('stray');
    expect(await bench.newCalls()).toEqual([]);
  });

  it('keep annotations that others add', async () => {
    const bench = await settled();
    const mine = theSlice(bench);
    bench.api.put({ ...mine, metadata: { ...mine.metadata, annotations: { note: 'x' } } });
    expect(await bench.newCalls()).toEqual([]);
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    await bench.newCalls();
    expect(theSlice(bench).metadata.annotations).toEqual({ note: 'x' });
  });
});

describe('writes that fail', () => {
  it('are tried again with backoff, each failure telling so in an event', async () => {
    const bench = await settled();
    let failures = 2;
    bench.api.fail = () => (failures-- > 0 ? apiError('SERVER_ERROR', 'boom') : undefined);
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    const update = `update ${theSlice(bench).metadata.name} [a b c]`;
    expect(await bench.newCalls()).toEqual([update]);
    await bench.clock.advance(1000);
    expect(await bench.newCalls()).toEqual([update]);
    await bench.clock.advance(1999);
    expect(await bench.newCalls()).toEqual([]);
    await bench.clock.advance(1);
    expect(await bench.newCalls()).toEqual([update]);
    expect(bench.events).toHaveLength(2);
    expect(bench.events[0]).toEqual({
      service: 'shop/web',
      type: 'Warning',
      reason: 'FailedToUpdateEndpointSlices',
      message: `Error updating Endpoint Slices for Service shop/web: failed to update ${theSlice(bench).metadata.name} EndpointSlice for Service shop/web: boom`,
    });
  });

  it('are told in the words of the API server', async () => {
    const bench = await settled();
    bench.api.fail = () =>
      new ApiError({
        code: 'FORBIDDEN',
        message: 'PUT /apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/s: slices are full (403)',
        status: { message: 'slices are full' },
      });
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    await bench.newCalls();
    expect(bench.events[0]?.message).toMatch(
      /: failed to update \S+ EndpointSlice for Service shop\/web: slices are full$/,
    );
  });

  it('are tried for ever, 1000 s apart in the end', async () => {
    const bench = await settled();
    bench.api.fail = () => apiError('SERVER_ERROR', 'boom');
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    await bench.clock.advance(20_000_000);
    expect((await bench.newCalls()).length).toBeGreaterThan(25);
  });

  it('are given up after 15 retries when told to do as upstream does', async () => {
    const bench = await settled({ maxRetries: 15 });
    bench.api.fail = () => apiError('SERVER_ERROR', 'boom');
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    await bench.clock.advance(20_000_000);
    expect(await bench.newCalls()).toHaveLength(16);
  });

  it('with a conflict see the newer slice at the next attempt', async () => {
    const bench = await settled();
    bench.api.hold();
    const mine = theSlice(bench);
    bench.api.put({ ...mine, metadata: { ...mine.metadata, annotations: { note: 'x' } } });
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    const update = `update ${mine.metadata.name} [a b c]`;
    expect(await bench.newCalls()).toEqual([update]);
    expect(bench.api.state[mine.metadata.name]).toBe('a b');
    bench.api.release();
    await bench.clock.advance(1000);
    expect(await bench.newCalls()).toEqual([update]);
    expect(theSlice(bench)).toMatchObject({ metadata: { annotations: { note: 'x' } } });
  });

  it('stop the writes of their own family only', async () => {
    const bench = new Bench();
    bench.nodes.put(node('node-a'));
    bench.services.put(service({ ipFamilies: ['IPv4', 'IPv6'] }));
    bench.pods.put(pod('a', { ips: ['10.0.0.1', 'fd00::1'] }));
    let first = true;
    bench.api.fail = () => {
      const now = first;
      first = false;
      return now ? apiError('SERVER_ERROR', 'boom') : undefined;
    };
    await bench.start();
    expect(await bench.newCalls()).toEqual(['create [a]', 'create [a]']);
    expect([...bench.api.slices.values()].map((s) => s.addressType)).toEqual(['IPv6']);
    await bench.clock.advance(1000);
    expect(await bench.newCalls()).toEqual(['create [a]']);
  });

  it('because the namespace is terminating count as done', async () => {
    const bench = new Bench();
    bench.services.put(service());
    bench.api.fail = () => apiError('FORBIDDEN', 'namespace is being terminated', 'NamespaceTerminating');
    await bench.start();
    await bench.clock.advance(100_000);
    expect(await bench.newCalls()).toEqual(['create []']);
    expect(bench.events).toEqual([]);
  });

  it('to delete a slice that is gone already count as done', async () => {
    const bench = new Bench();
    bench.nodes.put(node('node-a'));
    bench.services.put(service());
    bench.pods.put(pod('a'));
    bench.api.put(slice('stale', { ownerUid: 'before' }));
    bench.api.removeUnseen('stale');
    await bench.start();
    expect(await bench.newCalls()).toEqual(['create [a]', 'delete stale']);
    expect(bench.events).toEqual([]);
  });

  it('keep the trigger time for the attempt that succeeds', async () => {
    const bench = await settled();
    bench.api.fail = (call) => (call.startsWith('update') ? apiError('SERVER_ERROR', 'boom') : undefined);
    bench.pods.put(pod('c', { ip: '10.0.0.3', readySince: '2026-01-01T08:00:00Z' }));
    await bench.newCalls();
    bench.api.fail = () => undefined;
    await bench.clock.advance(1000);
    expect(theSlice(bench).metadata.annotations).toEqual({
      'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T08:00:00Z',
    });
  });
});

describe('a cache that lags behind', () => {
  it('is waited for, not planned on, and not a moment longer than it takes', async () => {
    const bench = await settled();
    bench.api.hold();
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    expect(await bench.newCalls()).toHaveLength(1);
    bench.pods.put(pod('d', { ip: '10.0.0.4' }));
    expect(await bench.newCalls()).toEqual([]);
    expect(await bench.metric('endpoint_slice_controller_syncs{result="stale"}')).toBe('1');
    bench.api.release();
    // The clock stands still: it is the awaited event that sets the sync off.
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [a b c d]`]);
    expect(bench.events).toEqual([]);
    const synced = await bench.metric('endpoint_slice_controller_syncs{result="success"}');
    await bench.clock.advance(5000);
    expect(await bench.newCalls()).toEqual([]);
    expect(await bench.metric('endpoint_slice_controller_syncs{result="success"}')).toBe(synced);
  });

  it('is waited for until it shows a slice that we deleted as deleted', async () => {
    const bench = await settled();
    const first = theSlice(bench).metadata.name;
    bench.api.hold();
    bench.services.put(service({ uid: 'second' }));
    expect(await bench.newCalls()).toEqual(['create [a b]', `delete ${first}`]);
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    expect(await bench.newCalls()).toEqual([]);
    bench.api.release();
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [a b c]`]);
  });

  it('is looked at again with every event, and only then planned on when it shows all of our writes', async () => {
    const bench = await settled({ plan: { ...DEFAULT_PLAN_OPTIONS, maxEndpointsPerSlice: 2 } });
    bench.api.hold();
    bench.pods.put(...pods(5).slice(2));
    const calls = await bench.newCalls();
    expect(calls).toHaveLength(2);
    bench.pods.put(pod('z', { ip: '10.0.0.9' }));
    expect(await bench.newCalls()).toEqual([]);
    bench.api.releaseOne();
    expect(await bench.newCalls()).toEqual([]);
    expect(await bench.metric('endpoint_slice_controller_syncs{result="stale"}')).toBe('1');
    bench.api.release();
    expect(await bench.newCalls()).toHaveLength(1);
  });

  it('is asked about again after a second when no event comes', async () => {
    const bench = await settled();
    bench.api.hold();
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    expect(await bench.newCalls()).toHaveLength(1);
    bench.pods.put(pod('d', { ip: '10.0.0.4' }));
    await bench.newCalls();
    await bench.clock.advance(999);
    expect(await bench.metric('endpoint_slice_controller_syncs{result="stale"}')).toBe('1');
    await bench.clock.advance(1);
    expect(await bench.metric('endpoint_slice_controller_syncs{result="stale"}')).toBe('2');
    bench.api.release();
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [a b c d]`]);
  });

  it('of a slice created and collected unseen is not waited for for ever', async () => {
    const bench = new Bench();
    bench.nodes.put(node('node-a'));
    bench.services.put(service());
    bench.pods.put(pod('a'));
    bench.api.hold();
    await bench.start();
    expect(await bench.newCalls()).toEqual(['create [a]']);
    const { name } = theSlice(bench).metadata;
    bench.api.removeUnseen(name);
    bench.pods.put(pod('b', { ip: '10.0.0.2' }));
    await bench.clock.advance(20_000);
    expect(await bench.newCalls()).toEqual([`get ${name}`, 'create [a b]']);
  });

  it('of a slice that came and went while the watch was down is noticed though no event tells of it', async () => {
    const bench = new Bench();
    bench.services.put(service());
    bench.api.hold();
    await bench.start();
    expect(await bench.newCalls()).toEqual(['create []']);
    const { name } = theSlice(bench).metadata;
    bench.api.removeUnseen(name);
    bench.api.release();
    await bench.clock.advance(29_000);
    expect(await bench.newCalls()).toEqual([]);
    await bench.clock.advance(31_000);
    expect(await bench.newCalls()).toEqual([`get ${name}`, 'create []']);
  });

  it('asks only about slices it misses, and goes on waiting for those that exist', async () => {
    const bench = new Bench();
    bench.nodes.put(node('node-a'));
    bench.services.put(service());
    bench.pods.put(pod('a'));
    bench.api.hold();
    await bench.start();
    bench.pods.put(pod('b', { ip: '10.0.0.2' }));
    await bench.clock.advance(20_000);
    const calls = await bench.newCalls();
    expect(calls[0]).toBe('create [a]');
    expect(new Set(calls.slice(1))).toEqual(new Set([`get ${theSlice(bench).metadata.name}`]));
  });
});

describe('Services that come and go', () => {
  it('leave their slices to garbage collection when deleted', async () => {
    const bench = await settled();
    bench.services.take(service());
    expect(await bench.newCalls()).toEqual([]);
    const { name } = theSlice(bench).metadata;
    bench.api.remove(name);
    expect(await bench.newCalls()).toEqual([]);
    expect(await bench.metric('endpoint_slice_controller_num_endpoint_slices')).toBe('0');
  });

  it('get slices of their own when recreated under the same name', async () => {
    const bench = await settled();
    const { name } = theSlice(bench).metadata;
    bench.services.take(service());
    bench.services.put(service({ uid: 'second' }));
    expect(await bench.newCalls()).toEqual(['create [a b]', `delete ${name}`]);
    expect(theSlice(bench).metadata.ownerReferences?.[0]?.uid).toBe('second');
  });

  it('get slices again that were collected because the Service was replaced during the write', async () => {
    const bench = await settled();
    bench.services.take(service());
    await bench.newCalls();
    bench.api.remove(theSlice(bench).metadata.name);
    bench.services.put(service({ uid: 'second' }));
    expect(await bench.newCalls()).toEqual(['create [a b]']);
    const { name } = theSlice(bench).metadata;
    bench.services.put(service({ uid: 'third' }));
    bench.api.remove(name);
    expect(await bench.newCalls()).toEqual(['create [a b]']);
  });

  it.each([
    ['lose their selector', (({ selector: _, ...spec }) => ({ ...service(), spec }))(service().spec)],
    ['become an ExternalName', service({ type: 'ExternalName', externalName: 'example.org' })],
  ])('keep their slices when they %s, unless told otherwise', async (_, changed) => {
    const bench = await settled();
    bench.services.put(changed);
    bench.pods.put(pod('c', { ip: '10.0.0.3' }));
    expect(await bench.newCalls()).toEqual([]);
    const strict = await settled({ removeAbandoned: true });
    const { name } = theSlice(strict).metadata;
    strict.services.put(changed);
    expect(await strict.newCalls()).toEqual([`delete ${name}`]);
  });

  it('follow a change of selector', async () => {
    const bench = await settled();
    bench.pods.put(pod('x', { ip: '10.0.0.9', labels: { app: 'other' } }));
    expect(await bench.newCalls()).toEqual([]);
    bench.services.put(service({ selector: { app: 'other' } }));
    expect(await bench.newCalls()).toEqual([`update ${theSlice(bench).metadata.name} [x]`]);
  });
});

describe('topology hints across syncs', () => {
  const auto = service({ annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } });
  const zones = () => [node('node-a', { zone: 'z1' }), node('node-b', { zone: 'z2' })];
  const hintsIn = (bench: Bench) => theSlice(bench).endpoints.map((e) => e.hints?.forZones?.[0]?.name);

  async function hinted(options: Partial<ControllerOptions> = {}): Promise<Bench> {
    const bench = new Bench(options);
    bench.nodes.put(...zones());
    bench.services.put(auto);
    bench.pods.put(pod('a', { ip: '10.0.0.1' }), pod('b', { ip: '10.0.0.2', node: 'node-b' }));
    await bench.start();
    await bench.clock.advance(0);
    await bench.newCalls();
    return bench;
  }

  it('are enabled with one event', async () => {
    const bench = await hinted();
    expect(hintsIn(bench)).toEqual(['z1', 'z2']);
    bench.services.put({ ...auto });
    await bench.newCalls();
    expect(bench.events.map((e) => [e.type, e.reason, e.message])).toEqual([
      ['Normal', 'TopologyAwareHintsEnabled', 'Topology Aware Hints has been enabled, addressType: IPv4'],
    ]);
  });

  it('go when a ready node without zone appears, and come back when it has one', async () => {
    const bench = await hinted();
    bench.nodes.put(node('node-c'));
    await bench.clock.advance(0);
    await bench.newCalls();
    expect(hintsIn(bench)).toEqual([undefined, undefined]);
    bench.services.put({ ...auto });
    await bench.newCalls();
    bench.nodes.put(node('node-c', { zone: 'z1', cpu: '100m' }));
    await bench.clock.advance(0);
    await bench.newCalls();
    expect(hintsIn(bench)).toEqual(['z1', 'z2']);
    expect(bench.events.map((e) => e.reason)).toEqual([
      'TopologyAwareHintsEnabled',
      'TopologyAwareHintsDisabled',
      'TopologyAwareHintsEnabled',
    ]);
  });

  it('stay away until the next sync when told to do as upstream does', async () => {
    const bench = await hinted({ restoreHints: false });
    bench.nodes.put(node('node-c'));
    await bench.clock.advance(0);
    bench.nodes.put(node('node-c', { zone: 'z1', cpu: '100m' }));
    await bench.clock.advance(0);
    await bench.newCalls();
    expect(hintsIn(bench)).toEqual([undefined, undefined]);
    bench.services.put({ ...auto });
    await bench.newCalls();
    expect(hintsIn(bench)).toEqual(['z1', 'z2']);
  });
});

describe('the metrics of the controller', () => {
  it('count changes, syncs, endpoints and slices, both families included', async () => {
    const bench = new Bench();
    bench.nodes.put(node('node-a'));
    bench.services.put(service({ ipFamilies: ['IPv4', 'IPv6'], trafficDistribution: 'PreferClose' }));
    bench.pods.put(pod('a', { ips: ['10.0.0.1', 'fd00::1'] }), pod('b', { ip: '10.0.0.2' }));
    await bench.start();
    const prefix = 'endpoint_slice_controller_';
    expect(await bench.metric(`${prefix}endpoints_desired`)).toBe('3');
    expect(await bench.metric(`${prefix}num_endpoint_slices`)).toBe('2');
    expect(await bench.metric(`${prefix}desired_endpoint_slices`)).toBe('2');
    expect(await bench.metric(`${prefix}changes{operation="create"}`)).toBe('2');
    expect(await bench.metric(`${prefix}endpoints_added_per_sync_count`)).toBe('2');
    expect(await bench.metric(`${prefix}endpoints_added_per_sync_sum`)).toBe('3');
    expect(
      await bench.metric(`${prefix}services_count_by_traffic_distribution{traffic_distribution="PreferClose"}`),
    ).toBe('1');
    expect(
      await bench.metric(
        `${prefix}endpointslices_changed_per_sync_count{topology="Disabled",traffic_distribution="PreferClose"}`,
      ),
    ).toBe('2');
    bench.services.take(service());
    await bench.newCalls();
    expect(await bench.metric(`${prefix}endpoints_desired`)).toBe('0');
    expect(
      await bench.metric(`${prefix}services_count_by_traffic_distribution{traffic_distribution="PreferClose"}`),
    ).toBe('0');
  });

  it('count one family only when told to do as upstream does', async () => {
    const bench = new Bench({ countAllFamilies: false });
    bench.nodes.put(node('node-a'));
    bench.services.put(service({ ipFamilies: ['IPv4', 'IPv6'] }));
    bench.pods.put(pod('a', { ips: ['10.0.0.1', 'fd00::1'] }), pod('b', { ip: '10.0.0.2' }));
    await bench.start();
    expect(await bench.metric('endpoint_slice_controller_num_endpoint_slices')).toBe('1');
    expect(await bench.metric('endpoint_slice_controller_endpoints_desired')).toBe('1');
  });

  it('carry the help texts and buckets of Kubernetes', async () => {
    const page = await new Bench().registry.metrics();
    for (const line of [
      '# HELP endpoint_slice_controller_endpoints_added_per_sync [BETA] Number of endpoints added on each Service sync',
      '# HELP endpoint_slice_controller_endpoints_removed_per_sync [BETA] Number of endpoints removed on each Service sync',
      '# HELP endpoint_slice_controller_endpoints_desired [BETA] Number of endpoints desired',
      '# HELP endpoint_slice_controller_num_endpoint_slices [BETA] Number of EndpointSlices',
      '# HELP endpoint_slice_controller_desired_endpoint_slices [BETA] Number of EndpointSlices that would exist with perfect endpoint allocation',
      '# HELP endpoint_slice_controller_changes [ALPHA] Number of EndpointSlice changes',
      '# HELP endpoint_slice_controller_endpointslices_changed_per_sync [ALPHA] Number of EndpointSlices changed on each Service sync',
      '# HELP endpoint_slice_controller_syncs [ALPHA] Number of EndpointSlice syncs',
      '# HELP endpoint_slice_controller_services_count_by_traffic_distribution [BETA] Number of Services using some specific trafficDistribution',
      'endpoint_slice_controller_endpoints_added_per_sync_bucket{le="2"} 0',
      'endpoint_slice_controller_endpoints_added_per_sync_bucket{le="32768"} 0',
    ]) {
      expect(page.split('\n')).toContain(line);
    }
  });
});
