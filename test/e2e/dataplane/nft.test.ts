import { describe } from 'vitest';
import { describeBackend } from './backends.ts';
import { describeSettings } from './suites/settings.ts';
import { describeSituations } from './suites/situations.ts';

await describeBackend('nft', (world, families) => {
  describe.each(families)('%s', (family) => {
    describeSituations(world, family);
    describeSettings(world, family);
  });
});
