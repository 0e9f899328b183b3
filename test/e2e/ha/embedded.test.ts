import { startEmbeddedArena } from './embedded-arena.ts';
import { haScenarios } from './scenarios.ts';

haScenarios('the embedded API server', startEmbeddedArena);
