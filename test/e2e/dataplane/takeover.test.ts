import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HostProcess } from '../../../src/embedded/hosts/hosts.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import { binaryNames } from '../../../src/proxy/iptables/backend.ts';
import { describeBackend } from './backends.ts';
import type { Draft } from './cluster.ts';
import { ControlPlane } from './control-plane.ts';
import { answersByClient } from './crowd.ts';
import { kubeProxy, type NodeProxyProgram, slicewiseProxier } from './node-proxies.ts';
import type { Place } from './places.ts';
import { canonicalSave } from './saved-rules.ts';
import { Traffic } from './traffic.ts';
import type { Destination, World } from './world.ts';

const assets = process.env.KUBEBUILDER_ASSETS;
const program = assets === undefined ? undefined : join(assets, 'kube-proxy');
const able = program !== undefined && existsSync(program);
const missing = able ? undefined : 'KUBEBUILDER_ASSETS names no folder with kube-proxy in it';

const everyWay = { nodePort: true, vips: ['one'], externalIPs: ['one'] } as const;
const web: Draft = { ...everyWay, name: 'web', number: 11, endpoints: ['a', 'c'] };
const edge: Draft = {
  ...everyWay,
  name: 'edge',
  number: 12,
  endpoints: ['a', 'c'],
  spec: { externalTrafficPolicy: 'Local', loadBalancerSourceRanges: ['172.18.0.0/24', 'fd00:172:18::/64'] },
};
const sticky: Draft = {
  name: 'sticky',
  number: 13,
  endpoints: ['a', 'b', 'c'],
  spec: { sessionAffinity: 'ClientIP', internalTrafficPolicy: 'Local' },
};
const empty: Draft = { ...everyWay, name: 'empty', number: 14, endpoints: [] };
const elsewhere: Draft = { ...edge, name: 'elsewhere', number: 15, endpoints: ['c'] };
const foreign: Draft = {
  name: 'foreign',
  number: 16,
  endpoints: ['a'],
  labels: { 'service.kubernetes.io/service-proxy-name': 'another' },
};
const later: Draft = { ...web, name: 'later', number: 17 };

const WAYS: { draft: Draft; from: Place; to: Destination }[] = [
  { draft: web, from: 'b', to: { kind: 'clusterIP' } },
  { draft: web, from: 'one', to: { kind: 'clusterIP' } },
  { draft: web, from: 'client', to: { kind: 'nodePort', node: 'one' } },
  { draft: edge, from: 'client', to: { kind: 'vip', node: 'one' } },
  { draft: edge, from: 'client', to: { kind: 'externalIP', node: 'one' } },
  { draft: sticky, from: 'a', to: { kind: 'clusterIP' } },
];

for (const backend of ['nft', 'legacy'] as const) await describeBackend(backend, describeTakeover, missing);

function describeTakeover(world: () => World, families: readonly IPFamily[]): void {
  let control: ControlPlane;
  let running: HostProcess | undefined;
  let programs: Record<'ours' | 'theirs', NodeProxyProgram>;
  let traffic: Traffic | undefined;

  /** The endpoint that each client has been given by session affinity. */
  const crowds = () =>
    Promise.all(families.map((family) => answersByClient(world(), sticky, { kind: 'clusterIP' }, family)));

  /** Ends the one that runs, and waits for the other's first sync. */
  async function change(to: NodeProxyProgram): Promise<void> {
    await end();
    running = await to.start('one');
  }

  async function end(): Promise<void> {
    running?.kill('SIGTERM');
    await running?.exited;
    running = undefined;
  }

  async function flush(): Promise<void> {
    for (const family of families) {
      const { command } = binaryNames(family, world().backend);
      for (const table of ['nat', 'filter', 'mangle']) {
        await world().exec('one', command, '-w', '5', '-t', table, '-F');
        await world().exec('one', command, '-w', '5', '-t', table, '-X');
      }
    }
  }

  async function rules(): Promise<string[]> {
    const saves = families.map((family) => world().exec('one', binaryNames(family, world().backend).save));
    return (await Promise.all(saves)).flatMap(canonicalSave);
  }

  async function rulesOnce(holds: (rules: string[]) => boolean): Promise<string[]> {
    for (;;) {
      const now = await rules();
      if (holds(now)) return now;
      await delay(50);
    }
  }

  describe('slicewise and kube-proxy on one node', () => {
    beforeAll(async () => {
      control = await ControlPlane.start(world().hosts);
      await control.addNamespace('e2e');
      await control.addNode('one', families);
      for (const draft of [web, edge, sticky, empty, elsewhere, foreign]) await control.addService(draft, families);
      const { hosts, backend } = world();
      const options = { hosts, backend, families, kubeconfig: control.kubeconfig };
      programs = { ours: slicewiseProxier(options), theirs: kubeProxy(program ?? '', options) };
    });
    afterAll(() => control?.stop());
    afterEach(async () => {
      await traffic?.stop();
      traffic = undefined;
      await end();
    });

    test('take over from each other and back: the same rules, no connection lost, none refused, no client moved', async () => {
      await change(programs.theirs);
      const theirs = await rules();
      const ways = families.flatMap((family) =>
        WAYS.map(({ draft, from, to }) => ({ from, target: world().target(draft, to, family, 'TCP', from) })),
      );
      traffic = new Traffic(world(), ways);
      await traffic.hold();
      await traffic.startStreams();

      const clients = await crowds();
      await change(programs.ours);
      expect(await rules()).toEqual(theirs);
      expect(await crowds()).toEqual(clients);

      // Things change while ours is in charge, and also while nobody is.
      const wider: Draft = { ...web, endpoints: ['a', 'b', 'c'] };
      await control.setEndpoints(wider, families);
      await control.addService(later, families);
      await rulesOnce(
        (now) => now.filter((rule) => rule.includes('"e2e/later:udp -> ')).length === 2 * families.length,
      );
      await end();
      await control.setEndpoints({ ...edge, endpoints: ['a', 'b', 'c'] }, families);

      await change(programs.theirs);
      const theirsLater = await rules();
      await change(programs.ours);
      expect(await rules()).toEqual(theirsLater);
      await change(programs.theirs);
      expect(await rules()).toEqual(theirsLater);
      expect(await crowds()).toEqual(clients);

      expect(await traffic.stopStreams()).toEqual([]);
      expect(await traffic.brokenConnections()).toEqual([]);
    }, 60_000);

    test('write the same rules from nothing', async () => {
      await flush();
      await change(programs.ours);
      const ours = await rules();
      await end();
      await flush();
      await change(programs.theirs);
      expect(await rules()).toEqual(ours);
    });

    test('leave a Service alone that asks for another proxy', async () => {
      await change(programs.ours);
      expect((await rules()).filter((rule) => rule.includes('e2e/foreign'))).toEqual([]);
      const target = world().target(foreign, { kind: 'clusterIP' }, families[0] ?? 'IPv4');
      expect(await world().outcome('b', target, 'untouched')).toBe('untouched');
    });
  });
}
