import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_PLAN_OPTIONS } from '../../src/endpointslice/plan.ts';
import { ENDPOINT_SLICES } from '../../src/kube/projections.ts';
import { resourceClient } from '../../src/kube/typed.ts';
import { AGENT, eventually, TestCluster } from './support/cluster.ts';

let cluster: TestCluster;

beforeEach(async () => {
  cluster = await TestCluster.start();
  await cluster.node('node-a', 'z1');
  await cluster.node('node-b', 'z2');
});

afterEach(async () => {
  await cluster.stop();
});

async function web(...names: string[]): Promise<void> {
  await cluster.service('web');
  for (const [i, name] of names.entries()) await cluster.pod('web', { name, ips: [`10.0.0.${i + 1}`] });
}

const settles = (service: string, expected: string[]) =>
  eventually(async () => expect(await cluster.endpoints(service)).toEqual(expected));

describe('the controller on an API server', () => {
  it('turns Services and Pods into slices that the server accepts', async () => {
    await web('a', 'b');
    await cluster.startController();
    await settles('web', ['a', 'b']);
    const [slice] = await cluster.slices('web');
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      metadata: {
        name: expect.stringMatching(/^web-.{5}$/),
        labels: {
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Service', name: 'web', controller: true, blockOwnerDeletion: true }],
      },
    });
    expect(slice?.endpoints[0]).toMatchObject({
      addresses: ['10.0.0.1'],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'node-a',
      zone: 'z1',
      targetRef: { kind: 'Pod', namespace: 'default', name: 'a' },
    });
  });

  it('follows Pods as they come, change and go, with one write for each change', async () => {
    await web('a');
    await cluster.startController();
    await settles('web', ['a']);
    cluster.api.requests.clear();
    await cluster.pod('web', { name: 'b', ips: ['10.0.0.2'], node: 'node-b' });
    await settles('web', ['a', 'b']);
    await cluster.podStatus('b', { ready: false });
    await settles('web', ['!b', 'a']);
    await cluster.remove('pods', 'b');
    await settles('web', ['a']);
    expect(cluster.writes()).toEqual(['update', 'update', 'update']);
    await cluster.remove('pods', 'a');
    await settles('web', []);
    expect((await cluster.slices('web')).map((s) => s.ports)).toEqual([[]]);
  });

  it('adopts the slices there are, without a write, after a restart', async () => {
    await web('a', 'b');
    await cluster.service('empty');
    const first = await cluster.startController();
    await settles('web', ['a', 'b']);
    await eventually(async () => expect(await cluster.slices()).toHaveLength(2));
    await first.stop();
    cluster.api.requests.clear();
    await cluster.startController();
    // A change after the start is written after whatever the start itself would have written.
    await cluster.service('later');
    await eventually(async () => expect(await cluster.slices('later')).toHaveLength(1));
    expect(cluster.writes()).toEqual(['create']);
  });

  it('mends a slice that somebody deletes or edits, right after a restart too', async () => {
    await web('a');
    const first = await cluster.startController();
    await settles('web', ['a']);
    await first.stop();
    await cluster.startController();
    const [slice] = await cluster.slices('web');
    if (!slice) throw new Error('no slice');
    const slices = resourceClient(cluster.client, ENDPOINT_SLICES);
    await slices.delete('default', slice.metadata.name);
    await settles('web', ['a']);
    const [mended] = await cluster.slices('web');
    if (!mended) throw new Error('no slice');
    await slices.update({
      ...mended,
      endpoints: [{ addresses: ['10.6.6.6'], conditions: { ready: true }, targetRef: { name: 'evil' } }],
    });
    await settles('web', ['a']);
  });

  it('gives a Service that is deleted and recreated at once slices of its own', async () => {
    await web('a');
    await cluster.startController();
    await settles('web', ['a']);
    const uid = async () => {
      const service = await cluster.client.request({ method: 'GET', path: '/api/v1/namespaces/default/services/web' });
      return (service as { metadata: { uid: string } }).metadata.uid;
    };
    for (let i = 0; i < 5; i++) {
      await cluster.remove('services', 'web');
      await cluster.service('web');
    }
    const current = await uid();
    await eventually(async () => {
      const slices = await cluster.slices('web');
      expect(slices.map((s) => s.metadata.ownerReferences?.map((o) => o.uid))).toEqual([[current]]);
      expect(await cluster.endpoints('web')).toEqual(['a']);
    });
  });

  it('leaves the slices of a deleted Service to garbage collection', async () => {
    await web('a');
    await cluster.startController();
    await settles('web', ['a']);
    cluster.api.requests.clear();
    await cluster.remove('services', 'web');
    await eventually(async () => expect(await cluster.slices('web')).toEqual([]));
    expect(cluster.writes()).toEqual([]);
  });

  it('writes dual-stack slices and leaves out an address that the server would refuse', async () => {
    await cluster.service('dual', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] });
    await cluster.pod('dual', { name: 'a', ips: ['10.0.0.1', 'fd00::1'] });
    await cluster.pod('dual', { name: 'b', ips: ['169.254.0.1', 'fd00::2'] });
    await cluster.startController();
    await settles('dual', ['a', 'a', 'b']);
    await eventually(async () => {
      const events = (await cluster.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' })) as {
        items: { reason: string; message: string }[];
      };
      expect(events.items.map((e) => e.reason)).toContain('InvalidIPAddress');
    });
  });
});

describe('the controller while the API server misbehaves', () => {
  const SLICES = { plural: 'endpointslices', userAgent: AGENT };

  it.each([409, 429, 500, 503] as const)('gets over writes that fail with %s', async (code) => {
    await web('a');
    await cluster.startController();
    await settles('web', ['a']);
    cluster.api.faults.failNext(1, { ...SLICES, verb: 'update' }, code);
    await cluster.pod('web', { name: 'b', ips: ['10.0.0.2'] });
    await settles('web', ['a', 'b']);
  });

  it.each(['create', 'update', 'delete'])(
    'gets over a %s that is carried out but whose answer is lost',
    async (verb) => {
      await web('a', 'b', 'c');
      await cluster.startController({
        plan: { ...DEFAULT_PLAN_OPTIONS, maxEndpointsPerSlice: 1 },
      });
      await settles('web', ['a', 'b', 'c']);
      cluster.api.faults.failNext(1, { ...SLICES, verb }, 504, { afterServing: true });
      await cluster.pod('web', { name: 'd', ips: ['10.0.0.4'] });
      await cluster.podStatus('a', { ready: false });
      await cluster.remove('pods', 'b');
      await settles('web', ['!a', 'c', 'd']);
      expect(await cluster.slices('web')).toHaveLength(3);
    },
  );

  it('hears of everything that happened while its watches were cut', async () => {
    await web('a', 'b');
    await cluster.startController();
    await settles('web', ['a', 'b']);
    cluster.api.faults.dropWatches();
    await cluster.remove('pods', 'a');
    await cluster.pod('web', { name: 'c', ips: ['10.0.0.3'] });
    await cluster.service('late');
    await settles('web', ['b', 'c']);
    await eventually(async () => expect(await cluster.slices('late')).toHaveLength(1));
  });

  it('starts over from a list when the history it would need is gone', async () => {
    await web('a', 'b');
    await cluster.startController();
    await settles('web', ['a', 'b']);
    for (let round = 0; round < 3; round++) {
      cluster.api.faults.breakWatches();
      await cluster.podStatus('b', { ready: round % 2 === 1 });
      cluster.api.faults.compact();
      cluster.api.faults.dropWatches();
    }
    await cluster.remove('pods', 'a');
    await settles('web', ['!b']);
  });

  it('picks up where it was killed, before or after any of its writes', async () => {
    await cluster.service('web');
    const present: string[] = [];
    for (let kill = 1; kill <= 6; kill++) {
      for (const n of [1, 2]) {
        const name = `p${kill}-${n}`;
        await cluster.pod('web', { name, ips: [`10.0.${kill}.${n}`] });
        present.push(name);
      }
      if (kill > 2) {
        const gone = present.shift() ?? '';
        await cluster.remove('pods', gone);
      }
      const writes = { ...SLICES, verb: ['create', 'update', 'delete'] };
      const hold = cluster.api.faults.holdNext(writes);
      // Odd rounds die before the write that was under way, even ones after it.
      if (kill % 2 === 1) cluster.api.faults.cutNext(100, writes);
      const options = {
        plan: { ...DEFAULT_PLAN_OPTIONS, maxEndpointsPerSlice: 2 },
      };
      const victim = await cluster.startController(options);
      await hold.arrived;
      const dead = victim.crash();
      hold.release();
      await dead;
      cluster.api.faults.clear();
      const next = await cluster.startController(options);
      await settles('web', [...present].sort());
      await next.stop();
    }
  });
});
