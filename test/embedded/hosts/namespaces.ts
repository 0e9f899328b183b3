import { execFileSync, spawnSync } from 'node:child_process';
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
