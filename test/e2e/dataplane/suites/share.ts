import { beforeAll, describe, expect, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import type { Transport } from '../agent-protocol.ts';
import { looksEven } from '../chi-square.ts';
import type { Draft } from '../cluster.ts';
import type { Place } from '../places.ts';
import type { Destination, World } from '../world.ts';

const CONNECTIONS = 600;

const spread: Draft = { name: 'spread', number: 1, endpoints: ['a', 'b', 'c', 'd'], nodePort: true };
const local: Draft = { ...spread, name: 'local', number: 2, vips: ['one'], spec: { externalTrafficPolicy: 'Local' } };
const large: Draft = { name: 'large', number: 3, endpoints: ['a', 'b', 'c', 'd', 'one', 'two'] };

const CASES: { what: string; draft: Draft; from: Place; to: Destination; transport: Transport; over: string[] }[] = [
  { what: 'a ClusterIP', draft: spread, from: 'd', to: { kind: 'clusterIP' }, transport: 'TCP', over: [...'abcd'] },
  {
    what: 'six',
    draft: large,
    from: 'b',
    to: { kind: 'clusterIP' },
    transport: 'TCP',
    over: [...'abcd', 'one', 'two'],
  },
  { what: 'UDP', draft: spread, from: 'd', to: { kind: 'clusterIP' }, transport: 'UDP', over: [...'abcd'] },
  {
    what: 'a NodePort',
    draft: spread,
    from: 'client',
    to: { kind: 'nodePort', node: 'bare' },
    transport: 'TCP',
    over: [...'abcd'],
  },
  {
    what: 'the endpoints here, policy Local',
    draft: local,
    from: 'client',
    to: { kind: 'vip', node: 'one' },
    transport: 'TCP',
    over: [...'ab'],
  },
];

/** A wrong share fails for certain, a right one fails once in a million runs. */
export function describeShare(world: () => World, family: IPFamily): void {
  describe('every endpoint gets the same share of new connections', () => {
    beforeAll(() => world().apply([spread, local, large], family));

    test.each(CASES)('$what', async ({ draft, from, to, transport, over }) => {
      const target = world().target(draft, to, family, transport, from);
      const ask = { target, count: CONNECTIONS, parallel: 16, limitMs: 10_000 };
      const counts: Record<string, number> = {};
      for (const { reply, count } of await world().probe(from).run('ask', ask)) {
        const who = 'by' in reply ? reply.by : reply.code;
        counts[who] = (counts[who] ?? 0) + count;
      }
      expect(Object.keys(counts).sort()).toEqual(over);
      expect(looksEven(Object.values(counts)), JSON.stringify(counts)).toBe(true);
    });
  });
}
