/**
 * Runs a Dockerfile's own steps without a container engine: each stage is a folder, each RUN a chroot into it.
 *
 *   debootstrap --variant=minbase trixie BASE && node test/manifests/image/chroot-build.ts BASE OUT [--ca FILE] [NAME=VALUE ...]
 *
 * needs root. `--ca` adds certificates of a proxy on the way to the network; `NAME=VALUE` is a build argument. What it leaves out:
 * layers, the image's configuration (printed at the end), and owners and times as a builder would normalize them.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { assignment, expand, type Instruction, parseDockerfile, type Stage } from './dockerfile.ts';

const context = join(import.meta.dirname, '..', '..', '..');

interface Settings {
  base: string;
  out: string;
  ca: string | undefined;
  args: Record<string, string>;
}

/** Set for one RUN only, and gone with its mount namespace. */
const ENTER = `set -e
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
touch "$ROOT/etc/resolv.conf"
mount --bind /etc/resolv.conf "$ROOT/etc/resolv.conf"
if [ -n "$CA" ]; then touch "$ROOT/run/proxy-ca.pem"; mount --bind "$CA" "$ROOT/run/proxy-ca.pem"; fi
exec chroot "$ROOT" /usr/bin/env -i "$@"`;

function settings(): Settings {
  const words = process.argv.slice(2);
  const ca = words.indexOf('--ca') < 0 ? undefined : words.splice(words.indexOf('--ca'), 2)[1];
  const [base, out, ...args] = words;
  if (base === undefined || out === undefined)
    throw new Error('usage: chroot-build.ts BASE OUT [--ca FILE] [NAME=VALUE ...]');
  return { base: resolve(base), out: resolve(out), ca, args: Object.assign({}, ...args.map(assignment)) };
}

function must(command: string, args: string[], env: Record<string, string> = {}): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')}: status ${status}`);
}

function build(stage: Stage, { base, out, ca, args }: Settings, names: Set<string>): void {
  const root = join(out, stage.name);
  rmSync(root, { recursive: true, force: true });
  if (stage.from === 'scratch') mkdirSync(root, { recursive: true });
  else must('cp', ['-a', names.has(stage.from) ? join(out, stage.from) : base, root]);
  const values: Record<string, string> = {};
  const environment: Record<string, string> = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  const config: Record<string, string> = {};
  let folder = '/';
  const steps: Record<string, (step: Instruction) => void> = {
    ARG: ({ text }) => {
      const [name = '', value = ''] = Object.entries(assignment(text))[0] ?? [];
      values[name] = args[name] ?? value;
    },
    ENV: ({ text }) => Object.assign(environment, assignment(text)),
    WORKDIR: ({ text }) => {
      folder = text;
      mkdirSync(join(root, folder), { recursive: true });
    },
    COPY: ({ text, flags }) => {
      const words = text.split(/\s+/);
      const target = words.pop() ?? '';
      const source = flags.from === undefined ? context : join(out, flags.from);
      for (const word of words)
        copy(join(source, word), resolve(root, `.${resolve(folder, target)}`), target.endsWith('/'));
    },
    RUN: ({ text }) => {
      const proxy =
        ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: '/run/proxy-ca.pem', npm_config_cafile: '/run/proxy-ca.pem' };
      const all = Object.entries({ HOME: '/root', ...environment, ...values, ...proxy }).map(([k, v]) => `${k}=${v}`);
      const command = `cd '${folder}' && ${text}`;
      must('unshare', ['--mount', 'sh', '-c', ENTER, 'sh', ...all, '/bin/sh', '-c', command], {
        ROOT: root,
        CA: ca ?? '',
      });
      rmSync(join(root, 'run', 'proxy-ca.pem'), { force: true });
    },
  };
  for (const step of stage.instructions) {
    console.log(`[${stage.name}] ${step.name} ${step.text.replaceAll(/\s+/g, ' ').slice(0, 100)}`);
    const run = steps[step.name];
    if (run) run(step);
    else config[step.name] = expand(step.text, values);
  }
  console.log(`[${stage.name}] ${JSON.stringify(config)}`);
}

/** A folder's content goes into the target; a file is the target, or goes into it. */
function copy(source: string, target: string, intoFolder: boolean): void {
  if (!existsSync(source)) throw new Error(`COPY ${source}: there is no such file`);
  const to = intoFolder && !source.endsWith('/') ? join(target, basename(source)) : target;
  cpSync(source, to, { recursive: true, dereference: false, verbatimSymlinks: true, preserveTimestamps: true });
}

const given = settings();
const file = parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'));
mkdirSync(given.out, { recursive: true });
const names = new Set<string>();
for (const stage of file.stages) {
  build(stage, given, names);
  names.add(stage.name);
}
for (const target of ['controller', 'proxier']) must('du', ['-sh', '--apparent-size', join(given.out, target)]);
