import { afterAll, beforeAll, describe } from 'vitest';
import { type Ability, checkPrerequisites } from '../../../src/embedded/hosts/prerequisites.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import { binaryNames, type IptablesBackend } from '../../../src/proxy/iptables/backend.ts';
import { createKernelLab } from '../../support/kernel-lab.ts';
import { World } from './world.ts';

/** Families of one backend whose rules this kernel takes; what it does not take is named on the console. */
async function usableFamilies(backend: IptablesBackend): Promise<IPFamily[]> {
  const lab = await createKernelLab();
  try {
    const usable: IPFamily[] = [];
    for (const family of ['IPv4', 'IPv6'] as const) {
      try {
        await lab.run('conntrack', '--version');
        await lab.run(binaryNames(family, backend).command, '-t', 'nat', '-A', 'POSTROUTING', '-j', 'MASQUERADE');
        usable.push(family);
      } catch (error) {
        console.log(`SKIPPED, packets of ${family} through iptables-${backend}: ${error}`);
      }
    }
    return usable;
  } finally {
    await lab.dispose();
  }
}

/** nf_tables commits of more than net.core.wmem_max bytes take rights on the machine, not only in a namespace. */
function limits(backend: IptablesBackend, ability: Ability): string | undefined {
  const rootless = ability.able && ability.unshare.includes('--user');
  return rootless && backend === 'nft' ? 'without root the kernel takes small transactions only' : undefined;
}

/**
 * Defines the tests of one backend around one world, or says loudly what this machine lacks.
 *
 * @param missing what else these tests need and do not have
 */
export async function describeBackend(
  backend: IptablesBackend,
  define: (world: () => World, families: readonly IPFamily[]) => void,
  missing?: string,
): Promise<void> {
  const ability = checkPrerequisites();
  const reason =
    missing ?? (ability.able ? undefined : `${ability.reason}. ${ability.remedy}`) ?? limits(backend, ability);
  if (reason !== undefined) console.log(`SKIPPED, packets through iptables-${backend}: ${reason}`);
  const families = reason === undefined ? await usableFamilies(backend) : [];
  describe.skipIf(families.length === 0)(`packets through iptables-${backend}`, () => {
    let world: World | undefined;
    beforeAll(async () => {
      if (ability.able) world = await World.start(backend, ability, families);
    });
    afterAll(async () => {
      await world?.stop();
    });
    define(
      () => {
        if (!world) throw new Error('the world has not started');
        return world;
      },
      families.length > 0 ? families : ['IPv4'],
    );
  });
}
