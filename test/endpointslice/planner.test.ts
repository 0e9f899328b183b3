import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/endpointslice/plan.ts';
import { planService } from '../../src/endpointslice/planner.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { TRIGGER_TIME_ANNOTATION } from '../../src/objects/endpointslice.ts';
import {
  endpoint,
  endpoints,
  HTTP,
  HTTP_PORT,
  type InputParts,
  input,
  node,
  pod,
  pods,
  service,
  slice,
} from './support/build.ts';
import { carryOut } from './support/carry-out.ts';

const plan = (parts: InputParts): Plan => planService(input(parts));
const names = (slices: EndpointSlice[]) => slices.map((s) => s.metadata.name);
const sizes = (slices: EndpointSlice[]) => slices.map((s) => s.endpoints.length);

/** The three lists in short: how many endpoints are in each slice created or updated, and which are deleted. */
const actions = (p: Plan) => ({ create: sizes(p.create), update: sizes(p.update), delete: names(p.delete) });

describe('planning the first slices of a Service', () => {
  it('creates one slice with all endpoints', () => {
    const p = plan({ pods: pods(3) });
    expect(actions(p)).toEqual({ create: [3], update: [], delete: [] });
    expect(p.create[0]).toEqual({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: '',
        generateName: 'web-',
        namespace: 'shop',
        labels: {
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'Service',
            name: 'web',
            uid: 'uid-web',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      endpoints: endpoints(3),
    });
    expect(p.families[0]?.stats).toMatchObject({ added: 3, removed: 0 });
  });

  it('creates an empty placeholder for each address type when there are no Pods', () => {
    const p = plan({ service: service({ ipFamilies: ['IPv4', 'IPv6'] }) });
    expect(p.create.map((s) => [s.addressType, s.endpoints, s.ports])).toEqual([
      ['IPv4', [], []],
      ['IPv6', [], []],
    ]);
  });

  it('creates full slices and one with the rest', () => {
    expect(actions(plan({ pods: pods(250) })).create).toEqual([100, 100, 50]);
  });

  it('creates no slice more than needed when the number fits exactly', () => {
    expect(actions(plan({ pods: pods(200) })).create).toEqual([100, 100]);
  });

  it.each([
    [1, 3, [1, 1, 1]],
    [1000, 1000, [1000]],
    [1000, 1001, [1000, 1]],
  ])('with a limit of %i makes of %i Pods slices of %j', (maxEndpointsPerSlice, count, expected) => {
    expect(actions(plan({ pods: pods(count), options: { maxEndpointsPerSlice } })).create).toEqual(expected);
  });

  it('puts each Pod into a slice of every family it has an address of', () => {
    const p = plan({
      service: service({ ipFamilies: ['IPv4', 'IPv6'] }),
      pods: [
        pod('both', { ips: ['10.0.0.1', 'fd00::1'] }),
        pod('four', { ip: '10.0.0.2' }),
        pod('six', { ip: 'FD00::2' }),
      ],
    });
    expect(p.create.map((s) => [s.addressType, s.endpoints.map((e) => e.addresses)])).toEqual([
      ['IPv4', [['10.0.0.1'], ['10.0.0.2']]],
      ['IPv6', [['fd00::1'], ['fd00::2']]],
    ]);
  });

  it('makes one group of slices for each set of ports where a named port differs between Pods', () => {
    const web = (port: number) => ({ containers: [{ ports: [{ name: 'web', containerPort: port }] }] });
    const p = plan({
      service: service({ ports: [{ ...HTTP, targetPort: 'web' }] }),
      pods: [
        pod('a', { ip: '10.0.0.1', ...web(80) }),
        pod('b', { ip: '10.0.0.2', ...web(81) }),
        pod('c', { ip: '10.0.0.3', ...web(80) }),
      ],
    });
    expect(p.create.map((s) => [s.ports[0]?.port, s.endpoints.map((e) => e.targetRef?.name)])).toEqual([
      [80, ['a', 'c']],
      [81, ['b']],
    ]);
  });

  it('puts a Pod that lacks all named ports into a slice without ports', () => {
    const p = plan({ service: service({ ports: [{ ...HTTP, targetPort: 'web' }] }), pods: [pod('a')] });
    expect(p.create.map((s) => [s.ports, s.endpoints.length])).toEqual([[[], 1]]);
  });

  it('keeps two Pods that share an address apart', () => {
    expect(actions(plan({ pods: [pod('a'), pod('b')] })).create).toEqual([2]);
  });

  it('leaves out Pods that ran to their end or have no address', () => {
    const all = [pod('a', { phase: 'Succeeded' }), pod('b', { phase: 'Failed' }), pod('c', { ips: [] }), pod('d')];
    expect(plan({ pods: all }).create[0]?.endpoints.map((e) => e.targetRef?.name)).toEqual(['d']);
  });

  it('marks the slices of a headless Service, and those of one without cluster IP', () => {
    for (const clusterIP of ['None', '']) {
      const [created] = plan({ service: service({ clusterIP }) }).create;
      expect(created?.metadata.labels?.['service.kubernetes.io/headless']).toBe('');
    }
  });

  it('copies the labels of the Service, its reserved keys excepted, and none of its annotations', () => {
    const labels = {
      tier: 'front',
      'kubernetes.io/service-name': 'x',
      'endpointslice.kubernetes.io/managed-by': 'x',
      'service.kubernetes.io/headless': 'x',
    };
    const [created] = plan({ service: service({ labels, annotations: { note: 'x' } }) }).create;
    expect(created?.metadata.labels).toEqual({
      tier: 'front',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    expect(created?.metadata).not.toHaveProperty('annotations');
  });
});

describe('planning with Pods whose node is not known', () => {
  const unknown = pod('lost', { ip: '10.0.0.9', node: 'node-x' });

  it('writes the others, and counts the sync as failed', () => {
    const p = plan({ pods: [pod('a'), unknown] });
    expect(p.create.map((s) => s.endpoints.map((e) => e.targetRef?.name))).toEqual([['a']]);
    expect(p.errors).toEqual(['skipping Pod lost for Service shop/web: Node node-x Not Found']);
  });

  it('takes a Pod that has no node yet the same way', () => {
    expect(plan({ pods: [pod('a', { node: '' })] }).errors).toEqual([
      'skipping Pod a for Service shop/web: Node  Not Found',
    ]);
  });

  it('keeps them without a zone when the Service publishes addresses that are not ready', () => {
    const p = plan({ service: service({ publishNotReadyAddresses: true }), pods: [unknown] });
    expect(p.errors).toEqual([]);
    expect(p.create[0]?.endpoints).toEqual([endpoint('lost', '10.0.0.9', { nodeName: 'node-x' })]);
  });

  it('still wants their port group, so that its slice is emptied rather than replaced', () => {
    const existing = slice('s1', { endpoints: [endpoint('lost', '10.0.0.9', { nodeName: 'node-x' })] });
    const p = plan({ pods: [unknown], slices: [existing] });
    expect(actions(p)).toEqual({ create: [], update: [0], delete: [] });
    expect(p.update[0]?.metadata.name).toBe('s1');
    expect(p.update[0]?.ports).toEqual([]);
  });
});

describe('planning changes', () => {
  it('writes nothing when nothing changed, whatever the order of Pods and ports', () => {
    const two = { ports: [HTTP, { ...HTTP, name: 'tls', targetPort: 8443 }] };
    const existing = slice('s1', {
      endpoints: endpoints(3),
      ports: [{ name: 'tls', protocol: 'TCP', port: 8443 }, HTTP_PORT],
    });
    const p = plan({ service: service(two), pods: pods(3).reverse(), slices: [existing] });
    expect(actions(p)).toEqual({ create: [], update: [], delete: [] });
    expect(p.families[0]?.stats).toMatchObject({ added: 0, removed: 0 });
  });

  it('adds to the slice there is, after the endpoints that are in it', () => {
    const p = plan({ pods: pods(3).reverse(), slices: [slice('s1', { endpoints: endpoints(2) })] });
    expect(actions(p)).toEqual({ create: [], update: [3], delete: [] });
    expect(p.update[0]?.endpoints.map((e) => e.targetRef?.name)).toEqual(['pod-0', 'pod-1', 'pod-2']);
    expect(p.families[0]?.stats).toMatchObject({ added: 1, removed: 0 });
  });

  it('takes out what is gone and keeps the rest in place', () => {
    const [a, , c] = pods(3);
    const p = plan({ pods: [c, a].filter((x) => x !== undefined), slices: [slice('s1', { endpoints: endpoints(3) })] });
    expect(p.update.map((s) => s.endpoints.map((e) => e.targetRef?.name))).toEqual([['pod-0', 'pod-2']]);
    expect(p.families[0]?.stats).toMatchObject({ added: 0, removed: 1 });
  });

  it('updates an endpoint in place when its Pod was recreated with the same name and address', () => {
    const p = plan({ pods: pods(1, { uid: 'second' }), slices: [slice('s1', { endpoints: endpoints(1) })] });
    expect(actions(p)).toEqual({ create: [], update: [1], delete: [] });
    expect(p.update[0]?.endpoints[0]?.targetRef?.uid).toBe('second');
  });

  it('updates with the resourceVersion it saw, and keeps annotations, finalizers and position', () => {
    const existing = slice('s1', { endpoints: endpoints(2), annotations: { note: 'mine' }, finalizers: ['x/y'] });
    const [update] = plan({ pods: [...pods(1), ...pods(1, { ready: false }, 1)], slices: [existing] }).update;
    expect(update?.metadata).toMatchObject({
      name: 's1',
      resourceVersion: '7',
      annotations: { note: 'mine' },
      finalizers: ['x/y'],
    });
    expect(update?.endpoints.map((e) => e.conditions?.ready)).toEqual([true, false]);
  });

  it('drops the second copy of an endpoint, in the same slice or in another', () => {
    const double = slice('s1', { endpoints: [...endpoints(2), ...endpoints(1)] });
    const again = slice('s2', { endpoints: [...endpoints(1), ...endpoints(1, 2)] });
    const p = plan({ pods: pods(3), slices: [double, again] });
    expect(p.update.map((s) => [s.metadata.name, s.endpoints.map((e) => e.targetRef?.name)])).toEqual([
      ['s1', ['pod-0', 'pod-1']],
      ['s2', ['pod-2']],
    ]);
  });

  it('deletes a slice that has nothing left while others of its ports do', () => {
    const p = plan({
      pods: pods(1),
      slices: [slice('s1', { endpoints: endpoints(1) }), slice('s2', { endpoints: endpoints(1, 1) })],
    });
    expect(actions(p)).toEqual({ create: [], update: [], delete: ['s2'] });
  });

  it('leaves an empty slice alone whose ports are wanted', () => {
    const p = plan({ pods: pods(1), slices: [slice('s1', { endpoints: endpoints(1) }), slice('s2')] });
    expect(actions(p)).toEqual({ create: [], update: [], delete: [] });
  });

  it('rewrites labels when those of the Service change, and strips foreign ones', () => {
    const existing = slice('s1', { endpoints: endpoints(1), labels: { old: 'x', foreign: 'y' } });
    const p = plan({ service: service({ labels: { tier: 'front' } }), pods: pods(1), slices: [existing] });
    expect(p.update.map((s) => Object.keys(s.metadata.labels ?? {}))).toEqual([
      ['tier', 'kubernetes.io/service-name', 'endpointslice.kubernetes.io/managed-by'],
    ]);
  });

  it('does not write a slice only for its headless label', () => {
    const existing = slice('s1', { endpoints: endpoints(1), labels: { 'service.kubernetes.io/headless': '' } });
    expect(actions(plan({ pods: pods(1), slices: [existing] })).update).toEqual([]);
  });

  it('rewrites an endpoint that says less than all three conditions', () => {
    const old = slice('s1', { endpoints: [endpoint('pod-0', '10.1.0.1', { conditions: { ready: true } })] });
    expect(actions(plan({ pods: pods(1), slices: [old] })).update).toEqual([1]);
  });
});

describe('packing', () => {
  it('keeps 62 + 61 apart and adds 127 as one new slice and one update', () => {
    const slices = [slice('s1', { endpoints: endpoints(62) }), slice('s2', { endpoints: endpoints(61, 62) })];
    const p = plan({ pods: pods(250), slices });
    expect(actions(p)).toEqual({ create: [100], update: [89], delete: [] });
    expect(names(p.update)).toEqual(['s1']);
  });

  it('creates a slice rather than spread a rest over several unchanged ones', () => {
    const slices = [slice('s1', { endpoints: endpoints(74) }), slice('s2', { endpoints: endpoints(74, 74) })];
    expect(actions(plan({ pods: pods(300), slices }))).toEqual({ create: [100, 52], update: [], delete: [] });
  });

  it('fills slices that must be written anyway first, the fullest before the others', () => {
    const slices = [slice('s1', { endpoints: endpoints(21) }), slice('s2', { endpoints: endpoints(81, 21) })];
    // One endpoint of each leaves, 15 come.
    const p = plan({ pods: [...pods(20), ...pods(80, {}, 21), ...pods(15, {}, 200)], slices });
    expect(p.update.map((s) => [s.metadata.name, s.endpoints.length])).toEqual([
      ['s1', 20],
      ['s2', 95],
    ]);
  });

  it('chooses the unchanged slice that becomes fullest', () => {
    const slices = [
      slice('s1', { endpoints: endpoints(50) }),
      slice('s2', { endpoints: endpoints(90, 50) }),
      slice('s3', { endpoints: endpoints(97, 140) }),
    ];
    const p = plan({ pods: pods(242), slices });
    expect(p.update.map((s) => [s.metadata.name, s.endpoints.length])).toEqual([['s2', 95]]);
  });

  it('creates a new slice for exactly a full load, though a slice is empty', () => {
    const p = plan({ pods: pods(100), slices: [slice('s1')] });
    expect(actions(p)).toEqual({ create: [100], update: [], delete: [] });
  });

  it('leaves a slice over a lowered limit as it is', () => {
    const p = plan({
      pods: pods(6),
      slices: [slice('s1', { endpoints: endpoints(5) })],
      options: { maxEndpointsPerSlice: 3 },
    });
    expect(actions(p)).toEqual({ create: [1], update: [], delete: [] });
  });

  it('does not merge slices thinned out by scaling down, unless told to', () => {
    const slices = [slice('s1', { endpoints: endpoints(60) }), slice('s2', { endpoints: endpoints(30, 60) })];
    const fewer = [...pods(59), ...pods(30, {}, 60)];
    expect(actions(plan({ pods: fewer, slices }))).toEqual({ create: [], update: [59], delete: [] });
    const merged = plan({ pods: fewer, slices, options: { mergeSparse: true } });
    expect(actions(merged)).toEqual({ create: [], update: [89], delete: ['s2'] });
  });

  it('merges two slices that both had to be written into one write and one delete', () => {
    const slices = [slice('s1', { endpoints: endpoints(60) }), slice('s2', { endpoints: endpoints(30, 60) })];
    const fewer = [...pods(59), ...pods(29, {}, 60)];
    expect(actions(plan({ pods: fewer, slices, options: { mergeSparse: true } }))).toEqual({
      create: [],
      update: [88],
      delete: ['s2'],
    });
  });

  it('does not merge on a sync that has nothing else to write', () => {
    const slices = [slice('s1', { endpoints: endpoints(60) }), slice('s2', { endpoints: endpoints(30, 60) })];
    expect(actions(plan({ pods: pods(90), slices, options: { mergeSparse: true } }))).toEqual({
      create: [],
      update: [],
      delete: [],
    });
  });
});

describe('placeholders', () => {
  const empty = slice('s1', { ports: [] });

  it('keeps an empty slice that is there already', () => {
    expect(actions(plan({ slices: [empty] }))).toEqual({ create: [], update: [], delete: [] });
  });

  it('turns the last slice into a placeholder when all Pods leave, in one update', () => {
    const p = plan({
      slices: [slice('s1', { endpoints: endpoints(2), annotations: { note: 'mine' }, finalizers: ['x/y'] })],
    });
    expect(actions(p)).toEqual({ create: [], update: [0], delete: [] });
    expect(p.update[0]).toMatchObject({
      metadata: { name: 's1', resourceVersion: '7', annotations: { note: 'mine' }, finalizers: ['x/y'] },
      ports: [],
    });
  });

  it('keeps one slice as placeholder and deletes the others', () => {
    const slices = [slice('s1', { endpoints: endpoints(1) }), slice('s2', { endpoints: endpoints(1, 1) })];
    expect(actions(plan({ slices }))).toEqual({ create: [], update: [0], delete: ['s2'] });
  });

  it('replaces the placeholder in place when Pods appear', () => {
    const p = plan({ pods: pods(2), slices: [empty] });
    expect(actions(p)).toEqual({ create: [], update: [2], delete: [] });
    expect(p.update[0]?.ports).toEqual([HTTP_PORT]);
  });

  it('takes a missing headless label as no difference, but other labels as one', () => {
    expect(actions(plan({ service: service({ clusterIP: 'None' }), slices: [empty] })).update).toEqual([]);
    expect(actions(plan({ service: service({ labels: { a: 'b' } }), slices: [empty] })).update).toEqual([0]);
  });

  it('does not take an empty slice of another Service of the same name for its own', () => {
    const stale = slice('s1', { ports: [], ownerUid: 'uid-of-the-one-before' });
    expect(actions(plan({ slices: [stale] }))).toEqual({ create: [0], update: [], delete: ['s1'] });
  });

  it('keeps slices of headless Services without ports as they are', () => {
    const headless = service({ clusterIP: 'None', ports: [] });
    const existing = slice('s1', {
      ports: [],
      endpoints: endpoints(2),
      labels: { 'service.kubernetes.io/headless': '' },
    });
    expect(actions(plan({ service: headless, pods: pods(2), slices: [existing] }))).toEqual({
      create: [],
      update: [],
      delete: [],
    });
  });

  it('replaces a slice whose Pods all lost their address by a placeholder', () => {
    const p = plan({
      pods: [pod('a', { podIPOnly: '10.0.0.1' })],
      slices: [slice('s1', { endpoints: [endpoint('a', '10.0.0.1')] })],
    });
    expect(actions(p)).toEqual({ create: [], update: [0], delete: [] });
    expect(p.update[0]?.ports).toEqual([]);
  });
});

describe('recycling', () => {
  const other = { ports: [{ name: 'http', protocol: 'TCP' as const, port: 9999 }] };

  it('turns a change of ports into updates of the slices there are', () => {
    const p = plan({ pods: pods(2), slices: [slice('s1', { ...other, endpoints: endpoints(2) })] });
    expect(actions(p)).toEqual({ create: [], update: [2], delete: [] });
    expect(p.update[0]?.ports).toEqual([HTTP_PORT]);
  });

  it('packs ten thin slices into three updates and seven deletes', () => {
    const slices = Array.from({ length: 10 }, (_, i) => slice(`s${i}`, { ...other, endpoints: endpoints(30, 30 * i) }));
    const p = plan({ pods: pods(300), slices });
    expect(actions(p)).toMatchObject({ create: [], update: [100, 100, 100] });
    expect(p.delete).toHaveLength(7);
  });

  it('lets each slice keep the endpoints it has, so that none has to move', () => {
    const slices = [
      slice('s1', { ...other, endpoints: endpoints(3) }),
      slice('s2', { ...other, endpoints: endpoints(3, 3) }),
    ];
    const p = plan({ pods: pods(6).reverse(), slices, options: { maxEndpointsPerSlice: 3 } });
    expect(p.update.map((s) => [s.metadata.name, s.endpoints.map((e) => e.targetRef?.name)])).toEqual([
      ['s1', ['pod-0', 'pod-1', 'pod-2']],
      ['s2', ['pod-3', 'pod-4', 'pod-5']],
    ]);
  });

  it('keeps annotations and finalizers and writes only what it saw', () => {
    const p = plan({
      pods: pods(1),
      slices: [slice('s1', { ...other, endpoints: endpoints(1), annotations: { note: 'mine' }, finalizers: ['x/y'] })],
    });
    expect(p.update[0]?.metadata).toMatchObject({
      uid: 'uid-s1',
      resourceVersion: '7',
      annotations: { note: 'mine' },
      finalizers: ['x/y'],
    });
  });

  it('replaces the slice unconditionally when told to do as upstream does', () => {
    const p = plan({
      pods: pods(1),
      slices: [slice('s1', { ...other, endpoints: endpoints(1), annotations: { note: 'mine' }, finalizers: ['x/y'] })],
      options: { preserveRecycled: false },
    });
    expect(Object.keys(p.update[0]?.metadata ?? {}).sort()).toEqual([
      'generateName',
      'labels',
      'name',
      'namespace',
      'ownerReferences',
    ]);
  });

  it('never recycles a slice of another owner', () => {
    const p = plan({ pods: pods(1), slices: [slice('s1', { endpoints: endpoints(1), ownerUid: 'other' })] });
    expect(actions(p)).toEqual({ create: [1], update: [], delete: ['s1'] });
  });

  it.each(['FQDN', 'IPv6'] as const)(
    'deletes slices of type %s that nobody wants, last and by themselves',
    (addressType) => {
      const stale = slice('s0', { addressType, endpoints: [endpoint('x', 'fd00::1')] });
      const p = plan({ pods: pods(1), slices: [stale] });
      expect(actions(p)).toEqual({ create: [1], update: [], delete: ['s0'] });
      expect(names(p.obsolete)).toEqual(['s0']);
    },
  );
});

describe('a Service that is being deleted', () => {
  it('gets no new slices', () => {
    expect(actions(plan({ service: service({ deleting: true }), pods: pods(1) }))).toEqual({
      create: [],
      update: [],
      delete: [],
    });
  });

  it('still has its slices updated, recycled and deleted', () => {
    const slices = [
      slice('s1', { endpoints: endpoints(2), ports: [] }),
      slice('s2', { endpoints: endpoints(1), ownerUid: 'x' }),
    ];
    const p = plan({ service: service({ deleting: true }), pods: pods(1), slices });
    expect(actions(p)).toEqual({ create: [], update: [1], delete: ['s2'] });
  });
});

describe('the trigger-time annotation', () => {
  const at = '2026-01-01T10:00:00Z';

  it('is set on everything written', () => {
    const slices = [slice('s1', { endpoints: endpoints(2), annotations: { note: 'mine' } })];
    const p = plan({ pods: pods(150, {}, 1), slices, triggerTime: at });
    for (const written of [...p.create, ...p.update])
      expect(written.metadata.annotations?.[TRIGGER_TIME_ANNOTATION]).toBe(at);
    expect(p.update[0]?.metadata.annotations?.note).toBe('mine');
  });

  it('is taken away when there is nothing newer to tell', () => {
    const p = plan({
      pods: pods(2),
      slices: [slice('s1', { endpoints: endpoints(1), annotations: { [TRIGGER_TIME_ANNOTATION]: at } })],
    });
    expect(p.update[0]?.metadata).not.toHaveProperty('annotations');
  });

  it('is no reason to write a slice', () => {
    const p = plan({ pods: pods(1), slices: [slice('s1', { endpoints: endpoints(1) })], triggerTime: at });
    expect(actions(p).update).toEqual([]);
  });
});

describe('invalid addresses', () => {
  const bad = pod('bad', { ip: '127.0.0.1' });

  it('cost only the endpoint that has them, with one event', () => {
    const p = plan({ pods: [...pods(2), bad] });
    expect(actions(p).create).toEqual([2]);
    expect(p.errors).toEqual([]);
    expect(p.events).toEqual([
      {
        type: 'Warning',
        reason: 'InvalidIPAddress',
        message: 'Left out of EndpointSlices, for the API server would refuse them: bad: 127.0.0.1 (loopback)',
      },
    ]);
  });

  it('are not warned about again until they change', () => {
    const { memory } = plan({ pods: [bad] });
    expect(plan({ pods: [bad], memory }).events).toEqual([]);
    expect(plan({ pods: [bad, pod('worse', { ip: 'x' })], memory }).events).toHaveLength(1);
    expect(plan({ pods: [], memory }).events).toEqual([]);
  });

  it('are written as upstream writes them when told so', () => {
    const p = plan({ pods: [bad, pod('worse', { ip: 'x' })], options: { skipInvalidAddresses: false } });
    expect(p.create[0]?.endpoints.map((e) => e.addresses)).toEqual([['127.0.0.1'], ['<nil>']]);
    expect(p.events).toEqual([]);
  });
});

describe('the numbers of a plan', () => {
  it('count endpoints and slices by group of ports and family', () => {
    const p = plan({ pods: pods(150), nodes: [node('node-a')] });
    expect([...(p.families[0]?.stats.groups.values() ?? [])]).toEqual([{ endpoints: 150, slices: 2 }]);
  });

  it('count a placeholder as one slice', () => {
    expect([...(plan({}).families[0]?.stats.groups.values() ?? [])]).toEqual([{ endpoints: 0, slices: 1 }]);
  });
});

describe('a plan carried out', () => {
  it('leaves nothing to do', () => {
    const slices = [slice('s1', { endpoints: endpoints(74) }), slice('s2', { ports: [], endpoints: endpoints(5) })];
    const after = carryOut(slices, plan({ pods: pods(300), slices }));
    expect(actions(plan({ pods: pods(300), slices: after }))).toEqual({ create: [], update: [], delete: [] });
  });
});
