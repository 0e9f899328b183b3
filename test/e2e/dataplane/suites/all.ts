import { describe } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import type { World } from '../world.ts';
import { describeAffinity } from './affinity.ts';
import { describeConnections } from './connections.ts';
import { describeNodes } from './nodes.ts';
import { describeSettings } from './settings.ts';
import { describeShare } from './share.ts';
import { describeSituations } from './situations.ts';
import { describeUdpFlows } from './udp.ts';

/** Everything that is proven with packets, in one world. */
export function describePackets(world: () => World, families: readonly IPFamily[]): void {
  describe.each(families)('%s', (family) => {
    describeSituations(world, family);
    describeSettings(world, family);
    describeNodes(world, family);
    describeShare(world, family);
    describeAffinity(world, family);
    describeUdpFlows(world, family);
    describeConnections(world, family);
  });
}
