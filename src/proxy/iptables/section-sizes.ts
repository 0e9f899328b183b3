import type { IptablesBackend } from './backend.ts';
import type { Iptables } from './runner.ts';
import { planText, sectionLines, type WritePlan, type WriteSection } from './write-plan.ts';

/** How large the sections of one write may be. */
export interface SectionSizes {
  /** Lines of chains that one Service has; a Service that needs more is cut within. */
  readonly lines: number;
  /** Rules of a chain that all Services share. Infinity: such a chain is always written in one piece. */
  readonly dispatch: number;
}

/** What a write meets. */
export interface SectionConditions {
  /** Service chains of the table once all is written. */
  readonly chains: number;
  /** Packets get to the shared chains already. While they do not, these may be half written. */
  readonly reached: boolean;
  /** Most lines that the kernel takes in one section, as far as refusals have shown. */
  readonly cap: number;
}

/**
 * Sizes at which iptables-nft is fastest; measured with 1.8.9 on Linux 6.18. Two costs pull at them:
 * - iptables-restore keeps the names of all chains that a section speaks of in a sorted list and walks it for each line, so that a
 *   section takes time quadratic in its lines (33 s for 2,000 Services of 10 endpoints in one); a shared chain of 10,000 Services
 *   speaks of 10,000 names;
 * - the kernel walks all chains of the table at each COMMIT (20 ms for 110,000 that nothing jumps to), and when packets can reach
 *   the table, it also looks for loops along all jumps (60 ms at 22,000 chains).
 * Both together are least at a number of lines that grows with the root of the chains.
 * iptables-legacy copies the whole table at each COMMIT, so there one section is best.
 */
export function sectionSizes(backend: IptablesBackend, { chains, reached, cap }: SectionConditions): SectionSizes {
  if (backend === 'legacy') return { lines: Number.POSITIVE_INFINITY, dispatch: Number.POSITIVE_INFINITY };
  const best = reached ? Math.min(20_000, Math.sqrt(1_500 * chains)) : 7.5 * Math.sqrt(chains);
  return {
    lines: Math.min(cap, Math.max(SMALL_SECTION, Math.round(best))),
    // Where the kernel takes no more, a chain that is half there for a moment is better than one that never comes.
    dispatch: Math.min(cap, reached ? Number.POSITIVE_INFINITY : 1_000),
  };
}

const SMALL_SECTION = 1_500;

/** No kernel refuses as little as this. */
const SMALLEST_CAP = 50;

/**
 * The cap to go on with after the kernel found a section of this plan too large; undefined when there is nothing left to cut.
 * Without the right to raise its socket's buffer, as in a user namespace of one's own, iptables-nft can send
 * `net.core.wmem_default` bytes in one section: some 800 lines at 208 KiB.
 */
export function smallerCap(plan: WritePlan, cap: number): number | undefined {
  const largest = Math.max(...plan.map(sectionLines));
  const next = Math.floor(Math.min(largest, cap) / 2);
  return next < SMALLEST_CAP ? undefined : next;
}

/**
 * Lines for one process of iptables-nft-restore. What it allocates and frees for each section scatters its lists over its memory;
 * at 10,000 Services one process takes twice the CPU of thirty.
 */
const PROCESS_LINES = 12_500;

/** Commits the sections of a plan in order. @throws IptablesError; what stands before the refused section is in effect then */
export async function writePlan(iptables: Iptables, plan: WritePlan): Promise<void> {
  for (const part of inProcesses(plan, iptables.info.backend)) await iptables.restore(planText(part));
}

/** Deals the sections of a plan out, in order, to processes that run one after the other. */
export function inProcesses(plan: WritePlan, backend: IptablesBackend): WritePlan[] {
  if (backend === 'legacy') return plan.length === 0 ? [] : [plan];
  const processes: WriteSection[][] = [];
  let lines = Number.POSITIVE_INFINITY;
  for (const section of plan) {
    const more = sectionLines(section);
    if (lines + more > PROCESS_LINES) {
      processes.push([]);
      lines = 0;
    }
    processes.at(-1)?.push(section);
    lines += more;
  }
  return processes;
}
