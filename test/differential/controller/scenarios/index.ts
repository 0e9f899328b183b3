import type { Scenario } from '../scenario.ts';
import { ADDRESSES } from './addresses.ts';
import { BY_HAND } from './by-hand.ts';
import { AUTO, DISTRIBUTION } from './hints.ts';
import { PACKING, SCALING } from './packing.ts';
import { PODS } from './pods.ts';
import { PORTS } from './ports.ts';
import { SERVICES } from './services.ts';

export { ALONE } from './alone.ts';
export { AUTO } from './hints.ts';
export { RANDOM } from './random.ts';

/** Played next to each other, with the controllers as they come. */
export const PLAIN: readonly Scenario[] = [
  ...PODS,
  ...SERVICES,
  ...ADDRESSES,
  ...PORTS,
  ...BY_HAND,
  ...DISTRIBUTION,
  ...AUTO,
  ...SCALING,
];

/** Played next to each other, with `--max-endpoints-per-slice=4`. */
export const SMALL_SLICES: readonly Scenario[] = PACKING;
