import { beforeAll, describe, expect, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import type { Transport } from '../agent-protocol.ts';
import type { Draft } from '../cluster.ts';
import { MORE_SITUATIONS } from '../more-situations.ts';
import type { Outcome } from '../outcome.ts';
import { SITUATIONS, type Situation } from '../situations.ts';
import type { World } from '../world.ts';

interface Result {
  /** `client -> vip one, TCP` */
  what: string;
  outcome: Outcome;
}

/**
 * All situations exist at once, as Services of one cluster, and packets are sent in all of them at once: those who expect
 * silence have to wait for it, but then all together.
 */
export function describeSituations(world: () => World, family: IPFamily): void {
  const all = [...SITUATIONS, ...MORE_SITUATIONS].map((situation, i) => ({
    situation,
    draft: draftOf(situation, i + 1),
  }));
  const actual = new Map<Situation, Result[]>();

  describe('what becomes of packets', () => {
    beforeAll(async () => {
      await world().apply(
        all.map(({ draft }) => draft),
        family,
      );
      for (const silent of [false, true]) {
        await Promise.all(
          all.map(async ({ situation, draft }) => {
            const probed = await Promise.all(
              questions(situation)
                .filter(({ expected }) => (expected === 'dropped') === silent)
                .map(async ({ what, from, to, transport, expected }) => {
                  const target = world().target(draft, to, family, transport, from);
                  return { what, outcome: await world().outcome(from, target, expected) };
                }),
            );
            actual.set(situation, [...(actual.get(situation) ?? []), ...probed]);
          }),
        );
      }
    });

    test.each(all)('$situation.title', ({ situation }) => {
      const expected = questions(situation).map(({ what, expected }) => [what, expected]);
      const found = (actual.get(situation) ?? []).map(({ what, outcome }) => [what, outcome]);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    });
  });
}

function draftOf({ title: _title, rows: _rows, ...rest }: Situation, number: number): Draft {
  return { ...rest, number, name: `situation-${number}` };
}

function questions({ rows }: Situation) {
  return rows.flatMap(([from, to, expected]) =>
    (['TCP', 'UDP'] as const).flatMap((transport: Transport) => {
      // The wire has no way to answer a datagram in another's name.
      if (expected === 'untouched' && transport === 'UDP') return [];
      const where = 'node' in to ? `${to.kind} ${to.node}` : to.kind;
      return [{ what: `${from} -> ${where}, ${transport}`, from, to, transport, expected }];
    }),
  );
}
