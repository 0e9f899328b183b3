import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import { binaryNames } from '../../../../src/proxy/iptables/backend.ts';
import type { Draft } from '../cluster.ts';
import { NODES, type Place } from '../places.ts';
import { Traffic } from '../traffic.ts';
import type { Destination, World } from '../world.ts';

const web: Draft = { name: 'web', number: 1, endpoints: ['a', 'c'], nodePort: true };
const edge: Draft = {
  name: 'edge',
  number: 2,
  endpoints: ['a', 'c'],
  vips: ['one'],
  spec: { externalTrafficPolicy: 'Local' },
};
const self: Draft = { name: 'self', number: 3, endpoints: ['a'] };
const BASE = [web, edge, self];
/** Enough to meet the moment between two transactions of one sync now and then. */
const FLIPS = 6;
/** On iptables-nft too many chains for one section. */
const MANY: Draft[] = Array.from({ length: 150 }, (_, i) => ({
  name: `many-${i}`,
  number: 50 + i,
  endpoints: ['a', 'c'],
}));

const WAYS: { draft: Draft; from: Place; to: Destination }[] = [
  { draft: web, from: 'd', to: { kind: 'clusterIP' } },
  { draft: web, from: 'client', to: { kind: 'nodePort', node: 'bare' } },
  { draft: edge, from: 'client', to: { kind: 'vip', node: 'one' } },
  { draft: self, from: 'a', to: { kind: 'clusterIP' } },
];

interface Sync {
  title: string;
  act: (world: World, family: IPFamily) => Promise<unknown>;
}

const onEveryNode = (act: (pipeline: ReturnType<World['pipeline']>) => Promise<unknown>): Sync['act'] => {
  return (world, family) => Promise.all(NODES.map((node) => act(world.pipeline(node, family))));
};
const through =
  (...states: Draft[][]): Sync['act'] =>
  async (world, family) => {
    for (const drafts of [...states, BASE]) await world.apply(drafts, family);
  };

/** Syncs that nobody may notice, not even who connects in the middle of one. */
const QUIET: readonly Sync[] = [
  { title: 'a full sync, which compares everything with the kernel', act: onEveryNode((p) => p.fullSync()) },
  { title: 'a full write in one piece, as kube-proxy does it', act: onEveryNode((p) => p.writeAsKubeProxy()) },
  {
    title: 'a partial write, as kube-proxy does it',
    act: onEveryNode((p) => p.writeAsKubeProxy(new Set(['e2e/web']))),
  },
  {
    title: 'endpoints that come and go',
    act: through([{ ...web, endpoints: ['a', 'b', 'c'] }, edge, self], [{ ...web, endpoints: ['a'] }, edge, self]),
  },
  {
    title: 'a policy that changes to and fro',
    act: through(
      [web, { ...edge, spec: {} }, self],
      [{ ...web, spec: { internalTrafficPolicy: 'Cluster' } }, edge, self],
    ),
  },
  {
    title: 'other Services that come and go',
    act: through(
      [{ name: 'before', number: 9, endpoints: ['b'] }, ...BASE],
      [...BASE, { ...web, name: 'z', number: 8 }],
    ),
  },
  { title: 'hundreds of Services that come and go at once', act: through([...MANY, ...BASE]) },
  {
    title: 'a setting that changes the rules of every Service',
    act: async (world, family) => {
      await world.configure(family, () => ({ masqueradeAll: true }));
      await world.configure(family, () => ({}));
    },
  },
  {
    title: 'a restart: the first sync again, by a process that knows nothing',
    act: async (world, family) => {
      for (const node of NODES) world.pipeline(node, family).restart();
      await world.apply(BASE, family);
    },
  },
  { title: 'a check that finds nothing', act: onEveryNode((p) => p.check()) },
];

/** What leaves new connections without a rule for a moment; those that stand go on. */
const ROUGH: readonly Sync[] = [
  {
    title: 'all tables flushed, and a first sync into the empty kernel',
    act: async (world, family) => {
      await flush(world, family);
      for (const node of NODES) world.pipeline(node, family).restart();
      await world.apply(BASE, family);
    },
  },
  {
    title: 'all tables flushed, and a check that repairs them',
    act: async (world, family) => {
      await flush(world, family);
      for (const node of NODES) expect(await world.pipeline(node, family).check()).toMatchObject({ different: [] });
    },
  },
  { title: 'their endpoints leave the Service', act: through(BASE.map((draft) => ({ ...draft, endpoints: ['b'] }))) },
  { title: 'all endpoints leave the Service', act: through(BASE.map((draft) => ({ ...draft, endpoints: [] }))) },
  { title: 'the Services are deleted', act: through([]) },
];

export function describeConnections(world: () => World, family: IPFamily): void {
  let traffic: Traffic;

  describe('TCP connections', () => {
    beforeEach(async () => {
      await world().apply(BASE, family);
      traffic = new Traffic(
        world(),
        WAYS.map(({ draft, from, to }) => ({ from, target: world().target(draft, to, family, 'TCP', from) })),
      );
      await traffic.hold();
    });
    afterEach(() => traffic.stop());

    test.each(QUIET)('go on, and new ones succeed all the while, through $title', async ({ act }) => {
      await traffic.startStreams();
      await act(world(), family);
      expect(await traffic.stopStreams()).toEqual([]);
      expect(await traffic.brokenConnections()).toEqual([]);
    });

    test('are answered or refused while the last endpoint comes and goes, and no packet gets out to the wire', async () => {
      await traffic.startStreams();
      for (let i = 0; i < FLIPS; i++)
        await through(BASE.map((draft) => ({ ...draft, endpoints: [] })))(world(), family);
      expect(await traffic.stopStreams(['ECONNREFUSED'])).toEqual([]);
    });

    test.each(ROUGH)('go on through this: $title', async ({ act }) => {
      await act(world(), family);
      expect(await traffic.brokenConnections()).toEqual([]);
    });
  });
}

async function flush(world: World, family: IPFamily): Promise<void> {
  const { command } = binaryNames(family, world.backend);
  const script = ['nat', 'filter', 'mangle'].flatMap((table) => [
    `${command} -w 5 -t ${table} -F`,
    `${command} -w 5 -t ${table} -X`,
  ]);
  await Promise.all(NODES.map((node) => world.exec(node, 'sh', '-ec', script.join('\n'))));
}
