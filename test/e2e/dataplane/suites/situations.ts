import { beforeAll, describe, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import { Questionnaire } from '../asking.ts';
import { MORE_SITUATIONS } from '../more-situations.ts';
import { SITUATIONS } from '../situations.ts';
import type { World } from '../world.ts';

/** All situations exist at once, as Services of one cluster. */
export function describeSituations(world: () => World, family: IPFamily): void {
  const questionnaire = new Questionnaire([...SITUATIONS, ...MORE_SITUATIONS], family);
  describe('what becomes of packets', () => {
    beforeAll(() => questionnaire.ask(world()));

    test.each(questionnaire.situations)('$title', (situation) => questionnaire.judge(situation));
  });
}
