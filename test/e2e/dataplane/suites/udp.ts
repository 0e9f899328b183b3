import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import type { Reply } from '../agent-protocol.ts';
import type { Draft } from '../cluster.ts';
import type { Place } from '../places.ts';
import type { Destination, World } from '../world.ts';

const dns: Draft = {
  name: 'dns',
  number: 1,
  endpoints: ['a', 'c'],
  nodePort: true,
  vips: ['one', 'bare'],
  externalIPs: ['one'],
};
const onlyC: Draft = { ...dns, endpoints: ['c'] };
const terminating = { ready: false, serving: true, terminating: true };

/** As many flows as it takes to have some at each of two endpoints for certain. */
const FLOWS = 36;
const SILENCE_MS = 700;

const WAYS: { what: string; from: Place; to: Destination }[] = [
  { what: 'from a Pod to the cluster IP', from: 'd', to: { kind: 'clusterIP' } },
  { what: 'from a node to the cluster IP', from: 'bare', to: { kind: 'clusterIP' } },
  { what: 'from outside to the node port', from: 'client', to: { kind: 'nodePort', node: 'bare' } },
  { what: 'from outside to the load balancer', from: 'client', to: { kind: 'vip', node: 'one' } },
  { what: 'from outside to an external IP', from: 'client', to: { kind: 'externalIP', node: 'one' } },
];

/** A UDP flow is a socket that sends again and again: connection tracking knows it, and rules no longer see its packets. */
export function describeUdpFlows(world: () => World, family: IPFamily): void {
  const held: { place: Place; key: string }[] = [];

  async function flow(from: Place, to: Destination, draft = dns, limitMs = 10_000) {
    const key = `udp-${held.length}`;
    held.push({ place: from, key });
    const target = world().target(draft, to, family, 'UDP', from);
    const first = who(await world().probe(from).run('hold', { key, target, limitMs }));
    const next = async (limit = 10_000) => who(await world().probe(from).run('talk', { key, limitMs: limit }));
    return { first, next };
  }
  /** One flow on each way. */
  const everyWay = () => Promise.all(WAYS.map(async ({ what, from, to }) => ({ what, ...(await flow(from, to)) })));
  const answers = async (all: Awaited<ReturnType<typeof everyWay>>, limitMs?: number) =>
    Object.fromEntries(await Promise.all(all.map(async ({ what, next }) => [what, await next(limitMs)] as const)));
  const same = (answer: string) => Object.fromEntries(WAYS.map(({ what }) => [what, answer]));
  const flows = (from: Place, to: Destination) => Promise.all(Array.from({ length: FLOWS }, () => flow(from, to)));

  describe('UDP flows', () => {
    beforeEach(() => world().apply([dns], family));
    afterEach(async () => {
      await Promise.all(held.splice(0).map(({ place, key }) => world().probe(place).run('release', { key })));
      await world().forgetFlows();
    });

    test.each(WAYS)('$what move when their endpoint goes, and stay when another one does', async ({ from, to }) => {
      const all = await flows(from, to);
      expect([...new Set(all.map(({ first }) => first))].sort()).toEqual(['a', 'c']);
      expect(await Promise.all(all.map(({ next }) => next()))).toEqual(all.map(({ first }) => first));
      await world().apply([onlyC], family);
      expect(await Promise.all(all.map(({ next }) => next()))).toEqual(all.map(() => 'c'));
      await world().apply([dns], family);
      expect(await Promise.all(all.map(({ next }) => next()))).toEqual(all.map(() => 'c'));
    });

    test('stay at an endpoint that terminates but still serves, while new ones go elsewhere', async () => {
      const all = await flows('d', { kind: 'clusterIP' });
      await world().apply([{ ...dns, endpoints: [{ at: 'a', conditions: terminating }, 'c'] }], family);
      expect(await Promise.all(all.map(({ next }) => next()))).toEqual(all.map(({ first }) => first));
      expect((await flows('d', { kind: 'clusterIP' })).map(({ first }) => first)).toEqual(all.map(() => 'c'));
    });

    test('are refused once the last endpoint is gone, and find the next one', async () => {
      const all = await everyWay();
      await world().apply([{ ...dns, endpoints: [] }], family);
      expect(await answers(all)).toEqual(same('ECONNREFUSED'));
      await world().apply([onlyC], family);
      expect(await answers(all)).toEqual(same('c'));
    });

    test('get no answer any more once the Service is gone', async () => {
      const all = await everyWay();
      await world().apply([], family);
      // A node port is then like any other port of the node that nobody listens on.
      const expected = { ...same('SILENCE'), 'from outside to the node port': 'ECONNREFUSED' };
      expect(await answers(all, SILENCE_MS)).toEqual(expected);
    });

    test('that were sent before there was a Service find it once it is there', async () => {
      await world().apply([], family);
      const { first, next } = await flow('d', { kind: 'clusterIP' }, dns, SILENCE_MS);
      expect(first).toBe('SILENCE');
      await world().apply([dns], family);
      expect(['a', 'c']).toContain(await next());
    });

    test('of one Service are left alone when another one changes', async () => {
      const other: Draft = { name: 'other', number: 2, endpoints: ['a', 'c'] };
      await world().apply([dns, other], family);
      const all = await flows('d', { kind: 'clusterIP' });
      const { first } = await flow('d', { kind: 'clusterIP' }, other);
      expect(['a', 'c']).toContain(first);
      await world().apply([dns, { ...other, endpoints: ['b'] }], family);
      expect(await Promise.all(all.map(({ next }) => next()))).toEqual(all.map(({ first }) => first));
    });
  });
}

function who(reply: Reply): string {
  return 'by' in reply ? reply.by : reply.code;
}
