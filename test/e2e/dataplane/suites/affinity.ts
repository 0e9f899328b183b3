import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import type { Transport } from '../agent-protocol.ts';
import type { Draft } from '../cluster.ts';
import { answersByClient } from '../crowd.ts';
import { NODES, type PodName } from '../places.ts';
import type { Destination, World } from '../world.ts';

const clusterIP: Destination = { kind: 'clusterIP' };
const SHORT_SECONDS = 1;

function sticky(name: string, number: number, timeoutSeconds: number): Draft {
  return {
    name,
    number,
    endpoints: ['a', 'b', 'c', 'd'],
    vips: ['one'],
    nodePort: true,
    spec: { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds } } },
  };
}

const long = sticky('long', 1, 10_800);
const short = sticky('short', 2, SHORT_SECONDS);
const free: Draft = { ...long, name: 'free', number: 3, spec: {} };

/** Forty clients, so that "all chose the same again" is never mere luck: 1 in 4 to the 40th. */
export function describeAffinity(world: () => World, family: IPFamily): void {
  const round = (draft: Draft, to = clusterIP, transport: Transport = 'TCP') =>
    answersByClient(world(), draft, to, family, transport);
  const drafts = [long, short, free];

  describe('session affinity', () => {
    beforeEach(() => world().apply(drafts, family));

    test('a client stays with its endpoint, by whatever address of the Service it comes', async () => {
      const first = await round(long);
      expect([...new Set(Object.values(first))].sort()).toEqual(['a', 'b', 'c', 'd']);
      expect(await round(long)).toEqual(first);
      expect(await round(long, { kind: 'nodePort', node: 'one' })).toEqual(first);
      expect(await round(long, { kind: 'vip', node: 'one' })).toEqual(first);
    });

    test('without it, clients do not stay', async () => {
      expect(await round(free)).not.toEqual(await round(free));
    });

    test('each port of a Service has an affinity of its own', async () => {
      const tcp = await round(long);
      const udp = await round(long, clusterIP, 'UDP');
      expect(udp).not.toEqual(tcp);
      expect(await round(long, clusterIP, 'UDP')).toEqual(udp);
      await world().forgetFlows();
      expect(await round(long, clusterIP, 'UDP')).toEqual(udp);
      expect(await round(long)).toEqual(tcp);
    });

    test('it outlives writes of the same rules, and other Services that come and go', async () => {
      const first = await round(long);
      const one = world().pipeline('one', family);
      await one.writeAsKubeProxy();
      expect(await round(long)).toEqual(first);
      await one.fullSync();
      await world().apply([...drafts, { name: 'another', number: 9, endpoints: ['a'] }], family);
      await world().apply(drafts, family);
      expect(await round(long)).toEqual(first);
    });

    test('when an endpoint goes, its clients move and the others stay', async () => {
      const first = await round(long);
      const endpoints: PodName[] = ['a', 'b', 'd'];
      await world().apply([{ ...long, endpoints }, short, free], family);
      const second = await round(long);
      const stayed = Object.entries(first).filter(([, by]) => by !== 'c');
      expect(second).toMatchObject(Object.fromEntries(stayed));
      expect(Object.values(second)).not.toContain('c');
      expect(await round(long)).toEqual(second);
    });

    test('it expires when a client has been away for timeoutSeconds', async () => {
      const first = await round(short);
      // The kernel's own clock is what is tested; nothing tells of the moment when an entry counts as old.
      await delay(SHORT_SECONDS * 1000 + 200);
      expect(await round(short)).not.toEqual(first);
    });

    test('the rules of every node keep to it', async () => {
      const from = world().probe('d');
      const target = world().target(long, clusterIP, family);
      const tally = await from.run('ask', { target, count: 40, parallel: 4, limitMs: 10_000 });
      expect(tally).toHaveLength(1);
      expect(NODES.map((node) => world().pipeline(node, family).state.servicePorts.size)).toEqual([6, 6, 6]);
    });
  });
}
