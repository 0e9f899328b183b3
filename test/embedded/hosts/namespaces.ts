import { spawnSync } from 'node:child_process';
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

/**
 * What of our interfaces and rules stands in the machine's own network: always the same, for no run may touch it. Other
 * interfaces come and go as others work here.
 */
export function ownNetwork(): string[] {
  const lines = (command: string, ...args: string[]) => {
    const { stdout } = spawnSync(command, args, { encoding: 'utf8' });
    return (stdout ?? '').split('\n');
  };
  const links = lines('ip', '-oneline', 'link').filter((line) => /^\d+: (wire|node|veth)\d+[@:]/.test(line));
  const routes = lines('ip', 'route').filter((line) => /^(10\.244|172\.18\.0)\./.test(line));
  return [...links, ...routes, ...lines('iptables-save').filter((line) => line.includes('KUBE-'))];
}
