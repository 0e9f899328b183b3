import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { checkPrerequisites } from '../../../src/embedded/hosts/prerequisites.ts';
import { planTopology } from '../../../src/embedded/hosts/topology.ts';

export const ability = checkPrerequisites();
if (!ability.able) console.log(`SKIPPED, real hosts cannot be made here: ${ability.reason}. ${ability.remedy}`);

/** Command prefix that runs the rest as a plain user. */
export const asPlainUser =
  process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];

export const rootlessAble = ability.able && canRunRootless();
if (ability.able && !rootlessAble)
  console.log('SKIPPED, rootless hosts: plain users may not make user namespaces here');

function canRunRootless(): boolean {
  const [file = '', ...args] = [...asPlainUser, 'unshare', '--user', '--map-root-user', '--mount', '--net'];
  return spawnSync(file, [...args, 'mount', '-t', 'tmpfs', 'probe', '/tmp']).status === 0;
}

export const topology = planTopology([
  { name: 'control', zone: 'zone-a', controlPlane: true },
  { name: 'worker1', zone: 'zone-a' },
  { name: 'worker2', zone: 'zone-b' },
]);

/** What a run of hosts could leave behind on this machine. */
export interface Traces {
  runDir: string;
  /** `pid:[4026532...]`, `net:[...]`, `mnt:[...]` of every process inside. */
  namespaces: Set<string>;
}

function link(pid: string, kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined; // The process ended meanwhile.
  }
}

function pids(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function parentOf(pid: string): number {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

/** Collects the namespaces of all processes below `unshare` (process id as seen outside). */
export function tracesOf(unshare: number, runDir: string): Traces {
  const supervisor = pids().find((pid) => parentOf(pid) === unshare);
  const inside = supervisor && link(supervisor, 'pid');
  const namespaces = new Set<string>();
  for (const pid of pids()) {
    if (inside === undefined || link(pid, 'pid') !== inside) continue;
    for (const kind of ['pid', 'net', 'mnt']) {
      const found = link(pid, kind);
      if (found !== undefined && found !== link('self', kind)) namespaces.add(found);
    }
  }
  return { runDir, namespaces };
}

export function leftovers(traces: Traces): string[] {
  const found: string[] = [];
  if (existsSync(traces.runDir)) found.push(traces.runDir);
  for (const pid of pids()) {
    for (const kind of ['pid', 'net', 'mnt']) {
      const namespace = link(pid, kind);
      if (namespace && traces.namespaces.has(namespace)) found.push(`process ${pid} in ${namespace}`);
    }
  }
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  found.push(...mounts.filter((line) => line.includes(traces.runDir)));
  return found;
}

/** Waits until nothing is left; what is still there after 10 s otherwise. */
export async function settledLeftovers(traces: Traces): Promise<string[]> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = leftovers(traces);
    if (found.length === 0 || performance.now() > deadline) return found;
    await delay(20);
  }
}

/** Interfaces and rules of the machine's own network, which no run may touch. */
export function ownNetwork(): string {
  const run = (command: string, ...args: string[]) => {
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch (error) {
      return `${command} failed: ${error instanceof Error && 'status' in error ? error.status : error}`;
    }
  };
  const rules = run('iptables-save')
    .replace(/^#.*$/gm, '')
    .replace(/\[\d+:\d+\]/g, '');
  return [run('ip', '-oneline', 'link'), run('ip', 'route'), rules, run('ip', 'netns', 'list')].join('\n');
}
