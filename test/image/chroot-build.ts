import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import {
  argument,
  assignments,
  type Dockerfile,
  execForm,
  expand,
  type Instruction,
  type Stage,
} from './dockerfile.ts';
import { FENCED, type Processes } from './processes.ts';

/** What a stage has become: a folder, and what a container engine would be told of it. */
export interface Image {
  root: string;
  env: Record<string, string>;
  /** `uid:gid` */
  user: string;
  entrypoint: string[];
  command: string[];
}

export interface BuildOptions {
  file: Dockerfile;
  /** The folder that `COPY` reads from, with a `.dockerignore` that names all that it lets pass. */
  context: string;
  /** A root that stands in for every image that is not a stage. */
  base: string;
  /** Each stage becomes a folder there, which must not exist yet. */
  out: string;
  args: Readonly<Record<string, string>>;
  /** Certificates of a proxy on the way to npm's registry, for the time of each RUN. */
  ca: string | undefined;
  processes: Processes;
  log: (line: string) => void;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Set up for one RUN only: all of it is gone with the mount namespace. */
const ENTER = `set -e
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/run"
touch "$ROOT/etc/resolv.conf"
mount --bind /etc/resolv.conf "$ROOT/etc/resolv.conf"
if [ -n "$CA" ]; then touch "$ROOT/run/proxy-ca.pem"; mount --bind "$CA" "$ROOT/run/proxy-ca.pem"; fi
exec chroot "$ROOT" /usr/bin/env -i "$@"`;

/** Runs a Dockerfile's own steps, as root, without a container engine: each stage is a folder, each RUN a chroot into it. */
export async function buildStages(options: BuildOptions): Promise<Map<string, Image>> {
  const built = new Map<string, Image>();
  for (const stage of options.file.stages) built.set(stage.name, await buildStage(stage, built, options));
  return built;
}

async function buildStage(stage: Stage, built: ReadonlyMap<string, Image>, options: BuildOptions): Promise<Image> {
  const { processes, log, args } = options;
  const root = join(options.out, stage.name);
  mkdirSync(root, { recursive: true });
  const below = built.get(stage.from);
  if (stage.from !== 'scratch') {
    if (!below) log(`[${stage.name}] FROM ${stage.from}: stood in for by ${options.base}`);
    await processes.run('cp', ['-a', '--reflink=auto', `${below?.root ?? options.base}/.`, root]);
  }
  const image: Image = structuredClone({
    ...(below ?? { env: { PATH }, user: '0:0', entrypoint: [], command: [] }),
    root,
  });
  const values: Record<string, string> = {};
  let folder = '/';
  const steps: Record<string, (step: Instruction) => void | Promise<void>> = {
    ARG: ({ text }) => void Object.assign(values, argument(text, args)),
    ENV: ({ text }) => void Object.assign(image.env, assignments(expand(text, { ...values, ...image.env }))),
    LABEL: ({ text }) => void assignments(text),
    USER: ({ text }) => {
      if (!/^\d+:\d+$/.test(text)) throw new Error(`USER ${text}: not uid:gid`);
      image.user = text;
    },
    ENTRYPOINT: ({ text }) => {
      image.entrypoint = execForm(text);
    },
    CMD: ({ text }) => {
      image.command = execForm(text);
    },
    WORKDIR: ({ text }) => {
      folder = resolve(folder, text);
      mkdirSync(join(root, folder), { recursive: true });
    },
    COPY: async ({ text, flags }) => {
      const words = text.split(/\s+/);
      const target = words.pop() ?? '';
      const from = flags.from === undefined ? undefined : built.get(flags.from);
      if (flags.from !== undefined && !from) throw new Error(`COPY --from=${flags.from}: there is no such stage`);
      if (!from) for (const word of words) assertNotIgnored(word, options.context);
      const to = join(root, resolve(folder, target));
      const into = target.endsWith('/');
      for (const word of words) {
        const source = join(from?.root ?? options.context, word);
        await copy({ source, to, into, fromStage: from !== undefined, processes });
      }
    },
    RUN: async ({ text }) => {
      const ca = options.ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: CA_INSIDE, npm_config_cafile: CA_INSIDE };
      const variables = Object.entries({ HOME: '/root', ...values, ...image.env, ...ca }).map(([k, v]) => `${k}=${v}`);
      const [uid, gid] = image.user.split(':');
      if (uid !== '0' || gid !== '0') throw new Error(`RUN as ${image.user}: not understood here`);
      const command = ['sh', '-c', ENTER, 'sh', ...variables, '/bin/sh', '-c', `cd '${folder}' && ${text}`];
      await processes.run(FENCED[0], [...FENCED.slice(1), ...command], { ROOT: root, CA: options.ca ?? '' });
    },
  };
  for (const step of stage.instructions) {
    log(`[${stage.name}] ${step.name} ${step.text.replaceAll(/\s+/g, ' ').slice(0, 110)}`);
    const run = steps[step.name];
    if (!run) throw new Error(`${step.name}: not understood here`);
    await run(step);
  }
  return image;
}

const CA_INSIDE = '/run/proxy-ca.pem';

interface Copy {
  source: string;
  to: string;
  /** The target ends in a slash. */
  into: boolean;
  /** From another stage, rather than from the context. */
  fromStage: boolean;
  processes: Processes;
}

/** A folder's content goes into the target; a file is the target, or goes into it. What comes from outside becomes root's. */
async function copy({ source, to, into, fromStage, processes }: Copy): Promise<void> {
  if (!existsSync(source)) throw new Error(`COPY ${source}: there is no such file`);
  const keep = fromStage ? '--preserve=all' : '--preserve=mode,timestamps,links';
  const isFolder = (await processes.output('stat', ['--format=%F', source])).trim() === 'directory';
  mkdirSync(isFolder || into ? to : join(to, '..'), { recursive: true });
  const target = !isFolder && into ? join(to, basename(source)) : to;
  await processes.run('cp', ['--recursive', '--no-dereference', keep, isFolder ? `${source}/.` : source, target]);
}

/** @throws Error when a builder would not be handed this file */
function assertNotIgnored(path: string, context: string): void {
  const lines = readFileSync(join(context, '.dockerignore'), 'utf8').split('\n');
  const rules = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (rules[0] !== '*' || rules.slice(1).some((rule) => !rule.startsWith('!')))
    throw new Error('.dockerignore: expected * and then what passes');
  if (!rules.includes(`!${path.split('/')[0]}`)) throw new Error(`COPY ${path}: .dockerignore keeps it out`);
}
