import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Image } from './chroot-build.ts';
import { FENCED, type Processes } from './processes.ts';

/** What a container runtime is told of one container: the manifest's part, with all references resolved. */
export interface ContainerSpec {
  args: string[];
  env: Record<string, string>;
  uid: number;
  gid: number;
  privileged: boolean;
  readOnly: boolean;
  /** Kept of root's rights, as `NET_ADMIN`. */
  capabilities: string[];
  mounts: { source: string; target: string; readOnly: boolean }[];
}

/**
 * What runtimes do before the first program runs, in a mount namespace and a process namespace of the container's own: a writable
 * layer over the image, in it the places to mount at, and then, if asked for, no more writing.
 */
const ENTER = `set -e
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay overlay -o "lowerdir=$IMAGE,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/root"
cd "$WORK/root"
mkdir -p proc sys dev
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs dev
for device in null zero full random urandom; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
mkdir dev/shm
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p "./$2"; else mkdir -p "./\${2%/*}"; touch "./$2"; fi
  mount --bind "$1" "./$2"
  if [ "$3" = ro ]; then mount -o remount,bind,ro "./$2"; fi
  shift 3
done
shift
if [ "$PRIVILEGED" = false ]; then mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys; fi
if [ "$READ_ONLY" = true ]; then mount -o remount,ro "$WORK/root"; fi
exec /usr/bin/env -i "$@"`;

/** Runs an image as the manifest says: its user, rights, mounts and arguments; not its seccomp profile, nor its limits or kubelet's OOM score. */
export class Container {
  readonly #child: ChildProcess;
  readonly #log: string;

  /** @param folder scratch space of this container's own */
  constructor(image: Image, spec: ContainerSpec, folder: string, processes: Processes) {
    const work = join(folder, 'work');
    mkdirSync(work, { recursive: true });
    this.#log = join(folder, 'log');
    const output = openSync(this.#log, 'a');
    const environment = Object.entries({ ...image.env, ...spec.env }).map(([name, value]) => `${name}=${value}`);
    const mounts = spec.mounts.flatMap(({ source, target, readOnly }) => [source, target, readOnly ? 'ro' : 'rw']);
    const [program = '', ...words] = [...image.entrypoint, ...(spec.args.length > 0 ? spec.args : image.command)];
    const fence = fenceOf(spec, join(work, 'root'));
    const command = [
      'sh',
      '-c',
      ENTER,
      'sh',
      ...mounts,
      '--',
      ...environment,
      CAPSH,
      ...fence,
      `--shell=${program}`,
      '--',
      ...words,
    ];
    this.#child = processes.start(FENCED[0], [...FENCED.slice(1), ...command], {
      stdio: ['ignore', output, output],
      env: {
        PATH: process.env.PATH,
        IMAGE: image.root,
        WORK: work,
        PRIVILEGED: String(spec.privileged),
        READ_ONLY: String(spec.readOnly),
      },
    });
    closeSync(output);
  }

  get log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Its exit status, once it has ended. */
  async end(): Promise<number | null> {
    if (!this.ended) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  /** Asks its first process to end, as kubelet does. @returns the exit status */
  async terminate(): Promise<number | null> {
    process.kill(this.#firstProcess(), 'SIGTERM');
    return this.end();
  }

  /** Waits until `look` finds something. @throws Error with the log when the container ends before, or after two minutes */
  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + 120_000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.ended || performance.now() > deadline)
        throw new Error(`${what}: did not come; the container's log:\n${this.log.slice(-4000)}`);
      await wait(50);
    }
  }

  /** The one child of unshare. */
  #firstProcess(): number {
    const { pid } = this.#child;
    return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
  }
}

const CAPSH = '/usr/sbin/capsh';

function fenceOf(spec: ContainerSpec, root: string): string[] {
  const enter = [`--chroot=${root}`];
  if (spec.privileged) return enter;
  const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
  const kept = new Set(spec.capabilities.map(capabilityNumber));
  const dropped = Array.from({ length: last + 1 }, (_, number) => number).filter((number) => !kept.has(number));
  return [
    ...enter,
    `--drop=${dropped.join(',')}`,
    `--gid=${spec.gid}`,
    '--groups=',
    `--uid=${spec.uid}`,
    '--no-new-privs',
  ];
}

/** From linux/capability.h; the only ones that our manifests add. */
const CAPABILITIES: Readonly<Record<string, number>> = { NET_ADMIN: 12, NET_RAW: 13 };

function capabilityNumber(name: string): number {
  const number = CAPABILITIES[name];
  if (number === undefined) throw new Error(`the manifest adds ${name}: not understood here`);
  return number;
}
