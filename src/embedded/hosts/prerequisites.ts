import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether network namespaces can be had here, and how; or, in one line for a person, why not. */
export type Ability =
  | { able: true; unshare: string[] }
  | { able: false; reason: string; aptPackages: string[]; remedy: string };

/** Directories that a plain user's PATH on Debian lacks, where `ip` and `iptables` are. */
const ADMIN_PATH = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

/** PATH with the administrator's directories added. */
export function adminPath(path = process.env.PATH ?? ''): string {
  const parts = path.split(delimiter).filter((part) => part !== '');
  return [...parts, ...ADMIN_PATH.filter((part) => !parts.includes(part))].join(delimiter);
}

/** Command -> Debian package that has it. */
const COMMANDS: Record<string, string> = {
  ip: 'iproute2',
  iptables: 'iptables',
  'iptables-save': 'iptables',
  'iptables-restore': 'iptables',
  ip6tables: 'iptables',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mount: 'mount',
  umount: 'mount',
  sh: 'dash',
};

/** All namespaces at once; with `--kill-child` and a process namespace the end of one process is the end of all. */
const UNSHARE = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Does once, in namespaces that vanish at once, each thing that may be forbidden. */
const PROBE = `mount -t tmpfs probe /tmp && : > /tmp/ns && unshare --net=/tmp/ns true &&
ip link add br0 type bridge && ip link add v0 type veth peer name v1 netns /tmp/ns &&
nsenter --net=/tmp/ns -- sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward' &&
nsenter --net=/tmp/ns -- iptables -t nat -A OUTPUT -m statistic --mode random --probability 0.5 -j RETURN`;

export interface Probe {
  platform: string;
  uid: number;
  hasCommand(name: string): boolean;
  /** Runs the probe under `unshare ARGS`; the error text, or undefined when it worked. */
  tryUnshare(args: string[]): string | undefined;
}

export function checkPrerequisites(probe: Probe = realProbe()): Ability {
  if (probe.platform !== 'linux') {
    return {
      able: false,
      reason: `network namespaces need Linux; this is ${probe.platform}`,
      aptPackages: [],
      remedy: '',
    };
  }
  const missing = Object.keys(COMMANDS).filter((name) => !probe.hasCommand(name));
  if (missing.length > 0) {
    const aptPackages = [...new Set(missing.map((name) => COMMANDS[name] ?? name))];
    return {
      able: false,
      reason: `not found: ${missing.join(', ')}`,
      aptPackages,
      remedy: `apt-get install -y ${aptPackages.join(' ')}`,
    };
  }
  const rootless = ['--user', '--map-root-user', ...UNSHARE];
  const failures: string[] = [];
  for (const unshare of probe.uid === 0 ? [UNSHARE, rootless] : [rootless]) {
    const failure = probe.tryUnshare(unshare);
    if (failure === undefined) return { able: true, unshare };
    failures.push(failure);
  }
  return {
    able: false,
    reason: `namespaces cannot be made here: ${failures[0]}`,
    aptPackages: [],
    remedy:
      probe.uid === 0
        ? 'in a container, start it with --privileged'
        : 'run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)',
  };
}

export function realProbe(): Probe {
  const path = adminPath();
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    hasCommand: (name) => path.split(delimiter).some((directory) => isExecutable(join(directory, name))),
    tryUnshare(args) {
      const run = spawnSync('unshare', [...args, 'sh', '-c', PROBE], {
        encoding: 'utf8',
        timeout: 10_000,
        env: { ...process.env, PATH: path, LC_ALL: 'C', XTABLES_LOCKFILE: '/tmp/xtables.lock' },
      });
      if (run.status === 0) return undefined;
      const [line] = `${run.stderr ?? ''}`.trim().split('\n');
      return line || run.error?.message || `unshare ended with status ${run.status}`;
    },
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
