import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What a run of hosts could leave behind on this machine. */
export interface Traces {
  runDir: string;
  /** `pid:[4026532...]`, `net:[...]`, `mnt:[...]`: namespaces of the processes inside that are not our own. */
  namespaces: ReadonlySet<string>;
}

const KINDS = ['pid', 'net', 'mnt'];

/** Collects the namespaces of all processes below `unshare`, the supervisor's parent (process id as seen here). */
export function tracesOf(unshare: number, runDir: string): Traces {
  const inside = insidePidNamespace(unshare);
  const namespaces = new Set<string>();
  for (const pid of pids()) {
    if (inside === undefined || namespaceOf(pid, 'pid') !== inside) continue;
    for (const kind of KINDS) {
      const found = namespaceOf(pid, kind);
      if (found !== undefined && found !== namespaceOf('self', kind)) namespaces.add(found);
    }
  }
  return { runDir, namespaces };
}

/** One line for each thing that is still there: the directory, processes, mounts. */
export function leftovers(traces: Traces): string[] {
  const found: string[] = [];
  if (existsSync(traces.runDir)) found.push(`directory ${traces.runDir}`);
  for (const pid of pids()) {
    const namespace = KINDS.map((kind) => namespaceOf(pid, kind)).find((name) => name && traces.namespaces.has(name));
    if (namespace) found.push(`process ${pid} in ${namespace}`);
  }
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  found.push(...mounts.filter((line) => line.includes(` ${traces.runDir}`)).map((line) => `mount ${line}`));
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
    return ids.at(-1) === `${innerPid}` && namespaceOf(candidate, 'pid') === inside;
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
  return supervisor === undefined ? undefined : namespaceOf(`${supervisor}`, 'pid');
}

function pids(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function namespaceOf(pid: string, kind: string): string | undefined {
  return unlessGone(() => readlinkSync(`/proc/${pid}/ns/${kind}`));
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
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
