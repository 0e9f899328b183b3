import { type Exec, ExecError } from './exec.ts';

/** kube-proxy's table in mode nftables, one for each family. */
const TABLES: readonly (readonly [family: 'ip' | 'ip6', table: string])[] = [
  ['ip', 'kube-proxy'],
  ['ip6', 'kube-proxy'],
];
const TIMEOUT_MS = 30_000;

export interface NftablesLeftovers {
  /** `ip kube-proxy` */
  readonly removed: readonly string[];
  /** One line for each table that is there and could not be deleted. */
  readonly problems: readonly string[];
}

/**
 * Deletes what a kube-proxy in mode nftables left on this node: its rules would go on sending packets to the endpoints of that time,
 * whatever ours say. Without the program `nft` nothing happens, upstream as here.
 */
export async function removeNftablesLeftovers(exec: Exec): Promise<NftablesLeftovers> {
  const removed: string[] = [];
  const problems: string[] = [];
  for (const [family, table] of TABLES) {
    const problem = await deleteTable(exec, family, table);
    if (problem === undefined) removed.push(`${family} ${table}`);
    else if (problem !== '') problems.push(`nftables table ${family} ${table} could not be deleted: ${problem}`);
  }
  return { removed, problems };
}

/** @returns undefined: deleted; empty: there is none; else why it could not be deleted */
async function deleteTable(exec: Exec, family: string, table: string): Promise<string | undefined> {
  try {
    const args = ['delete', 'table', family, table];
    const { exitCode, stderr } = await exec({ command: 'nft', args, timeoutMs: TIMEOUT_MS });
    if (exitCode === 0) return undefined;
    return /No such file or directory/.test(stderr) ? '' : (stderr.trim().split('\n')[0] ?? '');
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    return error.code === 'NOT_FOUND' ? '' : error.message;
  }
}
