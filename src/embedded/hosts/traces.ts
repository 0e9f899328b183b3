import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What a run of hosts could leave behind on this machine. A network namespace lives only as long as a process or a mount
 * holds it, so to look for those is enough; and unlike numbers of namespaces, which the kernel soon gives to others, process
 * ids with their start times and the name of the directory are nobody else's.
 */
export interface Traces {
  runDir: string;
  /** `PID@START` of the processes inside; the start in clock ticks since boot. */
  processes: ReadonlySet<string>;
}

/** Collects all processes below `unshare`, the supervisor's parent (process id as seen here), and that one. */
export function tracesOf(unshare: number, runDir: string): Traces {
  const inside = insidePidNamespace(unshare);
  const found = pids().filter((pid) => pid === `${unshare}` || (inside && pidNamespaceOf(pid) === inside));
  return { runDir, processes: new Set(found.flatMap((pid) => identityOf(pid) ?? [])) };
}

/** One line for each thing that is still there: the directory, processes, mounts. */
export function leftovers(traces: Traces): string[] {
  const found: string[] = [];
  if (existsSync(traces.runDir)) found.push(`directory ${traces.runDir}`);
  for (const pid of pids()) {
    const identity = identityOf(pid);
    if (identity !== undefined && traces.processes.has(identity)) found.push(`process ${pid}`);
    const mount = unlessGone(() => readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
    if (mount?.includes(` ${traces.runDir}/`)) found.push(`mount of process ${pid} below ${traces.runDir}`);
  }
  return found;
}

/** Gives the kernel up to `patienceMs` to finish; what is still there then. */
export async function settledLeftovers(traces: Traces, patienceMs = 10_000): Promise<string[]> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = leftovers(traces);
    if (found.length === 0 || performance.now() > deadline) return found;
    await delay(20);
  }
}

/** The process id by which this machine knows a process inside: the one to give to nsenter(1). */
export function outerPid(unshare: number, innerPid: number): number | undefined {
  const inside = insidePidNamespace(unshare);
  if (inside === undefined) return undefined;
  const pid = pids().find((candidate) => {
    const ids = statusField(candidate, 'NSpid')?.split(/\s+/) ?? [];
    return ids.at(-1) === `${innerPid}` && pidNamespaceOf(candidate) === inside;
  });
  return pid === undefined ? undefined : Number(pid);
}

/** The supervisor itself, as this machine knows it: its mount namespace is where the network namespaces have names. */
export function supervisorPid(unshare: number): number | undefined {
  const pid = pids().find((candidate) => statusField(candidate, 'PPid') === `${unshare}`);
  return pid === undefined ? undefined : Number(pid);
}

function insidePidNamespace(unshare: number): string | undefined {
  const supervisor = supervisorPid(unshare);
  return supervisor === undefined ? undefined : pidNamespaceOf(`${supervisor}`);
}

function pids(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function pidNamespaceOf(pid: string): string | undefined {
  return unlessGone(() => readlinkSync(`/proc/${pid}/ns/pid`));
}

function identityOf(pid: string): string | undefined {
  const stat = unlessGone(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field is the command in parentheses and may hold anything; the start time is the 22nd.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie holds nothing any more; whoever started it has only not looked yet.
  return fields && fields[0] !== 'Z' ? `${pid}@${fields[19]}` : undefined;
}

function statusField(pid: string, field: string): string | undefined {
  const status = unlessGone(() => readFileSync(`/proc/${pid}/status`, 'utf8'));
  return status && new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1];
}

/** Processes end while they are looked at, and those of other users may not be looked at: neither is one of ours. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM' || code === 'EINVAL')
      return undefined;
    throw error;
  }
}
