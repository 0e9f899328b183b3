import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { UserError } from '../user-error.ts';

/** Kernel settings as files: `/proc/sys/net/...` and `/sys/module/...`. */
export interface SettingFiles {
  /** @throws when it cannot be read */
  read(path: string): string;
  /** @throws when it cannot be written */
  write(path: string, value: string): void;
  /** False when the file has no write permission for anyone: the setting belongs to another namespace, or to nobody. */
  isWritable(path: string): boolean;
}

export const realSettingFiles: SettingFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  write: (path, value) => writeFileSync(path, value),
  isWritable: (path) => (statSync(path).mode & 0o222) !== 0,
};

/** KubeProxyConfiguration `conntrack`; timeouts in milliseconds. */
export interface ConntrackSettings {
  maxPerCore: number;
  min: number;
  tcpEstablishedTimeout: number;
  tcpCloseWaitTimeout: number;
  tcpBeLiberal: boolean;
  udpTimeout: number;
  udpStreamTimeout: number;
}

/** New in Kubernetes 1.36: machines with very many cores do not get a table of gigabytes. */
const CONNTRACK_MAX_CAP = 1_048_576;

/** `nf_conntrack_max` that the settings ask for; undefined: leave it alone. The cap wins over `min`. */
export function wantedConntrackMax(
  settings: Pick<ConntrackSettings, 'maxPerCore' | 'min'>,
  cpus: number,
): number | undefined {
  if (settings.maxPerCore <= 0) return undefined;
  return Math.min(Math.max(settings.maxPerCore * cpus, settings.min), CONNTRACK_MAX_CAP);
}

const CONNTRACK = 'net/netfilter/nf_conntrack_';
const HASH_SIZE = '/sys/module/nf_conntrack/parameters/hashsize';

/**
 * Brings the connection tracking limits and timeouts to what is configured; each is written only if it differs.
 *
 * A setting that the kernel does not let anyone write here (a network namespace that is not the host's) is left with a line for
 * the log: it is the host's to set. @returns such lines. @throws UserError naming the setting when writing it fails.
 */
export function applyConntrackSettings(files: SettingFiles, settings: ConntrackSettings, cpus: number): string[] {
  const notes: string[] = [];
  const max = wantedConntrackMax(settings, cpus);
  if (max !== undefined) {
    const leave = '--conntrack-max-per-core=0 leaves it alone';
    if (set(files, `${CONNTRACK}max`, max, leave, notes)) growHashTable(files, max, notes);
  }
  const timeouts: [string, number, string][] = [
    ['tcp_timeout_established', settings.tcpEstablishedTimeout, '--conntrack-tcp-timeout-established=0s'],
    ['tcp_timeout_close_wait', settings.tcpCloseWaitTimeout, '--conntrack-tcp-timeout-close-wait=0s'],
    ['udp_timeout', settings.udpTimeout, '--conntrack-udp-timeout=0s'],
    ['udp_timeout_stream', settings.udpStreamTimeout, '--conntrack-udp-timeout-stream=0s'],
  ];
  for (const [name, ms, flag] of timeouts) {
    const seconds = Math.trunc(ms / 1000);
    if (seconds > 0) set(files, CONNTRACK + name, seconds, `${flag} leaves it alone`, notes);
  }
  if (settings.tcpBeLiberal)
    set(files, `${CONNTRACK}tcp_be_liberal`, 1, '--conntrack-tcp-be-liberal=false leaves it alone', notes);
  return notes;
}

/** Whether packets that connection tracking finds INVALID are let through; false when that cannot be read. */
export function conntrackIsLiberal(files: SettingFiles): boolean {
  try {
    return Number(files.read(pathOf(`${CONNTRACK}tcp_be_liberal`)).trim()) !== 0;
  } catch {
    // As upstream: a kernel that does not say is taken for one with the default.
    return false;
  }
}

/** Lets packets to 127.0.0.0/8 be routed, which NodePorts on localhost need. @throws UserError when it cannot be set */
export function ensureRouteLocalnet(files: SettingFiles): void {
  set(files, 'net/ipv4/conf/all/route_localnet', 1, '--iptables-localhost-nodeports=false does without it');
}

/** CPUs that are online on this machine, whatever a container is limited to: the table is the whole machine's. */
export function onlineCpus(files: SettingFiles): number {
  try {
    const ranges = files.read('/sys/devices/system/cpu/online').trim().split(',');
    return ranges.reduce((sum, range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return sum + last - first + 1;
    }, 0);
  } catch {
    // No sysfs here: what the runtime may use is the best guess.
    return availableParallelism();
  }
}

function pathOf(setting: string): string {
  return setting.startsWith('/') ? setting : `/proc/sys/${setting}`;
}

/** The dotted name that people know, `net.ipv4.conf.all.route_localnet`. */
function nameOf(setting: string): string {
  return setting.startsWith('/') ? setting : setting.replaceAll('/', '.');
}

/** @returns whether the setting now has the value. @throws UserError when it should and cannot */
function set(files: SettingFiles, setting: string, value: number, remedy: string, notes?: string[]): boolean {
  const path = pathOf(setting);
  let current: number;
  try {
    current = Number(files.read(path).trim());
  } catch (error) {
    throw new UserError(`cannot read ${nameOf(setting)}: ${reason(error)}; ${remedy}`, { cause: error });
  }
  if (current === value) return true;
  if (notes && !files.isWritable(path)) {
    notes.push(`${nameOf(setting)} is ${current}, ${value} is configured; it can only be set on the host`);
    return false;
  }
  try {
    files.write(path, String(value));
    return true;
  } catch (error) {
    throw new UserError(`cannot set ${nameOf(setting)} from ${current} to ${value}: ${reason(error)}; ${remedy}`, {
      cause: error,
    });
  }
}

/** A table with too few buckets is slow; the kernel's own proportion is one for each four entries. */
function growHashTable(files: SettingFiles, max: number, notes: string[]): void {
  const wanted = Math.trunc(max / 4);
  try {
    if (Number(files.read(HASH_SIZE).trim()) >= wanted) return;
  } catch (error) {
    notes.push(`cannot read ${HASH_SIZE}: ${reason(error)}`);
    return;
  }
  set(files, HASH_SIZE, wanted, '--conntrack-max-per-core=0 leaves it alone', notes);
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EROFS') return 'the file system is read-only (a container needs to be privileged)';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied (root is needed)';
  if (code === 'ENOENT') return 'this kernel does not have it (is connection tracking available?)';
  return error instanceof Error ? error.message : String(error);
}
