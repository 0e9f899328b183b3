import type { IPFamily } from '../objects/meta.ts';
import type { Logger } from '../observe/logger.ts';
import { UserError } from '../user-error.ts';
import type { Exec } from './exec.ts';
import type { FamilySupportInputs } from './ip-families.ts';
import { cleanupRules } from './iptables/cleanup.ts';
import type { Iptables } from './iptables/runner.ts';
import { removeNftablesLeftovers } from './nftables-leftovers.ts';

/**
 * `--cleanup`: removes the rules of every family that the machine can do, and what a kube-proxy in mode nftables left.
 * @throws UserError naming what had to stay
 */
export async function removeRules(
  iptables: Readonly<Record<IPFamily, Iptables>>,
  { exec, support, logger }: { exec: Exec; support: Pick<FamilySupportInputs, 'iptablesProblem'>; logger: Logger },
): Promise<void> {
  const left: string[] = [];
  for (const family of ['IPv4', 'IPv6'] as const) {
    if (support.iptablesProblem[family] !== undefined) continue;
    const report = await cleanupRules(iptables[family]);
    left.push(...report.left);
    logger.info({ family, chains: report.chainsRemoved, jumps: report.jumpsRemoved }, 'rules removed');
  }
  const nftables = await removeNftablesLeftovers(exec);
  if (nftables.removed.length > 0) logger.info({ tables: nftables.removed }, 'nftables tables removed');
  const stayed = [...nftables.problems];
  if (left.length > 0)
    stayed.push(`some chains could only be emptied, because foreign rules jump to them: ${left.join(', ')}`);
  if (stayed.length > 0) throw new UserError(stayed.join('; '));
}
