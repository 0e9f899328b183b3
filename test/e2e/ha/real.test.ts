import { describe } from 'vitest';
import { startRealArena } from './real-arena.ts';
import { haScenarios } from './scenarios.ts';

const assets = process.env.KUBEBUILDER_ASSETS;
if (!assets) console.log('SKIPPED: high availability on a real API server, because KUBEBUILDER_ASSETS is not set');

describe.skipIf(!assets)('high availability', () => {
  haScenarios('a real API server', () => startRealArena(assets ?? ''));
});
