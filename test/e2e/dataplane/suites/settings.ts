import { afterAll, describe, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import { Questionnaire } from '../asking.ts';
import { SETTINGS } from '../settings.ts';
import type { World } from '../world.ts';

/** What the proxier's configuration changes for packets. */
export function describeSettings(world: () => World, family: IPFamily): void {
  describe.each(SETTINGS)('$title', ({ change, situations }) => {
    const questionnaire = new Questionnaire(situations, family);
    afterAll(() => world().configure(family, () => ({})));

    test(questionnaire.situations.map(({ title }) => title).join('; '), async () => {
      await world().configure(family, change);
      await questionnaire.ask(world());
      for (const situation of questionnaire.situations) questionnaire.judge(situation);
    });
  });
}
