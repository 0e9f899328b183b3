import type { Logger } from '../observe/logger.ts';
import type { NfacctCounters } from './config-types.ts';
import { type Exec, ExecError } from './exec.ts';
import { type Iptables, IptablesError } from './iptables/runner.ts';
import type { NfacctPackets } from './metrics.ts';

/** The kernel's names of the two counters, as kube-proxy has them. They outlive the proxier, as there. */
const NAMES: Readonly<Record<keyof NfacctCounters, string>> = {
  ctStateInvalidDropped: 'ct_state_invalid_dropped_pkts',
  localhostNodePortsAccepted: 'localhost_nps_accepted_pkts',
};

const KEYS = ['ctStateInvalidDropped', 'localhostNodePortsAccepted'] as const;

/** Packet counters of one network namespace that rules of any family can name. */
export interface Nfacct {
  /** Packets by name of the counter. @throws NfacctError */
  read(): Promise<ReadonlyMap<string, number>>;
  /** Makes a counter. @throws NfacctError, also when it is there already */
  add(name: string): Promise<void>;
}

/** The program is missing, or the kernel has no such counters, or forbids them. */
export class NfacctError extends Error {
  override readonly name = 'NfacctError';
}

const TIMEOUT_MS = 10_000;

/** Through the program of Debian's package of that name: netlink, which kube-proxy uses, is out of reach for Node. */
export class NfacctProgram implements Nfacct {
  readonly #exec: Exec;

  constructor(exec: Exec) {
    this.#exec = exec;
  }

  async read(): Promise<ReadonlyMap<string, number>> {
    const text = await this.#run(['list', 'json']);
    const counters = text.matchAll(/"pkts"\s*:\s*(\d+)\s*,[^{}]*"name"\s*:\s*"([^"]*)"/g);
    return new Map(Array.from(counters, ([, packets, name = '']) => [name, Number(packets)]));
  }

  async add(name: string): Promise<void> {
    await this.#run(['add', name]);
  }

  async #run(args: string[]): Promise<string> {
    try {
      const { exitCode, stdout, stderr } = await this.#exec({ command: 'nfacct', args, timeoutMs: TIMEOUT_MS });
      if (exitCode !== 0) throw new NfacctError(`nfacct ${args[0]} ended with status ${exitCode}: ${stderr.trim()}`);
      return stdout;
    } catch (error) {
      if (error instanceof ExecError) throw new NfacctError(error.message, { cause: error });
      throw error;
    }
  }
}

/**
 * Makes the counters that are missing. Never throws for what the machine lacks: rules are written without counters then, as in
 * kube-proxy. @returns what is there; undefined where there can be no counters
 */
export async function ensureCounters(nfacct: Nfacct, log: Logger): Promise<NfacctCounters | undefined> {
  try {
    const before = await nfacct.read();
    for (const key of KEYS) if (!before.has(NAMES[key])) await nfacct.add(NAMES[key]);
    const present = await nfacct.read();
    return {
      ctStateInvalidDropped: present.has(NAMES.ctStateInvalidDropped),
      localhostNodePortsAccepted: present.has(NAMES.localhostNodePortsAccepted),
    };
  } catch (error) {
    if (!(error instanceof NfacctError)) throw error;
    log.debug({ err: error.message }, 'no nfacct counters');
    return undefined;
  }
}

/** Made for a moment to see whether rules can name a counter, in this family and with this iptables. */
export const NFACCT_PROBE_CHAIN = 'KUBE-PROXY-NFACCT-PROBE';

/** The counters that rules of this family may name: a rule that names another would make the kernel refuse all of them. */
export async function usableCounters(
  iptables: Iptables,
  present: NfacctCounters | undefined,
  log: Logger,
): Promise<NfacctCounters> {
  const named = KEYS.filter((key) => present?.[key]);
  const chain = NFACCT_PROBE_CHAIN;
  const rules = named.map((key) => `-A ${chain} -m nfacct --nfacct-name ${NAMES[key]}\n`);
  if (present === undefined || named.length === 0) return NO_COUNTERS;
  try {
    // Filled and emptied in one section, iptables-nft would not ask the kernel.
    const [fill, remove] = [rules.join(''), `-X ${chain}\n`];
    await iptables.restore([fill, remove].map((lines) => `*filter\n:${chain} - [0:0]\n${lines}COMMIT\n`));
    return present;
  } catch (error) {
    if (!(error instanceof IptablesError)) throw error;
    log.info({ family: iptables.family, err: error.message }, 'iptables cannot count with nfacct');
    return NO_COUNTERS;
  }
}

/** Reads what the counters stand at, once for all who ask at the same time; none where they cannot be read. */
export function counterReader(nfacct: Nfacct): () => Promise<NfacctPackets> {
  let reading: Promise<NfacctPackets> | undefined;
  return () => {
    reading ??= readCounters(nfacct).finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

async function readCounters(nfacct: Nfacct): Promise<NfacctPackets> {
  try {
    const packets = await nfacct.read();
    const [dropped, accepted] = KEYS.map((key) => packets.get(NAMES[key]));
    return {
      ...(dropped !== undefined && { ctStateInvalidDropped: dropped }),
      ...(accepted !== undefined && { localhostNodePortsAccepted: accepted }),
    };
  } catch (error) {
    if (!(error instanceof NfacctError)) throw error;
    return {};
  }
}

export const NO_COUNTERS: NfacctCounters = { ctStateInvalidDropped: false, localhostNodePortsAccepted: false };
