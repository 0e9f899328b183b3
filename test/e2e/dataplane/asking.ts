import { expect } from 'vitest';
import type { IPFamily } from '../../../src/objects/meta.ts';
import type { Transport } from './agent-protocol.ts';
import type { Draft } from './cluster.ts';
import type { Outcome } from './outcome.ts';
import type { Situation } from './situations.ts';
import type { World } from './world.ts';

/** Situations as Services of one cluster, what was found out about them, and what should have been. */
export class Questionnaire {
  readonly situations: readonly Situation[];
  readonly drafts: readonly Draft[];
  readonly #family: IPFamily;
  /** By situation, then by question: `client -> vip one, TCP`. */
  readonly #outcomes = new Map<Situation, Map<string, Outcome>>();

  constructor(situations: readonly Situation[], family: IPFamily) {
    this.situations = situations.filter((situation) => situation.family === undefined || situation.family === family);
    this.#family = family;
    this.drafts = this.situations.map(({ title: _title, rows: _rows, family: _family, ...draft }, index) => ({
      ...draft,
      number: index + 1,
      name: `situation-${index + 1}`,
    }));
  }

  /** Makes the situations real, and asks everything at once; those who expect silence wait for it afterwards, together. */
  async ask(world: World): Promise<void> {
    await world.apply(this.drafts, this.#family);
    for (const silent of [false, true]) {
      await Promise.all(
        this.situations.map(async (situation, index) => {
          const draft = this.drafts[index];
          if (draft) await this.#askOne(world, situation, draft, silent);
        }),
      );
    }
    // Taking these Services away would delete their hundreds of UDP flows with a process for each.
    await world.forgetFlows();
  }

  judge(situation: Situation): void {
    const expected = questions(situation).map(({ what, expected }) => [what, expected]);
    expect(Object.fromEntries(this.#outcomes.get(situation) ?? [])).toEqual(Object.fromEntries(expected));
  }

  async #askOne(world: World, situation: Situation, draft: Draft, silent: boolean): Promise<void> {
    const outcomes = this.#outcomes.get(situation) ?? new Map<string, Outcome>();
    this.#outcomes.set(situation, outcomes);
    const due = questions(situation).filter(({ expected }) => (expected === 'dropped') === silent);
    await Promise.all(
      due.map(async ({ what, from, to, transport, expected }) => {
        const target = world.target(draft, to, this.#family, transport, from);
        outcomes.set(what, await world.outcome(from, target, expected));
      }),
    );
  }
}

function questions({ rows }: Situation) {
  return rows.flatMap(([from, to, expected]) =>
    (['TCP', 'UDP'] as const).flatMap((transport: Transport) => {
      // The wire has no way to answer a datagram in another's name.
      if (expected === 'untouched' && transport === 'UDP') return [];
      const details = Object.entries(to).map(([key, value]) => (key === 'kind' ? value : JSON.stringify(value)));
      return [{ what: `${from} -> ${details.join(' ')}, ${transport}`, from, to, transport, expected }];
    }),
  );
}
