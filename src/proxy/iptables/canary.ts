import { type AnyTable, type Iptables, IptablesError } from './runner.ts';

/**
 * An empty chain in three tables that nobody has a reason to delete: when it is gone, someone has flushed the table. kube-proxy
 * uses the same one, so that either can take over from the other.
 */
export const CANARY_CHAIN = 'KUBE-PROXY-CANARY';

export const CANARY_TABLES: readonly AnyTable[] = ['mangle', 'nat', 'filter'];

/** @throws IptablesError */
export async function createCanaries(iptables: Iptables): Promise<void> {
  await iptables.restore(CANARY_TABLES.map((table) => `*${table}\n:${CANARY_CHAIN} - [0:0]\nCOMMIT\n`));
}

/**
 * Whether the canary is in the table; undefined when iptables could not tell, because of the lock or lack of resources. Then
 * nothing may be concluded (kubernetes/kubernetes#83402).
 */
export async function canaryIsAlive(iptables: Iptables, table: AnyTable): Promise<boolean | undefined> {
  try {
    await iptables.command(['-S', CANARY_CHAIN, '-t', table]);
    return true;
  } catch (error) {
    if (!(error instanceof IptablesError)) throw error;
    return error.isResourceProblem ? undefined : false;
  }
}
