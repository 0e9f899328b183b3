import { it } from 'vitest';
import { startRealArena } from './real-arena.ts';
import { haScenarios } from './scenarios.ts';

const assets = process.env.KUBEBUILDER_ASSETS;
if (assets) haScenarios('a real API server', () => startRealArena(assets));
else {
  console.log('SKIPPED: high availability on a real API server, because KUBEBUILDER_ASSETS is not set');
  it.skip('three replicas under churn, on a real API server', () => undefined);
}
